"""What a picture will cost, estimated from its header: refused with a true reason before anything is decoded."""

from __future__ import annotations

import math
import resource
import struct
import sys

from vision.decoder.contract import DecodeLimits, RefusalError

_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "LA": 4, "PA": 4, "I;16": 2, "I;16B": 2, "I;16L": 2}
"""What Pillow keeps for a pixel of each mode; 4 for all others."""

_DECODERS_OWN = {"WEBP": 12.0, "AVIF": 10.0, "HEIF": 9.0, "JPEG2000": 16.0, "JXL": 8.0, "RAW": 12.0, "DDS": 4.0}
"""Bytes per pixel that a format's decoder holds besides the picture that it hands over, at its peak, generously."""

_WORKING_BYTES = 12
"""Per pixel of the picture as it is prepared: RGB, alpha, the page under it, the turned copy."""

_HARMLESS_PIXELS = 40_000_000
"""However small the file, so many pixels are decoded: they cost a second and fit into the memory of a child."""


def require_sensible(size_wh: tuple[int, int], bits: int, file_bytes: int, limits: DecodeLimits) -> None:
    """Refuse what has too many pixels, or unpacks to absurdly more than its file holds.

    Args:
        size_wh: as the header says.
        bits: of one pixel in the file, all channels together.
        file_bytes: of the whole file.
        limits: of this child.

    Raises:
        RefusalError: too_many_pixels.
    """
    width, height = size_wh
    pixels = width * height
    if pixels > limits.max_pixels:
        reason = f"The picture has {width:,} × {height:,} pixels; DEIXIS_MAX_PIXELS allows {limits.max_pixels:,}."
        raise RefusalError("too_many_pixels", reason)
    expansion = pixels * bits / 8 / file_bytes
    if pixels > _HARMLESS_PIXELS and expansion > limits.max_expansion:
        reason = (
            f"The picture has {width:,} × {height:,} pixels, {expansion:,.0f} times what its file holds; "
            f"DEIXIS_MAX_EXPANSION allows {limits.max_expansion:,} times."
        )
        raise RefusalError("too_many_pixels", reason)


def require_memory(needed_bytes: int, limits: DecodeLimits) -> None:
    """Refuse what will not fit beside what this process already holds.

    Raises:
        RefusalError: out_of_memory.
    """
    held = held_bytes()
    if held + needed_bytes > limits.memory_bytes:
        reason = (
            f"Decoding takes about {held + needed_bytes:,} bytes of memory; "
            f"DEIXIS_DECODE_MEMORY_BYTES allows {limits.memory_bytes:,}."
        )
        raise RefusalError("out_of_memory", reason)


def decoding_bytes(kind: str, mode: str, stored_wh: tuple[int, int], decoded_wh: tuple[int, int], averaged: int) -> int:
    """Estimate what decoding and preparing takes at its peak, in bytes, the file itself not counted.

    Args:
        kind: a code of `known.CODES`.
        mode: Pillow's mode.
        stored_wh: of the picture in the file.
        decoded_wh: of the picture that the decoder hands over; smaller where it decodes at a fraction.
        averaged: by how much the sides are divided after decoding.
    """
    decoded = decoded_wh[0] * decoded_wh[1]
    prepared = math.ceil(decoded / averaged**2)
    held = decoded * bytes_per_pixel(mode)
    decoder = decoded * _DECODERS_OWN.get(kind, 0.0)
    # The decoder's own memory is given back before the working copies are made.
    return int(held + max(decoder, prepared * _WORKING_BYTES))


def bytes_per_pixel(mode: str) -> int:
    """What Pillow keeps in memory for one pixel."""
    return _BYTES_PER_PIXEL.get(mode, 4)


def coefficient_bytes(data: bytes) -> int:
    """What libjpeg must keep of a progressive JPEG before its first pixel: all coefficients, 2 bytes each.

    0 for a baseline JPEG, which is decoded row by row.
    """
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xFF:
            place += 1
        elif marker == 0xC2 or marker in (0xC6, 0xCA, 0xCE):
            return _coefficients(data[place + 4 : place + 2 + length])
        elif marker == 0xDA or length < 2:
            return 0
        else:
            place += 2 + length
    return 0


def _coefficients(frame: bytes) -> int:
    if len(frame) < 6:
        return 0
    _, height, width, count = struct.unpack(">BHHB", frame[:6])
    samplings = [(entry >> 4, entry & 15) for entry in frame[7 : 7 + 3 * count : 3]]
    if not samplings or 0 in (samples for pair in samplings for samples in pair):
        return 0
    most_across, most_down = (max(pair[axis] for pair in samplings) for axis in (0, 1))
    shares = sum(across * down / (most_across * most_down) for across, down in samplings)
    return int(2 * width * height * shares)


def held_bytes() -> int:
    """Address space of this process; a fixed guess where the system does not tell."""
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    return 256 * 1024 * 1024
