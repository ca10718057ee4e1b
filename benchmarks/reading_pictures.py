"""Pictures with known words in them: pages, screens and signs, drawn in the fonts that this machine has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Kind = Literal["page", "screen", "sign"]
KINDS: tuple[Kind, ...] = ("page", "screen", "sign")

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "C:/Windows/Fonts")
_WORDS = """harbour ticket window garden museum station kitchen bridge market theatre library platform entrance
breakfast umbrella mountain railway customer delivery invoice balance account payment total warning danger private
parking closed open sale fresh coffee bakery pharmacy hotel police hospital school church river island winter summer
autumn spring monday friday january october meeting project report summary chapter figure table result measure value
change update delete create search filter settings profile message folder picture download upload printer keyboard
straße größe frühstück bäckerei öffnung überholen café élève forêt château fenêtre niño señal jardín montaña corazón
vitesse sortie entrée gare marché ausgang eingang vorsicht bahnhof fahrplan salida entrada
cerrado abierto playa calle
""".split()
_GROUNDS = ((250, 250, 250), (20, 24, 32), (205, 60, 45), (240, 200, 60), (40, 90, 160), (235, 235, 220))


@dataclass(frozen=True, slots=True)
class DrawnWord:
    """A word and the box around it, normalised xyxy."""

    text: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture, HWC uint8 RGB, what kind it is, and every word on it."""

    kind: Kind
    pixels: NDArray[np.uint8]
    words: tuple[DrawnWord, ...]


def fonts() -> list[Path]:
    """Upright and slanted text fonts of this machine; those of signs and formulas are left out."""
    found = {path for folder in _FOLDERS for path in Path(folder).rglob("*.tt[fc]")}
    unwanted = ("math", "symbol", "emoji", "dings", "icon")
    return sorted(path for path in found if not any(one in path.name.lower() for one in unwanted))


def draw(kind: Kind, seed: int, faces: Sequence[Path], grounds: Sequence[NDArray[np.uint8]] = ()) -> DrawnPicture:
    """Draw one picture.

    Args:
        faces: fonts to choose from.
        grounds: photographs for signs to be drawn on; a plain or noisy ground where there is none.
    """
    rng = np.random.default_rng(seed)
    face = faces[int(rng.integers(len(faces)))]
    if kind == "sign":
        return _sign(rng, face, grounds)
    return _page(rng, face) if kind == "page" else _screen(rng, face)


def _words(rng: np.random.Generator, count: int) -> list[str]:
    chosen = []
    for _ in range(count):
        word = str(_WORDS[int(rng.integers(len(_WORDS)))])
        form = rng.random()
        if form < 0.1:
            word = str(int(rng.integers(10, 100_000)))
        elif form < 0.3:
            word = word.capitalize()
        elif form < 0.4:
            word = word.upper().replace("SS", "ß") if "ß" in word else word.upper()
        chosen.append(word)
    return chosen


def _page(rng: np.random.Generator, face: Path) -> DrawnPicture:
    size_px = int(rng.integers(13, 27))
    canvas = _Canvas((int(rng.integers(700, 1200)), int(rng.integers(700, 1400))), (252, 251, 247))
    font = ImageFont.truetype(str(face), size_px)
    y = 60
    while y < canvas.size[1] - 60 - size_px:
        canvas.write(_words(rng, 14), (60, y), font, (25, 25, 25), right=canvas.size[0] - 60)
        y += int(size_px * (1.5 if rng.random() < 0.8 else 3))
    return canvas.picture("page", turned=float(rng.uniform(-2, 2)))


def _screen(rng: np.random.Generator, face: Path) -> DrawnPicture:
    canvas = _Canvas(((1280, 720), (1920, 1080), (1080, 1920))[int(rng.integers(3))], (238, 240, 243))
    width, height = canvas.size
    for _ in range(int(rng.integers(4, 9))):
        ground = _GROUNDS[int(rng.integers(len(_GROUNDS)))]
        x, y = int(rng.integers(0, width - 300)), int(rng.integers(0, height - 120))
        if not canvas.panel(
            (x, y, min(x + int(rng.integers(240, 700)), width), y + int(rng.integers(50, 120))), ground
        ):
            continue
        font = ImageFont.truetype(str(face), int(rng.integers(13, 24)))
        ink = (15, 15, 15) if sum(ground) > 380 else (245, 245, 245)
        canvas.write(_words(rng, int(rng.integers(1, 6))), (x + 12, y + 12), font, ink, right=canvas.panels[-1][2] - 12)
    return canvas.picture("screen")


