"""How well boxes fit a relation, a place in the picture or an extent: soft, because no box is exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.query.sentences.meaning import Extent, Place, RelationName

Boxes = NDArray[Any]
"""`(..., 4)` float, xyxy in [0, 1], origin top left."""
Fit = NDArray[Any]
"""`(...)` float in [0, 1]."""

_SOFT = 0.03
"""Width of a soft edge, as a fraction of the picture: about what a captioner's boxes are off by."""


def iou(first: Boxes, second: Boxes) -> Fit:
    """Intersection over union of boxes, pair by pair."""
    inner = _inner(first, second)
    union = area(first) + area(second) - inner
    return np.where(union > 0, inner / np.maximum(union, 1e-9), 0).astype(np.float32)


def area(boxes: Boxes) -> Fit:
    """Share of the picture that each box takes."""
    found: Fit = np.maximum(boxes[..., 2] - boxes[..., 0], 0) * np.maximum(boxes[..., 3] - boxes[..., 1], 0)
    return found


def relation_fit(name: RelationName, subject: Boxes, other: Boxes) -> Fit:
    """How well the relation holds between two boxes, pair by pair.

    Args:
        name: `with` holds between any two.
        subject: what is described, `(..., 4)`.
        other: what it is related to, the same or a broadcastable shape.
    """
    return _RELATIONS[name](subject, other)


def place_fit(place: Place, boxes: Boxes) -> Fit:
    """How well boxes lie in a place of the picture."""
    return _PLACES[place](boxes)


def extent_fit(extent: Extent, boxes: Boxes) -> Fit:
    """How well boxes fit `small` or `large`: by the side of a square of their area."""
    side = np.sqrt(area(boxes))
    return _step(0.2 - side, 0.04) if extent == "small" else _step(side - 0.32, 0.05)


def _step(value: Fit, soft: float = _SOFT) -> Fit:
    """0 far below zero, 1 far above, a half at zero."""
    found: Fit = (1 / (1 + np.exp(-np.clip(value / soft, -30, 30)))).astype(np.float32)
    return found


def _inner(first: Boxes, second: Boxes) -> Fit:
    wide = _overlap(first, second, 0)
    tall = _overlap(first, second, 1)
    found: Fit = np.maximum(wide, 0) * np.maximum(tall, 0)
    return found


def _overlap(first: Boxes, second: Boxes, axis: int) -> Fit:
    """Of two boxes along an axis (0 across, 1 down); negative is the gap between them."""
    found: Fit = np.minimum(first[..., axis + 2], second[..., axis + 2]) - np.maximum(
        first[..., axis], second[..., axis]
    )
    return found


def _middle(boxes: Boxes, axis: int) -> Fit:
    found: Fit = (boxes[..., axis] + boxes[..., axis + 2]) / 2
    return found


def _least(first: Boxes, second: Boxes, axis: int) -> Fit:
    found: Fit = np.minimum(first[..., axis + 2] - first[..., axis], second[..., axis + 2] - second[..., axis])
    return found


def _apart(first: Boxes, second: Boxes, axis: int) -> Fit:
    """The first box lies before the second along this axis, rather than along the other one."""
    along = _middle(second, axis) - _middle(first, axis)
    aside = np.abs(_middle(second, 1 - axis) - _middle(first, 1 - axis))
    slack = 0.2 * _least(first, second, axis) - _overlap(first, second, axis)
    return _step(along - aside) * _step(slack + 0.02)


def _beside(first: Boxes, second: Boxes) -> Fit:
    level = _overlap(first, second, 1) - 0.5 * _least(first, second, 1)
    gap = -_overlap(first, second, 0)
    return _step(level + 0.02) * _step(0.1 - gap) * _step(gap + 0.2 * _least(first, second, 0) + 0.01)


