"""What a camera writes into EXIF (CIPA DC-008), as cameras really write it."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image

from vision.carried.facts import EXIF, Carried, Gathering, as_number, one_line

_MAKE, _MODEL, _ORIENTATION, _RATING = 0x010F, 0x0110, 0x0112, 0x4746
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_EXPOSURE, _F_NUMBER, _ISO, _SHUTTER, _APERTURE = 0x829A, 0x829D, 0x8827, 0x9201, 0x9202
_LENS_MAKE, _LENS_MODEL, _LENS_NUMBERS, _FOCAL = 0xA433, 0xA434, 0xA432, 0x920A
_ISO_LONG = (0x8832, 0x8831, 0x8833)
"""RecommendedExposureIndex, StandardOutputSensitivity and ISOSpeed: what 16 bits could not hold."""

_DESCRIPTION, _XP_KEYWORDS = 0x010E, 0x9C9E
_XP_TEXTS = (0x9C9B, 0x9C9C, 0x9C9F)
"""XPTitle, XPComment, XPSubject: Windows Explorer."""

_BY_A_CAMERA = re.compile(
    r".{0,20}digital (still )?camera|sony dsc|dcim.*|exif_jpeg_picture|samsung|default|minolta dsc|dsc_?\d+|"
    r"processed with .{1,20}|(file written by|created with) .{1,40}|software: .{1,40}|"
    r"screenshot|[a-z]{2,4}_?\d{3,8}\.jpe?g|\W*",
    re.IGNORECASE | re.DOTALL,
)
"""What cameras and programs write as the description of every picture."""

_NORTH_REF, _NORTH, _EAST_REF, _EAST, _HEIGHT_REF, _HEIGHT = 1, 2, 3, 4, 5, 6
_UNKNOWN = frozenset({"", "----", "unknown", "none", "0", "n/a", "dt"})
_FIRMS = " corporation| company| co.,ltd.| co., ltd.| ltd.| inc.| optical| imaging| electronics| camera ag| digital"


def read_exif(exif: Image.Exif) -> Carried:
    """Read camera, lens, exposure, place and rating; what is damaged costs itself."""
    found = Gathering(EXIF)
    for read in (_camera, _exposure, _place, _words):
        try:
            read(exif, found)
        except Exception:  # noqa: S112  # hostile EXIF raises whatever it likes, at the latest when a value is used
            continue
    return found.done()


def camera_name(make: Any, model: Any) -> str:
    """One name of maker and model: `Canon EOS 90D`, `NIKON D850`, not the maker twice nor its legal form."""
    maker, name = _known(make), _known(model)
    for ending in _FIRMS.split("|"):
        if maker.lower().endswith(ending):
            maker = maker[: -len(ending)].rstrip(" ,.")
    if not name or not maker:
        return name or maker
    # `EASTMAN KODAK` and `KODAK DX4330` have a word in common, too.
    return name if name.lower().split()[0] in maker.lower().split() else f"{maker} {name}"


def _camera(exif: Image.Exif, found: Gathering) -> None:
    found.number("orientation", exif.get(_ORIENTATION))
    found.number("rating", exif.get(_RATING))
    found.word("camera", camera_name(exif.get(_MAKE), exif.get(_MODEL)))
    details = exif.get_ifd(_EXIF_IFD)
    lens = camera_name(details.get(_LENS_MAKE), details.get(_LENS_MODEL))
    found.word("lens", lens or _lens_in_numbers(details.get(_LENS_NUMBERS)))


def _words(exif: Image.Exif, found: Gathering) -> None:
    written = exif.get(_DESCRIPTION)
    text = _mended(written) if isinstance(written, str) else one_line(written, 5_000)
    if not _BY_A_CAMERA.fullmatch(text.strip("\0 ")):
        found.say(text)
    for tag in _XP_TEXTS:
        found.say(_wide(exif.get(tag)))
    found.keywords(_wide(exif.get(_XP_KEYWORDS)).split(";"))


def _mended(text: str) -> str:
    """EXIF knows ASCII; Pillow reads Latin-1, and most programs have written UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _wide(value: Any) -> str:
    """A text of Windows, which writes UTF-16."""
    if isinstance(value, tuple):
        value = bytes(value)
    return value[:20_000].decode("utf-16-le", "replace") if isinstance(value, bytes) else ""


def _lens_in_numbers(value: Any) -> str:
    """LensSpecification, `24-70mm f/2.8`, where no name is written."""
    if not isinstance(value, (tuple, list)) or len(value) != 4:
        return ""
    short, long, wide, _ = (as_number(one) for one in value)
    if not short or not long or not 0 < short <= long < 1e5:
        return ""
    focal = f"{short:g}mm" if short == long else f"{short:g}-{long:g}mm"
    return f"{focal} f/{wide:g}" if wide and 0.1 < wide < 1000 else focal


def _exposure(exif: Image.Exif, found: Gathering) -> None:
    details = exif.get_ifd(_EXIF_IFD)
    seconds, stop = as_number(details.get(_EXPOSURE)), as_number(details.get(_F_NUMBER))
    shutter, aperture = as_number(details.get(_SHUTTER)), as_number(details.get(_APERTURE))
    # APEX values stand in where the plain ones are missing.
    if not seconds and shutter is not None and abs(shutter) < 30:
        seconds = 2.0**-shutter
    if not stop and aperture is not None and 0 < aperture < 20:
        stop = 2.0 ** (aperture / 2)
    found.number("exposure", seconds)
    found.number("aperture", stop if details.get(_F_NUMBER) else stop and round(stop, 1))
    found.number("focal", details.get(_FOCAL))
    speed = details.get(_ISO)
    speed = as_number(speed[0] if isinstance(speed, (tuple, list)) and speed else speed)
    if speed is None or speed >= 65535:
        speed = next((more for tag in _ISO_LONG if (more := as_number(details.get(tag)))), speed)
    found.number("iso", speed)


def _place(exif: Image.Exif, found: Gathering) -> None:
    place = exif.get_ifd(_GPS_IFD)
    north, east = _degrees(place.get(_NORTH)), _degrees(place.get(_EAST))
    if north is None or east is None:
        return
    height = as_number(place.get(_HEIGHT))
    below = place.get(_HEIGHT_REF) in (1, b"\x01")
    found.place(
        -north if _letter(place.get(_NORTH_REF)) == "S" else north,
        -east if _letter(place.get(_EAST_REF)) == "W" else east,
        None if height is None else -height if below else height,
    )


def _degrees(value: Any) -> float | None:
    """Degrees, minutes and seconds as degrees; missing minutes or seconds are none."""
    if not isinstance(value, (tuple, list)) or not 1 <= len(value) <= 3:
        return None
    parts = [as_number(part) for part in value]
    if parts[0] is None or any(part is not None and part < 0 for part in parts):
        return None
    return sum(((part or 0.0) / float(60**step) for step, part in enumerate(parts)), 0.0)


def _letter(value: Any) -> str:
    return one_line(value, 2)[:1].upper()


def _known(value: Any) -> str:
    text = one_line(value, 100)
    return "" if text.lower() in _UNKNOWN else text