def _sign(rng: np.random.Generator, face: Path, grounds: Sequence[NDArray[np.uint8]]) -> DrawnPicture:
    if len(grounds):
        canvas = _Canvas((0, 0), (0, 0, 0), Image.fromarray(grounds[int(rng.integers(len(grounds)))]))
    else:
        canvas = _Canvas((640, 480), (110, 120, 110))
        noise = rng.normal(0, 40, (480, 640, 3)) + np.array([110, 120, 110])
        soft = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(3))
        canvas.image.paste(soft)
    width, height = canvas.size
    font = ImageFont.truetype(str(face), int(height * rng.uniform(0.04, 0.13)))
    ground = _GROUNDS[int(rng.integers(len(_GROUNDS)))]
    ink = (15, 15, 15) if sum(ground) > 380 else (245, 245, 245)
    said = _words(rng, int(rng.integers(1, 4)))
    wide = min(int(font.getlength(" ".join(said))) + 30, width)
    x, y = int(rng.integers(0, max(width - wide, 0) + 1)), int(rng.uniform(0.1, 0.75) * height)
    return canvas.sign(said, (x, y), wide, font, (ground, ink), float(rng.uniform(-25, 25)))


class _Canvas:
    """A picture that remembers where its words are."""

    def __init__(self, size: tuple[int, int], ground: tuple[int, int, int], image: Image.Image | None = None) -> None:
        self.image = Image.new("RGB", size, ground) if image is None else image.convert("RGB")
        self.size = self.image.size
        self.panels: list[tuple[int, int, int, int]] = []
        self._draw = ImageDraw.Draw(self.image)
        self._words: list[tuple[str, NDArray[np.float64]]] = []

    def panel(self, box: tuple[int, int, int, int], ground: tuple[int, int, int]) -> bool:
        """Draw a panel where none is yet."""
        if any(box[0] < one[2] and one[0] < box[2] and box[1] < one[3] and one[1] < box[3] for one in self.panels):
            return False
        self.panels.append(box)
        self._draw.rectangle(box, ground)
        return True

    def write(
        self,
        words: Sequence[str],
        at: tuple[int, int],
        font: ImageFont.FreeTypeFont,
        ink: tuple[int, int, int],
        *,
        right: int,
    ) -> None:
        """Write words in a row, as many as fit."""
        x, y = at
        for word in words:
            left, top, end, bottom = self._draw.textbbox((x, y), word, font=font)
            if end > right:
                return
            self._draw.text((x, y), word, font=font, fill=ink)
            self._words.append((word, np.array([[left, top], [end, top], [end, bottom], [left, bottom]], float)))
            x += int(font.getlength(word + " "))

    def sign(
        self,
        words: Sequence[str],
        at: tuple[int, int],
        wide: int,
        font: ImageFont.FreeTypeFont,
        colours: tuple[tuple[int, int, int], tuple[int, int, int]],
        degrees: float,
    ) -> DrawnPicture:
        """Put a board with words on the picture, turned about its middle."""
        high = int(font.size * 1.7)
        board = _Canvas((wide, high), colours[0])
        board.write(words, (12, int(font.size * 0.25)), font, colours[1], right=wide)
        mask = Image.new("L", board.size, 255).rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
        turned = board.image.rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
        self.image.paste(turned, at, mask)
        middle = np.array(at) + np.array(turned.size) / 2
        for word, corners in board._words:
            self._words.append((word, _turned(corners - np.array(board.size) / 2, degrees) + middle))
        return self.picture("sign")

    def picture(self, kind: Kind, turned: float = 0.0) -> DrawnPicture:
        """What was drawn, scanned at an angle of so many degrees."""
        words, image = self._words, self.image
        if turned:
            image = image.rotate(turned, resample=Image.Resampling.BICUBIC, fillcolor=(252, 251, 247))
            middle = np.array(self.size) / 2
            words = [(word, _turned(corners - middle, turned) + middle) for word, corners in words]
        found = []
        for word, corners in words:
            ends = np.concatenate([corners.min(axis=0), corners.max(axis=0)]) / np.array(self.size * 2)
            if ends.min() >= 0 and ends.max() <= 1:
                found.append(DrawnWord(word, (float(ends[0]), float(ends[1]), float(ends[2]), float(ends[3]))))
        return DrawnPicture(kind, np.array(image, np.uint8), tuple(found))


def _turned(points: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Points turned about the origin, anticlockwise as seen with y downwards, as Pillow turns pictures."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turned: NDArray[np.float64] = points @ np.array([[cosine, -sine], [sine, cosine]])
    return turned
