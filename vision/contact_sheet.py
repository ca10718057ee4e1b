"""Pictures with words beneath them, one alone or many on a sheet; nothing is ever written onto a picture."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vision.errors import GeometryError
from vision.heat_colours import heat_colours
from vision.types import RgbImage

_PAPER, _INK, _SOFT = (255, 255, 255), (24, 24, 24), (96, 96, 96)
_LEAST_WIDTH_PX = 240
_LABEL_PX, _NOTE_PX, _BAR_PX, _MARGIN_PX = 20, 14, 6, 8
_STRIP_PX = _BAR_PX + _LABEL_PX + _NOTE_PX + 4 * _MARGIN_PX
_SHEET_PICTURE_PX = 320
_NO_CHARACTER = "\uffff"

# Pillow's own font knows ASCII alone; the others are found where the system keeps its fonts, on the systems named.
_FONTS = (
    *("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf"),  # Linux, Linux, macOS, Windows
    *("NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "PingFang.ttc", "msyh.ttc"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture and what stands beneath it.

    Attributes:
        picture: HWC uint8 RGB.
        label: a word or a phrase; cut where it does not fit.
        note: figures, in smaller letters.
        number: what the label is replaced by (`no. 3`) where no font of this machine has its letters.
    """

    picture: RgbImage
    label: str
    note: str
    number: int


def with_caption(panel: Panel) -> RgbImage:
    """The picture above a strip with the colours of heat, the label and the note.

    Returns:
        HWC uint8 RGB, at least 240 px wide; the picture's own pixels are at the top, in the middle, as they were.
    """
    height, width = panel.picture.shape[:2]
    sheet = Image.new("RGB", (max(width, _LEAST_WIDTH_PX), height + _STRIP_PX), _PAPER)
    sheet.paste(Image.fromarray(panel.picture), ((sheet.width - width) // 2, 0))
    across = sheet.width - 2 * _MARGIN_PX
    bar = Image.fromarray(heat_colours()[None]).resize((across, _BAR_PX), Image.Resampling.NEAREST)
    sheet.paste(bar, (_MARGIN_PX, height + _MARGIN_PX))
    pen = ImageDraw.Draw(sheet)
    top = height + _BAR_PX + 2 * _MARGIN_PX
    label, font = _written(panel, across)
    pen.text((_MARGIN_PX, top), label, _INK, font)
    small = _own_font(_NOTE_PX)
    pen.text((_MARGIN_PX, top + _LABEL_PX + _MARGIN_PX), _fitting(panel.note, small, across), _SOFT, small)
    return np.asarray(sheet)


def contact_sheet(panels: Sequence[Panel]) -> RgbImage:
    """All panels on one sheet, in reading order, their pictures shrunk to 320 px.

    Returns:
        HWC uint8 RGB; about as wide as high.

    Raises:
        GeometryError: there are no panels.
    """
    if not panels:
        raise GeometryError("a sheet needs at least one picture")
    tiles = [Image.fromarray(with_caption(_shrunk(panel))) for panel in panels]
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    columns = min(len(tiles), max(1, round(math.sqrt(len(tiles) * height / width))))
    rows = math.ceil(len(tiles) / columns)
    sheet = Image.new(
        "RGB", (columns * (width + _MARGIN_PX) + _MARGIN_PX, rows * (height + _MARGIN_PX) + _MARGIN_PX), _PAPER
    )
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        sheet.paste(tile, (_MARGIN_PX + column * (width + _MARGIN_PX), _MARGIN_PX + row * (height + _MARGIN_PX)))
    return np.asarray(sheet)


def _shrunk(panel: Panel) -> Panel:
    picture = Image.fromarray(panel.picture)
    picture.thumbnail((_SHEET_PICTURE_PX, _SHEET_PICTURE_PX), Image.Resampling.LANCZOS)
    return Panel(np.asarray(picture), panel.label, panel.note, panel.number)


def _written(panel: Panel, width_px: int) -> tuple[str, ImageFont.FreeTypeFont]:
    for font in _fonts():
        if all(_has(font, letter) for letter in set(panel.label)):
            return _fitting(panel.label, font, width_px), font
    return f"no. {panel.number}", _fonts()[-1]


def _fitting(text: str, font: ImageFont.FreeTypeFont, width_px: int) -> str:
    if font.getlength(text) <= width_px:
        return text
    dots = "…" if _has(font, "…") else "..."
    while text and font.getlength(text + dots) > width_px:
        text = text[:-1]
    return text.rstrip() + dots


@functools.cache
def _fonts() -> tuple[ImageFont.FreeTypeFont, ...]:
    """The fonts of this machine in the order to try them; Pillow's own last."""
    found = []
    for name in _FONTS:
        try:
            found.append(ImageFont.truetype(name, _LABEL_PX))
        except OSError:
            continue
    return (*found, _own_font(_LABEL_PX))


def _own_font(size_px: int) -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow."""
    own = ImageFont.load_default(size_px)
    assert isinstance(own, ImageFont.FreeTypeFont)  # asked for with a size
    return own


@functools.lru_cache(maxsize=4096)
def _has(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    """Whether a font can draw a letter: what it lacks looks like that which is no character at all."""
    drawn, missing = font.getmask(letter), font.getmask(_NO_CHARACTER)
    return letter.isspace() or (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))
