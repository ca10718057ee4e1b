"""Geometry of relations: when one thing is left of, above, inside or in front of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from storybook.world import RELATIONS, Relation, RelationName, Thing
from vision.types import Box

INVERSE: dict[RelationName, RelationName] = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
    "next to": "next to",
}
"""The relation that holds the other way round; `inside` and `in front of` have none."""

_COVERED_LEAST = 0.06
"""Share of a thing that must be hidden by another before that other stands in front of it."""


def _overlap(a0: float, a1: float, b0: float, b1: float) -> float:
    """Return the overlap of two intervals; negative is the gap between them."""
    return min(a1, b1) - max(a0, b0)


def _beside(first: Box, second: Box) -> bool:
    """Return True when `first` lies clearly to the left of `second`, and not rather above or below it."""
    across = (second.x0 + second.x1 - first.x0 - first.x1) / 2
    down = abs(second.y0 + second.y1 - first.y0 - first.y1) / 2
    narrow = min(first.x1 - first.x0, second.x1 - second.x0)
    return across > down and _overlap(first.x0, first.x1, second.x0, second.x1) <= 0.2 * narrow


def _over(first: Box, second: Box) -> bool:
    """Return True when `first` lies clearly above `second`, and not rather beside it."""
    down = (second.y0 + second.y1 - first.y0 - first.y1) / 2
    across = abs(second.x0 + second.x1 - first.x0 - first.x1) / 2
    low = min(first.y1 - first.y0, second.y1 - second.y0)
    return down > across and _overlap(first.y0, first.y1, second.y0, second.y1) <= 0.2 * low


def _near(first: Box, second: Box) -> bool:
    """Return True when two boxes stand side by side with at most a small gap."""
    low = min(first.y1 - first.y0, second.y1 - second.y0)
    narrow = min(first.x1 - first.x0, second.x1 - second.x0)
    gap = -_overlap(first.x0, first.x1, second.x0, second.x1)
    level = _overlap(first.y0, first.y1, second.y0, second.y1) >= 0.5 * low
    return level and -0.2 * narrow <= gap <= 0.09


_BY_BOXES: Mapping[RelationName, Callable[[Box, Box], bool]] = {
    "left of": _beside,
    "right of": lambda first, second: _beside(second, first),
    "above": _over,
    "below": lambda first, second: _over(second, first),
    "next to": _near,
}


def holds(
    name: RelationName, subject: int, other: int, things: Sequence[Thing], covered: Mapping[tuple[int, int], float]
) -> bool:
    """Return whether a relation holds.

    Args:
        name: the relation.
        subject: index of the thing that is described.
        other: index of the thing that it is related to.
        things: the scene's things, with their visible boxes.
        covered: (front, back) → the share of the back thing's pixels that the front thing hides, in [0, 1].
    """
    first, second = things[subject], things[other]
    if name == "inside":
        return first.container == other
    if other == first.container or subject == second.container:
        return False
    before = covered.get((subject, other), 0.0) >= _COVERED_LEAST
    if name == "in front of":
        return before
    behind = covered.get((other, subject), 0.0) >= _COVERED_LEAST
    if name == "next to" and (before or behind):
        return False
    return _BY_BOXES[name](first.box, second.box)


def find_relations(things: Sequence[Thing], covered: Mapping[tuple[int, int], float]) -> tuple[Relation, ...]:
    """Return every relation that holds, ordered by subject, object and name."""
    return tuple(
        Relation(subject, name, other)
        for subject in range(len(things))
        for other in range(len(things))
        if subject != other
        for name in RELATIONS
        if holds(name, subject, other, things, covered)
    )
