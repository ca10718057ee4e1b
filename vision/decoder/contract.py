"""What is asked of the decoder and what it answers; both sides of the process boundary share this file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType

from vision.carried.facts import NOTHING, Carried
from vision.errors import DecoderError
from vision.originals import Original
from vision.preprocessing import Preprocessing
from vision.types import RgbImage

MINIMUM_MEMORY_BYTES = 256 * 1024 * 1024
"""Less address space than this does not hold the decoding libraries themselves (184 MB were measured)."""

REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "not_found": "Check that the file still exists and that its disk is mounted.",
        "permission_denied": "Give the user that runs Deixis the right to read the file.",
        "not_a_file": "Only regular files are read; pipes, devices and folders are not.",
        "unreadable": "Check the disk or the network share that holds the file.",
        "changed_while_reading": "Index again when nothing writes to the file any more.",
        "empty": "Copy the file again from where it came from.",
        "too_large": "Raise DEIXIS_MAX_FILE_BYTES if you trust this file.",
        "too_many_pixels": "Raise DEIXIS_MAX_PIXELS or DEIXIS_MAX_EXPANSION, as the reason says, if you trust it.",
        "unsupported_format": "Convert it to JPEG, PNG, WebP, TIFF or HEIC; docs/formats.md lists all that is read.",
        "not_an_image": "Nothing to do if the file was never a picture; otherwise copy it again.",
        "corrupt": "Open it in a picture editor and save it anew, or copy it again from where it came from.",
        "encrypted": "Unpack the archive with its password, and index the folder.",
        "nested_archive": "Unpack the outer archive, and index the folder with --archives.",
        "expands_too_much": "Raise DEIXIS_MAX_EXPANSION if you trust the archive.",
        "timeout": "Raise DEIXIS_DECODE_TIMEOUT_S if you trust this file.",
        "out_of_memory": "Raise DEIXIS_DECODE_MEMORY_BYTES if you trust this file.",
        "crashed": "Open it in a picture editor and save it anew.",
    }
)
"""Every refusal code, with the remedy that people are shown. Codes are stable: they are stored and counted."""


FULL_SIZE_PIXELS = 40_000_000
"""A picture that is asked for at its full size comes at a half, a quarter … of it where it has more pixels."""


def full_size_hw(height_px: int, width_px: int) -> tuple[int, int]:
    """Height and width of a picture that is asked for at its full size."""
    factor = full_size_factor(width_px, height_px)
    return -(-height_px // factor), -(-width_px // factor)


def full_size_factor(width_px: int, height_px: int) -> int:
    """By which power of two the sides of a picture are divided, rounded up, when it is asked for at its full size."""
    factor = 1
    while -(-width_px // factor) * -(-height_px // factor) > FULL_SIZE_PIXELS:
        factor *= 2
    return factor


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one picture may cost.

    Attributes:
        max_file_bytes: a larger file is refused before it is read.
        max_pixels: width × height of a picture; a larger one is refused before its pixels are decoded. What a picture
            really costs is bounded by `memory_bytes`.
        max_expansion: a picture above 40 million pixels whose samples take more than so many times the bytes of its
            file is refused: no scan or photograph compresses like that, bombs do.
        timeout_s: wall-clock seconds from the moment the child has taken the picture to its complete answer.
        memory_bytes: address space of one child, its libraries included. Enforced on Linux; other systems do not
            honour such a limit, and there the limits on pixels and bytes must do.
        tasks_per_child: a child is replaced after so many pictures, so that no leak lives long.

    Raises:
        DecoderError: a limit is not positive, or the memory would not hold the decoding libraries.
    """

    max_file_bytes: int = 512 * 1024 * 1024
    max_pixels: int = 1_000_000_000
    max_expansion: int = 400
    timeout_s: float = 60.0
    memory_bytes: int = 1536 * 1024 * 1024
    tasks_per_child: int = 500

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not (math.isfinite(value) and value > 0):
                raise DecoderError(f"{limit.name} must be positive, got {value!r}")
        if self.memory_bytes < MINIMUM_MEMORY_BYTES:
            raise DecoderError(f"memory_bytes must be at least {MINIMUM_MEMORY_BYTES}, got {self.memory_bytes}")


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """One picture to decode.

    Attributes:
        path: the file to read; with `data` or `original`, only a label for messages.
        preprocessing: prepare the pixels for this encoder; None leaves them at their full size.
        preview_px: also make a JPEG preview whose longest side is at most this; it is never enlarged.
        data: the file's bytes when they do not lie in a file (an upload).
        original: where the bytes are, if not in a file at `path`.

    Raises:
        DecoderError: `preview_px` is not between 1 and 65535, the largest side of a JPEG picture.
    """

    path: str
    preprocessing: Preprocessing | None = None
    preview_px: int | None = None
    data: bytes | None = field(default=None, repr=False)
    original: Original | None = None

    @classmethod
    def of(
        cls, original: Original, preprocessing: Preprocessing | None = None, preview_px: int | None = None
    ) -> DecodeRequest:
        """A request for a picture wherever its bytes are."""
        return cls(original.path, preprocessing, preview_px, original=original)

    def __post_init__(self) -> None:
        if self.preview_px is not None and not 1 <= self.preview_px <= 65535:
            raise DecoderError(f"preview_px must lie between 1 and 65535, got {self.preview_px}")

    @property
    def wants_pixels(self) -> bool:
        """Whether the answer carries pixels: always, except when a preview is all that was asked for."""
        return self.preprocessing is not None or self.preview_px is None


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture that was read.

    Attributes:
        path: as in the request.
        sha256: of exactly the bytes that were decoded, 64 hex digits.
        size_bytes: how many bytes those were.
        width_px: of the upright picture.
        height_px: of the upright picture.
        format: a code of `vision.decoder.known`: `JPEG`, `PNG`, `HEIF`, `RAW` …
        frames: pictures in the file; only the first (HEIF: the primary one) is decoded.
        taken_at: the camera's clock (EXIF DateTimeOriginal); aware only when its offset was recorded too, or follows
            from the satellites' time.
        pixels: HWC uint8, sRGB, [0, 255], upright, transparency over a ground on which the drawing is seen; at
            `preprocessing.output_hw`, or at full size (`full_size_hw`) when the request had no preprocessing. None
            when only a preview was asked for.
        preview: a JPEG file, or None when none was asked for.
        pixels_sha256: of the decoded picture, 64 hex digits: the same when a program rewrites only the metadata.
        remark: what to know about the picture, as `code: sentence`; None where there is nothing.
        perceptual_hash: of `vision.perceptual`; None when the request had no preprocessing.
        carried: what the file says of itself besides.
    """

    path: str
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    format: str
    frames: int
    taken_at: datetime | None
    pixels: RgbImage | None = field(repr=False)
    preview: bytes | None = field(repr=False)
    pixels_sha256: str | None = None
    remark: str | None = None
    perceptual_hash: int | None = None
    carried: Carried = NOTHING

    @property
    def is_cut_short(self) -> bool:
        """Whether the file ends before its picture does."""
        return (self.remark or "").startswith("truncated:")


@dataclass(frozen=True, slots=True)
class Refused:
    """A picture that was not read, and why.

    Attributes:
        path: as in the request.
        code: a key of `REFUSALS`.
        reason: one or two sentences for people.
    """

    path: str
    code: str
    reason: str


class RefusalError(Exception):
    """Carries a refusal from the depth of the child to its loop; it never leaves the child."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
