"""Backdrops: sky, ground and distant shapes of each background; nothing in them looks like a nameable thing."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from storybook.drawing.palette import Rgb, mix

_Point = tuple[float, float]


class Backdrop:
    """A canvas in fractions of the side.

    Attributes:
        image: `grid × grid` RGB.
        horizon: the ground's far edge, fraction from the top.
        rng: the source of this backdrop's variation.
    """

    def __init__(self, grid: int, horizon: float, rng: random.Random) -> None:
        self.grid = grid
        self.horizon = horizon
        self.rng = rng
        self.image = Image.new("RGB", (grid, grid))
        self._pen = ImageDraw.Draw(self.image)

    def fade(self, top: Rgb, bottom: Rgb, start: float, end: float) -> None:
        """Fill the rows between two heights with a vertical gradient, and the rows below with its last colour."""
        y0, y1 = round(start * self.grid), round(end * self.grid)
        share = np.clip(np.arange(self.grid - y0) / max(1, y1 - y0 - 1), 0.0, 1.0)[:, None, None]
        strip = (np.array(top) * (1 - share) + np.array(bottom) * share).astype(np.uint8)
        self.image.paste(
            Image.fromarray(np.ascontiguousarray(np.broadcast_to(strip, (len(strip), self.grid, 3)))), (0, y0)
        )

    def poly(self, colour: Rgb, points: Sequence[_Point]) -> None:
        """Fill a polygon."""
        self._pen.polygon([v * self.grid for point in points for v in point], fill=colour)

    def oval(self, colour: Rgb, x: float, y: float, rx: float, ry: float) -> None:
        """Fill an ellipse."""
        g = self.grid
        self._pen.ellipse(((x - rx) * g, (y - ry) * g, (x + rx) * g, (y + ry) * g), fill=colour)

    def line(self, colour: Rgb, width: float, *points: _Point) -> None:
        """Draw a line."""
        self._pen.line(
            [v * self.grid for point in points for v in point], fill=colour, width=max(1, round(width * self.grid))
        )

    def ridge(self, colour: Rgb, base: float, rise: float, bumps: int, bottom: float = 1.0) -> None:
        """Fill hills that roll around the height `base`."""
        phase, tempo = self.rng.uniform(0, 6), self.rng.uniform(0.8, 1.2)
        xs = np.linspace(0, 1, 33)
        ys = base - rise * (
            0.5 + 0.35 * np.sin(phase + xs * bumps * 3.1 * tempo) + 0.15 * np.sin(phase * 2 + xs * bumps * 7.3)
        )
        self.poly(colour, [(0.0, bottom), *zip(xs.tolist(), ys.tolist(), strict=True), (1.0, bottom)])

    def flecks(self, colour: Rgb, count: int, start: float, end: float, size: float) -> None:
        """Scatter small flat ovals over a band, larger towards the viewer."""
        for _ in range(count):
            y = self.rng.uniform(start, end)
            scale = size * (0.4 + 0.9 * (y - start) / max(0.01, end - start)) * self.rng.uniform(0.6, 1.3)
            self.oval(colour, self.rng.random(), y, scale * 1.6, scale * 0.6)


def _beach(b: Backdrop) -> None:
    warm = b.rng.random() < 0.3
    b.fade((255, 206, 164) if warm else (146, 206, 240), (255, 238, 214) if warm else (222, 242, 250), 0, b.horizon)
    shore = b.horizon + b.rng.uniform(0.06, 0.14)
    b.fade((66, 150, 190), (132, 206, 214), b.horizon - 0.1, shore)
    for i in range(5):
        y = b.horizon - 0.08 + i * (shore - b.horizon + 0.08) / 5
        x = b.rng.random()
        b.line((170, 220, 230), 0.004, (x, y), (x + 0.16, y))
        b.line((170, 220, 230), 0.004, (x - 0.6, y + 0.01), (x - 0.5, y + 0.01))
    b.ridge((250, 246, 236), shore + 0.02, 0.03, 2)
    b.ridge((238, 216, 166), shore + 0.035, 0.03, 2)
    b.flecks((222, 196, 144), 26, shore + 0.06, 1.0, 0.008)
    b.flecks((250, 236, 220), 7, shore + 0.06, 1.0, 0.007)


def _forest(b: Backdrop) -> None:
    b.fade((198, 224, 190), (226, 238, 206), 0, b.horizon)
    for shade, count in (((152, 184, 148), 9), ((112, 146, 112), 6)):
        for _ in range(count):
            x, w = b.rng.random(), b.rng.uniform(0.012, 0.03)
            b.poly(shade, [(x - w, 0), (x + w, 0), (x + w * 1.3, b.horizon + 0.04), (x - w * 1.3, b.horizon + 0.04)])
    for _ in range(16):
        b.oval(
            b.rng.choice(((104, 148, 96), (88, 132, 84), (120, 160, 104))),
            b.rng.random(),
            b.rng.uniform(-0.06, 0.05),
            0.13,
            0.08,
        )
    b.ridge((118, 150, 92), b.horizon + 0.02, 0.06, 3)
    b.ridge((134, 160, 98), b.horizon + 0.12, 0.06, 2)
    b.flecks((112, 138, 78), 30, b.horizon + 0.1, 1.0, 0.01)
    b.flecks((176, 142, 88), 14, b.horizon + 0.1, 1.0, 0.007)


def _street(b: Backdrop) -> None:
    b.fade((190, 214, 232), (236, 236, 226), 0, b.horizon)
    x = -0.05
    while x < 1.0:
        width, top = b.rng.uniform(0.14, 0.26), b.horizon - b.rng.uniform(0.16, 0.42)
        wall = mix(
            b.rng.choice(((214, 186, 160), (190, 178, 190), (206, 196, 170), (182, 190, 196))), (236, 234, 228), 0.4
        )
        b.poly(wall, [(x, top), (x + width, top), (x + width, b.horizon + 0.02), (x, b.horizon + 0.02)])
        for row in range(int((b.horizon - top) / 0.08)):
            for column in range(max(1, int(width / 0.07))):
                wx, wy = x + 0.025 + column * 0.066, top + 0.025 + row * 0.08
                b.poly(
                    mix(wall, (96, 110, 140), 0.3), [(wx, wy), (wx + 0.03, wy), (wx + 0.03, wy + 0.04), (wx, wy + 0.04)]
                )
        x += width + 0.008
    b.fade((206, 200, 192), (214, 208, 198), b.horizon, 1.0)
    kerb = b.horizon + (1 - b.horizon) * 0.34
    b.fade((128, 130, 138), (108, 110, 120), kerb, 1.0)
    b.line((236, 232, 222), 0.012, (0, kerb), (1, kerb))
    shift = b.rng.uniform(-0.2, 0)
    for i in range(6):
        mid = kerb + (1 - kerb) * 0.5
        b.poly(
            (232, 228, 214),
            [
                (shift + i * 0.24, mid),
                (shift + i * 0.24 + 0.12, mid),
                (shift + i * 0.24 + 0.11, mid + 0.018),
                (shift + i * 0.24 - 0.01, mid + 0.018),
            ],
        )


def _room(b: Backdrop) -> None:
    wall = b.rng.choice(((232, 216, 192), (206, 220, 214), (222, 206, 214), (214, 218, 232), (236, 226, 186)))
    b.fade(wall, mix(wall, (150, 140, 140), 0.12), 0, b.horizon)
    paper = mix(wall, (255, 255, 255), 0.35)
    if b.rng.random() < 0.6:
        step = b.rng.uniform(0.06, 0.11)
        for i in range(int(1 / step) + 1):
            b.line(paper, step * 0.3, (i * step, 0), (i * step, b.horizon))
    else:
        for i in range(10):
            for j in range(7):
                b.oval(paper, i * 0.11 + (j % 2) * 0.055, j * 0.1 + 0.03, 0.012, 0.012)
    floor = b.rng.choice(((186, 142, 100), (168, 126, 92), (198, 164, 122)))
    b.fade(mix(floor, (60, 40, 40), 0.12), floor, b.horizon, 1.0)
    for i in range(-4, 15):
        b.line(mix(floor, (70, 46, 40), 0.25), 0.004, (0.5 + (i - 5) * 0.09, b.horizon), (0.5 + (i - 5) * 0.17, 1.0))
    b.poly(
        (246, 242, 234),
        [(0, b.horizon - 0.025), (1, b.horizon - 0.025), (1, b.horizon + 0.008), (0, b.horizon + 0.008)],
    )
    if b.rng.random() < 0.6:
        rug = b.rng.choice(((190, 120, 112), (116, 140, 160), (170, 156, 110)))
        x, y = b.rng.uniform(0.3, 0.7), (b.horizon + 1) / 2 + 0.05
        b.oval(mix(rug, (255, 250, 240), 0.4), x, y, 0.4, (1 - b.horizon) * 0.34)
        b.oval(rug, x, y, 0.36, (1 - b.horizon) * 0.29)


def _night(b: Backdrop) -> None:
    b.fade((36, 42, 92), (92, 92, 148), 0, b.horizon + 0.05)
    for _ in range(40):
        r = b.rng.uniform(0.001, 0.0035)
        b.oval((236, 232, 206), b.rng.random(), b.rng.random() * b.horizon * 0.9, r, r)
    b.ridge((64, 72, 116), b.horizon + 0.02, 0.16, 2)
    b.ridge((72, 92, 112), b.horizon + 0.05, 0.05, 2)
    b.ridge((84, 108, 116), b.horizon + 0.16, 0.06, 2)
    b.flecks((70, 92, 106), 24, b.horizon + 0.1, 1.0, 0.01)


def _snow(b: Backdrop) -> None:
    b.fade((176, 198, 220), (222, 232, 240), 0, b.horizon)
    b.ridge((200, 214, 228), b.horizon, 0.18, 2)
    b.ridge((224, 232, 240), b.horizon + 0.04, 0.05, 2)
    b.ridge((236, 241, 246), b.horizon + 0.16, 0.06, 2)
    b.flecks((212, 222, 234), 22, b.horizon + 0.08, 1.0, 0.012)
    for _ in range(46):
        r = b.rng.uniform(0.002, 0.006)
        b.oval((252, 252, 252), b.rng.random(), b.rng.random() * 0.95, r, r)


def _meadow(b: Backdrop) -> None:
    b.fade((150, 206, 238), (226, 242, 240), 0, b.horizon)
    b.ridge((172, 206, 164), b.horizon, 0.14, 2)
    b.ridge((156, 200, 124), b.horizon + 0.03, 0.05, 2)
    b.ridge((172, 212, 126), b.horizon + 0.15, 0.06, 2)
    b.flecks((146, 190, 104), 30, b.horizon + 0.06, 1.0, 0.01)
    for _ in range(20):
        y = b.rng.uniform(b.horizon + 0.08, 1.0)
        b.oval(b.rng.choice(((250, 248, 236), (250, 222, 120), (240, 190, 206))), b.rng.random(), y, 0.005, 0.005)


def _desert(b: Backdrop) -> None:
    b.fade((246, 214, 158), (252, 236, 204), 0, b.horizon)
    b.ridge((226, 178, 120), b.horizon, 0.13, 2)
    b.ridge((232, 190, 126), b.horizon + 0.05, 0.07, 1)
    b.ridge((240, 204, 142), b.horizon + 0.18, 0.08, 2)
    b.flecks((220, 178, 116), 26, b.horizon + 0.1, 1.0, 0.012)
    b.flecks((176, 140, 104), 9, b.horizon + 0.1, 1.0, 0.006)


def _mountains(b: Backdrop) -> None:
    b.fade((172, 204, 232), (236, 240, 238), 0, b.horizon)
    for shade, rise in (((164, 178, 200), 0.34), ((132, 150, 172), 0.24)):
        for i in range(4):
            x, w, top = (
                i * 0.32 + b.rng.uniform(-0.1, 0.1),
                b.rng.uniform(0.2, 0.3),
                b.horizon - rise * b.rng.uniform(0.6, 1.1),
            )
            b.poly(shade, [(x, top), (x + w * 1.12, b.horizon + 0.08), (x - w * 1.12, b.horizon + 0.08)])
            cap = 0.22
            foot = top + (b.horizon - top) * cap
            b.poly(
                (244, 247, 250),
                [
                    (x, top),
                    (x + w * cap, foot),
                    (x + w * 0.06, foot - 0.012),
                    (x - w * 0.05, foot + 0.012),
                    (x - w * cap, foot),
                ],
            )
    b.ridge((148, 176, 136), b.horizon + 0.05, 0.06, 2)
    b.ridge((164, 190, 142), b.horizon + 0.16, 0.05, 2)
    b.flecks((168, 168, 160), 18, b.horizon + 0.1, 1.0, 0.009)


def _harbour(b: Backdrop) -> None:
    b.fade((176, 206, 222), (238, 236, 222), 0, b.horizon)
    b.ridge((160, 182, 192), b.horizon - 0.09, 0.06, 2)
    quay = b.horizon + 0.07
    b.fade((84, 134, 166), (112, 166, 184), b.horizon - 0.1, quay)
    for i in range(9):
        y, x = b.horizon - 0.08 + i * 0.016, b.rng.random()
        b.line((166, 204, 214), 0.004, (x, y), (x + b.rng.uniform(0.05, 0.18), y))
    b.fade((188, 178, 164), (206, 196, 180), quay, 1.0)
    b.line((150, 140, 130), 0.016, (0, quay), (1, quay))
    for row in range(5):
        y = quay + (1 - quay) * (row / 5) ** 1.3 + 0.02
        b.line((172, 162, 150), 0.004, (0, y), (1, y))
        for i in range(8):
            x = i * 0.14 + (row % 2) * 0.07
            b.line((172, 162, 150), 0.004, (x, y), (x - 0.01 + i * 0.003, y + 0.06 + row * 0.012))


_PAINTERS: dict[str, Callable[[Backdrop], None]] = {
    "beach": _beach,
    "forest": _forest,
    "street": _street,
    "room": _room,
    "night": _night,
    "snow": _snow,
    "meadow": _meadow,
    "desert": _desert,
    "mountains": _mountains,
    "harbour": _harbour,
}


def paint_backdrop(background: str, grid: int, horizon: float, seed: str) -> Image.Image:
    """Return a `grid × grid` RGB backdrop; equal arguments give equal pixels."""
    backdrop = Backdrop(grid, horizon, random.Random(seed))
    _PAINTERS[background](backdrop)
    return backdrop.image