def _before(first: Boxes, second: Boxes) -> Fit:
    """The first stands nearer: it hides some of the second, and its foot is lower."""
    hidden = _inner(first, second) / np.maximum(np.minimum(area(first), area(second)), 1e-6)
    inside = _inner(first, second) / np.maximum(area(first), 1e-6)
    foot = first[..., 3] - second[..., 3]
    return _step(hidden - 0.08, 0.03) * _step(foot + 0.005, 0.012) * (1 - 0.5 * _step(inside - 0.9, 0.03))


def _inside(first: Boxes, second: Boxes) -> Fit:
    held = _inner(first, second) / np.maximum(area(first), 1e-6)
    across = _overlap(first, second, 0) / np.maximum(first[..., 2] - first[..., 0], 1e-6)
    smaller = np.sqrt(area(second)) - np.sqrt(area(first))
    sunk = second[..., 3] - first[..., 3]
    return _step(held - 0.35, 0.08) * _step(across - 0.8, 0.06) * _step(smaller, 0.03) * _step(sunk + 0.01, 0.015)


def _on(first: Boxes, second: Boxes) -> Fit:
    """The foot of the first lies on the upper part of the second."""
    held = _overlap(first, second, 0) / np.maximum(_least(first, second, 0), 1e-6)
    foot = first[..., 3]
    reach = second[..., 1] + 0.6 * (second[..., 3] - second[..., 1])
    above = _middle(second, 1) - _middle(first, 1)
    return _step(held - 0.5, 0.1) * _step(foot - second[..., 1] + 0.03) * _step(reach - foot) * _step(above)


def _under(first: Boxes, second: Boxes) -> Fit:
    """Lower than the second, and below it rather than beside it; a person under an umbrella overlaps it."""
    held = _overlap(first, second, 0) / np.maximum(_least(first, second, 0), 1e-6)
    lower = _middle(first, 1) - _middle(second, 1)
    return _step(held - 0.3, 0.1) * _step(lower - 0.02)


def _near(first: Boxes, second: Boxes) -> Fit:
    across = np.maximum(-_overlap(first, second, 0), 0)
    down = np.maximum(-_overlap(first, second, 1), 0)
    return _step(0.12 - np.hypot(across, down), 0.04)


def _with(first: Boxes, second: Boxes) -> Fit:
    return np.ones(np.broadcast_shapes(first.shape, second.shape)[:-1], np.float32)


_RELATIONS: Mapping[RelationName, Callable[[Boxes, Boxes], Fit]] = {
    "left of": lambda first, second: _apart(first, second, 0),
    "right of": lambda first, second: _apart(second, first, 0),
    "above": lambda first, second: _apart(first, second, 1),
    "below": lambda first, second: np.maximum(_apart(second, first, 1), 0.8 * _under(first, second)),
    "next to": _beside,
    "in front of": _before,
    "behind": lambda first, second: _before(second, first),
    "inside": _inside,
    "on": _on,
    "under": lambda first, second: np.maximum(_under(first, second), _apart(second, first, 1)),
    "near": _near,
    "with": _with,
}

_PLACES: Mapping[Place, Callable[[Boxes], Fit]] = {
    "left": lambda boxes: _step(0.42 - _middle(boxes, 0), 0.05),
    "right": lambda boxes: _step(_middle(boxes, 0) - 0.58, 0.05),
    "top": lambda boxes: _step(0.42 - _middle(boxes, 1), 0.05),
    "bottom": lambda boxes: _step(_middle(boxes, 1) - 0.58, 0.05),
    "middle": lambda boxes: _step(0.2 - np.abs(_middle(boxes, 0) - 0.5), 0.04),
    "foreground": lambda boxes: _step(boxes[..., 3] - 0.8, 0.06) * _step(np.sqrt(area(boxes)) - 0.2, 0.05),
    "background": lambda boxes: _step(0.8 - boxes[..., 3], 0.06) * _step(0.35 - np.sqrt(area(boxes)), 0.05),
}
