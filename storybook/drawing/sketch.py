"""A sketch: the filled shapes and strokes of one thing in its own frame, before any pixel exists."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
"""`(n, 2)` float64, x right and y down, in the sketch's units: 100 units are the sketch's height."""
Paint: TypeAlias = str | tuple[int, int, int]
"""A palette name (`main`, `dark`, `light`, `ink` …) or a fixed RGB colour in [0, 255]."""

_TURNS = np.linspace(0.0, 2.0 * math.pi, 32, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1)
_FINE = np.linspace(0.0, 2.0 * math.pi, 12, endpoint=False)
_SMALL_CIRCLE = np.stack([np.cos(_FINE), np.sin(_FINE)], axis=1)
_STEPS = np.linspace(0.0, 1.0, 6, endpoint=False)[:, None]
# Catmull-Rom: the cubic through the two middle points of every four.
_CATMULL = (
    0.5
    * np.concatenate([np.ones_like(_STEPS), _STEPS, _STEPS**2, _STEPS**3], axis=1)
    @ np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], dtype=np.float64)
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One primitive: a filled polygon, or a stroke when `width` is positive.

    Attributes:
        points: `(n, 2)` corner points in sketch units.
        paint: what it is painted with.
        width: stroke width in sketch units; 0 fills the polygon.
        edged: whether styles that draw outlines outline it.
        front: drawn after the things that stand inside this one.
    """

    points: Points
    paint: Paint
    width: float
    edged: bool
    front: bool


def smooth(points: Points, *, closed: bool) -> Points:
    """Return a Catmull-Rom curve through `points` `(n, 2)`, six samples per piece."""
    if closed:
        before, after, later = (np.roll(points, shift, axis=0) for shift in (1, -1, -2))
        pieces = np.stack([before, points, after, later], axis=1)
        return np.asarray(np.einsum("kf,nfd->nkd", _CATMULL, pieces).reshape(-1, 2))
    padded = np.concatenate([points[:1], points, points[-1:]])
    pieces = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], axis=1)
    curve = np.einsum("kf,nfd->nkd", _CATMULL, pieces).reshape(-1, 2)
    return np.concatenate([curve, points[-1:]])


