"""What every command needs: settings, the library, the encoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from deixis.output import err
from search.errors import LibraryEmptyError, SettingsError
from search.library import Library
from search.settings import Settings, load_settings
from vision.encoders.base import Encoder
from vision.encoders.choosing import choose_backend, worth_choosing
from vision.encoders.registry import is_model_at, load_encoder
from vision.images import DecodeLimits, DecodeRequest, decode_one
from vision.types import RgbImage

DEFAULT_MODEL = "siglip2-base"
"""For a new library when neither flag nor setting names a model: the best that two CPU cores carry."""

AUTO = "auto"
"""The backend's name that asks for the fastest faithful one."""

DEFAULT_CAPTIONER = "kosmos2"
"""When neither flag nor setting names one: the one that knows photographs."""

Home = Annotated[Path | None, typer.Option("--home", help="Where the library lives (DEIXIS_HOME).", show_default=False)]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", help="Postgres instead of SQLite (DEIXIS_DATABASE_URL).", show_default=False),
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", help="Preset, folder or cached hub id of the encoder (DEIXIS_MODEL).", show_default=False),
]
BackendName = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="transformers, onnx, openvino, or auto: the fastest faithful one (DEIXIS_BACKEND).",
        show_default=False,
    ),
]
PrecisionName = Annotated[
    str | None,
    typer.Option("--precision", help="float32, bfloat16, float16 or int8 (DEIXIS_PRECISION).", show_default=False),
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


def encoder_for(settings: Settings, library: Library, *, afresh: bool = False) -> Encoder:
    """The encoder asked for; else the library's own; else the default.

    A library is bound to its encoder, so its own backend and precision decide unless others are asked for; which
    backend is fastest is looked into only where a library is made.

    Args:
        settings: what is asked for.
        library: where it is to be used.
        afresh: whether the library's vectors are about to be replaced.

    Raises:
        ModelError: it cannot be loaded, or not in this backend and precision.
    """
    with library.read() as session:
        active = library.active_model(session)
        own = (active.location, active.backend) if active else None
    model = settings.model or (own[0] if own else DEFAULT_MODEL)
    backend = None if settings.backend == AUTO else settings.backend
    as_it_is = (backend, settings.precision) == (None, None) and not (afresh and settings.backend == AUTO)
    if own is not None and as_it_is and is_model_at(model, own[0]):
        return load_encoder(own[0], threads=settings.compute_threads, backend=own[1])
    if own is None or afresh:
        return _new_encoder(settings, model, lasting=True)
    return load_encoder(model, threads=settings.compute_threads, backend=backend, precision=settings.precision)


def encoder_at_hand(settings: Settings) -> Encoder:
    """The encoder asked for; else that of the library, if there is one; else the default.

    Raises:
        ModelError: it cannot be loaded.
    """
    try:
        with open_library(settings) as library:
            return encoder_for(settings, library)
    except LibraryEmptyError:
        return _new_encoder(settings, settings.model or DEFAULT_MODEL, lasting=False)


def _new_encoder(settings: Settings, model: str, *, lasting: bool) -> Encoder:
    """An encoder that no library binds: as asked for; else, where it is to last and is large, the fastest faithful."""
    threads, backend, precision = settings.compute_threads, settings.backend, settings.precision
    if backend == AUTO and precision is not None:
        raise SettingsError(
            f"--backend {AUTO} chooses the precision too", remedy="Leave --precision away, or name a backend."
        )
    unasked = (backend, precision) == (None, None)
    if model != "colour" and (backend == AUTO or (unasked and lasting and worth_choosing(model))):
        choice = choose_backend(model, threads=threads)
        err().print(f"{model}: {choice}; --precision float32 insists on float32")
        backend = choice.backend
    return load_encoder(model, threads=threads, backend=backend, precision=precision)


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


def read_picture(path: Path, settings: Settings) -> RgbImage:
    """One picture file: HWC uint8 RGB, upright, decoded in a child process.

    Raises:
        ImageRefusedError: it cannot be read.
    """
    pixels = decode_one(DecodeRequest(path=str(path)), decode_limits(settings)).pixels
    assert pixels is not None  # a request without a preview always answers with pixels
    return pixels


def decode_limits(settings: Settings) -> DecodeLimits:
    """What one picture may cost."""
    return DecodeLimits(
        max_file_bytes=settings.max_file_bytes,
        max_pixels=settings.max_pixels,
        timeout_s=settings.decode_timeout_s,
        memory_bytes=settings.decode_memory_bytes,
    )
