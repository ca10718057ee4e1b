"""The grid of locations in which Kosmos-2 writes boxes: two cells, upper left and lower right, row by row."""

from __future__ import annotations

import math

from vision.types import Box

GRID = 32
"""Cells along one side; locations are numbered 0 to GRID² - 1 in rows from the upper left."""


def locations_of(box: Box) -> tuple[int, int]:
    """The cells that hold the upper left and the lower right corner of a box."""
    left, top = math.floor(box.x0 * GRID), math.floor(box.y0 * GRID)
    # An edge that lies on the line between two cells belongs to the one before it.
    right, bottom = math.ceil(box.x1 * GRID) - 1, math.ceil(box.y1 * GRID) - 1
    return top * GRID + left, max(top, bottom) * GRID + max(left, right)


def box_of(first: int, last: int) -> Box | None:
    """The box between two cells, None where the second lies above or left of the first.

    Corners are the middles of their cells; a box one cell wide or tall takes its cells whole, because between middles
    it would have no area. This is how the model's authors read their own boxes
    (microsoft/unilm, kosmos-2/demo/decode_string.py).
    """
    top, left = divmod(first, GRID)
    bottom, right = divmod(last, GRID)
    if right < left or bottom < top:
        return None
    if right == left or bottom == top:
        return Box(left / GRID, top / GRID, (right + 1) / GRID, (bottom + 1) / GRID)
    return Box((left + 0.5) / GRID, (top + 0.5) / GRID, (right + 0.5) / GRID, (bottom + 0.5) / GRID)