class Sketch:
    """Collects marks; `y = 100` is the ground and `x = width / 2` the middle.

    Attributes:
        width: the frame's width in units (its height is 100).
        rng: the source of this sketch's own variation.
        marks: what has been drawn, in painter's order.
    """

    def __init__(self, width: float, rng: random.Random) -> None:
        self.width = width
        self.rng = rng
        self.marks: list[Mark] = []
        self._front = False

    def vary(self, low: float, high: float) -> float:
        """Return a number in [low, high] from the sketch's own variation."""
        return self.rng.uniform(low, high)

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < probability

    def begin_front(self) -> None:
        """Draw everything after this call in front of the things that stand inside."""
        self._front = True

    def add(self, points: Points, paint: Paint, *, width: float = 0.0, edged: bool = True) -> None:
        """Append one mark."""
        self.marks.append(Mark(points, paint, width, edged, self._front))

    def poly(self, paint: Paint, *points: tuple[float, float], edged: bool = True) -> None:
        """Fill a polygon with straight sides."""
        self.add(np.array(points, dtype=np.float64), paint, edged=edged)

    def blob(self, paint: Paint, *points: tuple[float, float], edged: bool = True) -> None:
        """Fill a soft closed curve through the points."""
        self.add(smooth(np.array(points, dtype=np.float64), closed=True), paint, edged=edged)

    def oval(
        self,
        paint: Paint,
        middle: tuple[float, float],
        radii: tuple[float, float],
        turn: float = 0.0,
        edged: bool = True,
    ) -> None:
        """Fill an ellipse turned by `turn` radians."""
        circle = _CIRCLE if max(radii) > 5.0 else _SMALL_CIRCLE
        points = circle * radii
        if turn:
            cos, sin = math.cos(turn), math.sin(turn)
            points = points @ np.array([[cos, sin], [-sin, cos]])
        self.add(points + middle, paint, edged=edged)

    def disc(self, paint: Paint, x: float, y: float, radius: float, edged: bool = True) -> None:
        """Fill a circle."""
        self.oval(paint, (x, y), (radius, radius), edged=edged)

    def bar(
        self, paint: Paint, corners: tuple[float, float, float, float], rounding: float = 0.0, edged: bool = True
    ) -> None:
        """Fill a rectangle x0, y0, x1, y1 with rounded corners."""
        x0, y0, x1, y1 = corners
        if rounding <= 0.0:
            self.poly(paint, (x0, y0), (x1, y0), (x1, y1), (x0, y1), edged=edged)
            return
        radius = min(rounding, (x1 - x0) / 2, (y1 - y0) / 2)
        quarter = _CIRCLE[:9] * radius
        turned = quarter[:, ::-1]
        left, right, upper, lower = x0 + radius, x1 - radius, y0 + radius, y1 - radius
        parts = [
            np.add(quarter, (right, lower)),
            np.add(turned * (-1, 1), (left, lower)),
            np.subtract((left, upper), quarter),
            np.add(turned * (1, -1), (right, upper)),
        ]
        self.add(np.concatenate(parts), paint, edged=edged)

    def stroke(self, paint: Paint, width: float, *points: tuple[float, float], curved: bool = True) -> None:
        """Draw a line of the given width through the points."""
        path = np.array(points, dtype=np.float64)
        self.add(smooth(path, closed=False) if curved and len(points) > 2 else path, paint, width=width)

    def limb(self, paint: Paint, width: float, *points: tuple[float, float]) -> None:
        """Fill a tapering, round-ended limb along the points: an arm, a leg, a tail."""
        path = smooth(np.array(points, dtype=np.float64), closed=False)
        along = np.gradient(path, axis=0)
        normal = along[:, ::-1] * (-1, 1) / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
        half = np.linspace(width / 2, width * 0.4, len(path))[:, None]
        heading = math.atan2(along[-1, 1], along[-1, 0])
        turns = np.linspace(heading + math.pi / 2, heading - math.pi / 2, 7)[1:-1]
        cap = path[-1] + np.stack([np.cos(turns), np.sin(turns)], axis=1) * half[-1]
        self.add(np.concatenate([path + normal * half, cap, (path - normal * half)[::-1]]), paint)

    def eye(self, x: float, y: float, radius: float) -> None:
        """Draw an eye with a pupil and a glint."""
        self.disc("white", x, y, radius, edged=False)
        self.disc("ink", x + radius * 0.2, y + radius * 0.1, radius * 0.68, edged=False)
        self.disc("white", x + radius * 0.4, y - radius * 0.25, radius * 0.24, edged=False)

    def smile(self, x: float, y: float, half_width: float, line: float = 1.6) -> None:
        """Draw a smiling mouth."""
        w, low = half_width, half_width * 0.6
        self.stroke(
            "ink",
            line,
            (x - w, y),
            (x - w * 0.62, y + low * 0.66),
            (x, y + low),
            (x + w * 0.62, y + low * 0.66),
            (x + w, y),
        )

    def wheel(self, x: float, y: float, radius: float, hub: Paint = "metal") -> None:
        """Draw a wheel with a tyre and a hub."""
        self.disc("tyre", x, y, radius)
        self.disc(hub, x, y, radius * 0.52, edged=False)
        self.disc("tyre", x, y, radius * 0.16, edged=False)


def window_panes(sketch: Sketch, corners: tuple[float, float, float, float], line: float = 1.6) -> None:
    """Draw a window with a cross bar."""
    x0, y0, x1, y1 = corners
    sketch.bar("glass", corners, 1.5)
    sketch.stroke("white", line, ((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1))
    sketch.stroke("white", line, (x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2))


def ring(middle: tuple[float, float], radius: float, count: int, start: float = 0.0) -> Sequence[tuple[float, float]]:
    """Return `count` points evenly spaced on a circle."""
    return [
        (
            middle[0] + radius * math.cos(start + 2 * math.pi * i / count),
            middle[1] + radius * math.sin(start + 2 * math.pi * i / count),
        )
        for i in range(count)
    ]
