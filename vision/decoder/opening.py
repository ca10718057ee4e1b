"""Open a foreign picture by its content, decode it as small as the answer allows, and say truly why it cannot be."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from vision.decoder import boxes, cost, deep_tiff, digest, formats, jpegxl, known, metadata, raw, tiff_layout
from vision.decoder.contract import DecodeLimits, DecodeRequest, RefusalError
from vision.decoder.reasons import unidentified
from vision.decoder.scale import averaged_by, draft_jpeg, draft_jpeg2000, factor_for
from vision.decoder.truncated import as_far_as_possible, require_readable, require_whole

_LAYERED = frozenset({"PSD", "ICO"})
"""What Pillow calls frames of these are layers, or other sizes of the same drawing."""

_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
_EXIF_IN_AVIF = re.compile(rb"II\*\x00|MM\x00\*")
_NO_COMPOSITE = "The Photoshop file was saved without a flattened picture (“Maximize Compatibility” was off)."


@dataclass(slots=True)
class Opened:
    """A picture whose pixels are in memory.

    Attributes:
        picture: loaded, as it lies in the file.
        kind: a code of `known.CODES`.
        full_wh: of the whole picture as it lies in the file; `picture` may be smaller.
        divisor: by how much the decoder has divided the sides.
        averaged: by how much they are still to be divided.
        orientation: EXIF's number, to be applied.
        exif: what the file says of how it was taken; None where it carries none.
        frames: as `Decoded.frames`.
        digest: as `Decoded.pixels_sha256`.
        remark: as `Decoded.remark`.
    """

    picture: Image.Image
    kind: str
    full_wh: tuple[int, int]
    divisor: int = 1
    averaged: int = 1
    orientation: int = 1
    exif: Image.Exif | None = None
    frames: int = 1
    digest: str | None = None
    remark: str | None = None

    @property
    def upright_wh(self) -> tuple[int, int]:
        """Width and height of the whole picture as people see it."""
        width, height = self.full_wh
        return (height, width) if self.orientation >= 5 else (width, height)


def open_picture(data: bytes, request: DecodeRequest, limits: DecodeLimits) -> Opened:
    """Decode a picture.

    Raises:
        RefusalError: unsupported_format, not_an_image, corrupt, too_many_pixels, out_of_memory.
        Exception: whatever Pillow raises for damaged files.
    """
    if raw.is_raw(request.path, data):
        return _open_raw(data, request, limits)
    entry = known.recognise(data[: known.HEAD_BYTES])
    if entry is not None and entry.code == "JXL":
        return _open_jpegxl(data, request, limits)
    picture = _identified(data, request.path)
    if picture is None:
        return _finished(Opened(deep_tiff.decode(data, limits), "TIFF", (0, 0)), data, request)
    with picture:
        return _open_with_pillow(picture, data, request, limits)


def _identified(data: bytes, path: str) -> Image.Image | None:
    """Read the header of a picture; None for a TIFF file that Pillow does not know.

    Raises:
        RefusalError: unsupported_format, not_an_image, corrupt.
    """
    entry = known.recognise(data[: known.HEAD_BYTES])
    targa = known.is_targa(path, data)
    try:
        return Image.open(io.BytesIO(data), formats=["TGA"] if targa else formats.accepted())
    except UnidentifiedImageError as error:
        if entry is not None and entry.code == "TIFF":
            return None
        raise unidentified(data, entry, targa=targa) from error
    except (OSError, ValueError, SyntaxError) as error:
        require_readable(entry.code if entry else "", data, error)
        raise


def _open_with_pillow(picture: Image.Image, data: bytes, request: DecodeRequest, limits: DecodeLimits) -> Opened:
    kind = formats.common_name(picture.format)
    cost.require_sensible(picture.size, _bits_per_pixel(picture), len(data), limits)
    if kind == "TIFF" and not _leave_thumbnail(picture, data):
        return _finished(Opened(deep_tiff.decode(data, limits), "TIFF", (0, 0)), data, request)
    if kind == "PSD":
        _require_composite(picture)
    full_wh = picture.size
    divisor, averaged = _plan(picture, kind, data, request)
    needed = cost.decoding_bytes(kind, picture.mode, full_wh, _divided(full_wh, divisor), averaged)
    cost.require_memory(needed + (cost.coefficient_bytes(data) if kind == "JPEG" else 0), limits)
    remark = None
    try:
        picture.load()
    except Exception as error:  # the one that says that the file ends too soon is about to be forgiven
        if kind == "TIFF" and (other := _through_tifffile(data, limits, error)) is not None:
            return _finished(Opened(other, "TIFF", (0, 0)), data, request)
        require_whole(kind, data, error)
        picture, remark = as_far_as_possible(data, kind, divisor)
    if kind == "ICO":  # what its directory says and the picture that it holds are two things
        full_wh = picture.size
        cost.require_sensible(full_wh, 32, len(data), limits)
    orientation = _orientation(picture, kind, data)
    opened = Opened(picture, kind, full_wh, divisor, averaged, orientation, remark=remark)
    opened.exif = metadata.exif_of(picture)
    return _finished(opened, data, request)


def _through_tifffile(data: bytes, limits: DecodeLimits, error: Exception) -> Image.Image | None:
    """Read with tifffile what libtiff could not (it lacks some compressions); None where that fails too."""
    if isinstance(error, MemoryError) or "truncated" in str(error):
        return None
    try:
        return deep_tiff.decode(data, limits)
    except RefusalError:
        return None


def _finished(opened: Opened, data: bytes, request: DecodeRequest) -> Opened:
    """Add what is the same for all: size, frames, digest."""
    if opened.full_wh == (0, 0):
        opened.full_wh = opened.picture.size
        opened.averaged = _averaged_exactly_if_asked(opened.picture.size, request)
        opened.exif = metadata.exif_from(data)
        opened.orientation = metadata.orientation(opened.exif)
    if request.preprocessing is not None and opened.digest is None:
        profile = opened.picture.info.get("icc_profile")
        opened.digest = digest.of_file(opened.kind, data, opened.orientation, profile)
        opened.digest = opened.digest or digest.of_picture(opened.kind, opened.picture, opened.orientation)
    opened.frames = _frames(data, opened)
    return opened


def _averaged_exactly_if_asked(size_wh: tuple[int, int], request: DecodeRequest) -> int:
    return averaged_by(size_wh, _least_factor(request, size_wh), exact=_wants_everything(request))


def _wants_everything(request: DecodeRequest) -> bool:
    return request.wants_pixels and request.preprocessing is None


def _least_factor(request: DecodeRequest, size_wh: tuple[int, int]) -> int:
    """The factor that is right whichever way up the picture turns out to be."""
    return min(factor_for(request, size_wh), factor_for(request, (size_wh[1], size_wh[0])))


def _plan(picture: Image.Image, kind: str, data: bytes, request: DecodeRequest) -> tuple[int, int]:
    """Choose by how much the decoder, and by how much averaging, divides the sides; tell the decoder."""
    factor = _least_factor(request, picture.size)
    full_wh, divisor = picture.size, 1
    if kind == "JPEG":
        divisor = draft_jpeg(picture, factor)
    elif kind == "JPEG2000" and averaged_by(full_wh, factor, exact=False) > 1:
        divisor = draft_jpeg2000(picture, factor, _wavelet_levels(data))
    left = max(1, factor // divisor)
    return divisor, averaged_by(_divided(full_wh, divisor), left, exact=_wants_everything(request))


def _divided(size_wh: tuple[int, int], divisor: int) -> tuple[int, int]:
    return -(-size_wh[0] // divisor), -(-size_wh[1] // divisor)


def _wavelet_levels(data: bytes) -> int:
    """How often the sides of a JPEG 2000 picture can be halved: from its COD marker, 0 where that is not found."""
    start = data.find(b"\xff\x4f\xff\x51")
    place = data.find(b"\xff\x52", start, start + 4096)
    return min(data[place + 9], 5) if start >= 0 and 0 <= place < len(data) - 9 else 0


def _bits_per_pixel(picture: Image.Image) -> int:
    if picture.mode in _BITS:
        return _BITS[picture.mode]
    return 8 * max(1, len(picture.getbands()))


def _leave_thumbnail(picture: Image.Image, data: bytes) -> bool:
    """Go to the first picture of a TIFF that is no reduced copy; False when only another reader finds it."""
    layout = tiff_layout.folders(data)
    if not layout or not layout[0].reduced or not any(not folder.reduced for folder in layout):
        return True
    for number in range(1, min(64, getattr(picture, "n_frames", 1))):
        picture.seek(number)
        if not int(getattr(picture, "tag_v2", {}).get(254, 0)) & 1:
            return True
    return False


def _require_composite(picture: Image.Image) -> None:
    for number, _, content in getattr(picture, "resources", []):
        if number == 0x0421 and len(content) > 4 and content[4] == 0:
            raise RefusalError("unsupported_format", _NO_COMPOSITE)


def _orientation(picture: Image.Image, kind: str, data: bytes) -> int:
    """How the picture is to be turned: as its container says, and where that is silent, as its EXIF says."""
    found = metadata.orientation(metadata.exif_of(picture))
    if kind == "HEIF":  # libheif has applied the container's turn, and pillow-heif has put EXIF's aside
        aside = picture.info.get("original_orientation")
        return 1 if boxes.turns_itself(data) or not isinstance(aside, int) or not 1 <= aside <= 8 else aside
    if kind == "AVIF" and not boxes.turns_itself(data):
        # Pillow answers with the container's turn, which is none, even where EXIF says how the camera was held.
        where = _EXIF_IN_AVIF.search(data) if boxes.find(data, b"meta", b"iinf") and b"Exif" in data else None
        return found if where is None else metadata.orientation(metadata.exif_from(data[where.start() :]))
    return found


def _frames(data: bytes, opened: Opened) -> int:
    """Count on a second look: counting walks through the file, and the decoded picture must not walk with it."""
    if opened.kind in _LAYERED or opened.kind not in Image.OPEN:
        return 1
    try:
        with Image.open(io.BytesIO(data), formats=formats.accepted()) as picture:
            return metadata.frames(picture)
    except UnidentifiedImageError:
        return 1


def _open_jpegxl(data: bytes, request: DecodeRequest, limits: DecodeLimits) -> Opened:
    header = jpegxl.read_header(data)
    cost.require_sensible(header.stored_wh, 8, len(data), limits)
    averaged = _averaged_exactly_if_asked(header.upright_wh, request)
    cost.require_memory(cost.decoding_bytes("JXL", "RGB", header.upright_wh, header.upright_wh, averaged), limits)
    picture = jpegxl.decode(data)
    exif = metadata.exif_from(jpegxl.exif(data))
    # libjxl has applied the codestream's orientation. EXIF's is a copy of it, but for writers that know only EXIF.
    orientation = metadata.orientation(exif) if header.orientation == 1 else 1
    opened = Opened(picture, "JXL", picture.size, 1, averaged, orientation, exif)
    if request.preprocessing is not None:
        opened.digest = digest.of_file("JXL", data, orientation, None)
    return _finished(opened, data, request)


def _open_raw(data: bytes, request: DecodeRequest, limits: DecodeLimits) -> Opened:
    developed = raw.develop(data, limits)
    exif = metadata.exif_from(raw.as_tiff(data))
    if developed.picture is not None:
        picture, orientation = developed.picture, developed.orientation
        seal = digest.of_picture("RAW", picture, orientation)
    else:
        picture = Image.open(io.BytesIO(developed.preview), formats=["JPEG"])
        draft_jpeg(picture, _least_factor(request, picture.size))
        picture.load()
        own = metadata.exif_of(picture)
        orientation = metadata.orientation(own) if own.get(0x0112) else developed.orientation
        exif = exif if len(exif) else own
        seal = digest.of_file("JPEG", developed.preview, orientation, None) or ""
    averaged = _averaged_exactly_if_asked(picture.size, request)
    opened = Opened(picture, "RAW", developed.full_wh, 1, averaged, orientation, exif)
    opened.digest = seal or None
    return opened
