"""What every command needs: settings, the library, the encoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from search.errors import LibraryEmptyError
from search.library import Library
from search.settings import Settings, load_settings
from vision.encoders.base import Encoder
from vision.encoders.registry import load_encoder
from vision.images import DecodeLimits

DEFAULT_MODEL = "siglip2-base"
"""For a new library when neither flag nor setting names a model: the best that two CPU cores carry."""

Home = Annotated[Path | None, typer.Option("--home", help="Where the library lives (DEIXIS_HOME).", show_default=False)]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", help="Postgres instead of SQLite (DEIXIS_DATABASE_URL).", show_default=False),
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", help="Preset, folder or cached hub id of the encoder (DEIXIS_MODEL).", show_default=False),
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=0, help="Compute threads; 0 for one per core (DEIXIS_THREADS).")
]


def read_settings(**flags: Any) -> Settings:
    """Settings from the environment and the given flags."""
    return load_settings(os.environ, **flags)


def open_library(settings: Settings, *, create: bool = False) -> Library:
    """The library of these settings."""
    return Library.open(settings.home, settings.database_url, create=create)


def encoder_for(settings: Settings, library: Library) -> Encoder:
    """The encoder asked for; else the library's own; else the default.

    Raises:
        ModelError: it cannot be loaded.
    """
    if settings.model is not None:
        return load_encoder(settings.model, threads=settings.compute_threads)
    with library.read() as session:
        active = library.active_model(session)
        remembered = (active.location, active.backend) if active else None
    if remembered is None:
        return load_encoder(DEFAULT_MODEL, threads=settings.compute_threads)
    return load_encoder(remembered[0], threads=settings.compute_threads, backend=remembered[1])


def library_encoder(settings: Settings, library: Library) -> Encoder:
    """The encoder of a library that must have one already, checked against it.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        ModelMismatchError: the model asked for is not the library's.
    """
    with library.read() as session:
        if library.active_model(session) is None:
            raise LibraryEmptyError(
                "nothing has been indexed yet", remedy="Index a folder first: deixis index ~/Pictures"
            )
    encoder = encoder_for(settings, library)
    with library.read() as session:
        library.check_model(session, encoder.facts)
    return encoder


def decode_limits(settings: Settings) -> DecodeLimits:
    """What one picture may cost."""
    return DecodeLimits(
        max_file_bytes=settings.max_file_bytes,
        max_pixels=settings.max_pixels,
        timeout_s=settings.decode_timeout_s,
        memory_bytes=settings.decode_memory_bytes,
    )
