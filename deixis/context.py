"""What every command needs: settings, the library, the encoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from deixis.output import err
from search.encoder import EncoderWish, encoder_to_index, encoder_without_library, own_encoder
from search.errors import LibraryEmptyError
from search.library import Library
from search.settings import Settings, load_settings
from vision.encoders.base import Encoder
from vision.images import DecodeLimits, DecodeRequest, decode_one
from vision.originals import original_at
from vision.types import RgbImage


def read_settings(**flags: Any) -> Settings:
    """Settings from the environment and the given flags."""
    return load_settings(os.environ, **flags)


def open_library(settings: Settings, *, create: bool = False) -> Library:
    """The library of these settings."""
    return Library.open(settings.home, settings.database_url, create=create)


def encoder_for(settings: Settings, library: Library, *, afresh: bool = False) -> Encoder:
    """The encoder to index with, see `search.encoder.encoder_to_index`; says on the error stream what was chosen."""
    return encoder_to_index(library, EncoderWish.of(settings, bulk=True), afresh=afresh, say=err().print)


def encoder_at_hand(settings: Settings) -> Encoder:
    """The encoder asked for; else that of the library, if there is one; else the default.

    Raises:
        ModelError: it cannot be loaded.
    """
    wish = EncoderWish.of(settings)
    try:
        with open_library(settings) as library:
            return encoder_without_library(wish, library)
    except LibraryEmptyError:
        return encoder_without_library(wish, None)


def library_encoder(settings: Settings, library: Library) -> Encoder:
    """The encoder of a library that must have one already, see `search.encoder.own_encoder`."""
    return own_encoder(library, EncoderWish.of(settings))


def read_picture(path: Path, settings: Settings) -> RgbImage:
    """One picture, a file or in an archive: HWC uint8 RGB, upright, decoded in a child process.

    Raises:
        ImageRefusedError: it cannot be read.
    """
    original = original_at(str(path), settings.archive_limits)
    pixels = decode_one(DecodeRequest.of(original), decode_limits(settings)).pixels
    assert pixels is not None  # a request without a preview always answers with pixels
    return pixels


def decode_limits(settings: Settings) -> DecodeLimits:
    """What one picture may cost."""
    return DecodeLimits(
        max_file_bytes=settings.max_file_bytes,
        max_pixels=settings.max_pixels,
        max_expansion=settings.max_expansion,
        timeout_s=settings.decode_timeout_s,
        memory_bytes=settings.decode_memory_bytes,
    )
