"""Which function sketches which kind of thing."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

from storybook.drawing import animals, goods, people, places, vehicles
from storybook.drawing.sketch import Mark, Sketch
from storybook.world import THINGS

_SKETCHERS: dict[str, Callable[[Sketch], None]] = {
    name: getattr(room, name.replace("-", "_").replace(" ", "_"))
    for room, names in (
        (people, ("man", "woman", "boy", "girl")),
        (
            animals,
            ("dog", "cat", "horse", "cow", "sheep", "pig", "rabbit", "elephant", "duck", "snail", "bird", "butterfly"),
        ),
        (vehicles, ("car", "bus", "truck", "bicycle", "boat", "train", "aeroplane", "hot-air balloon")),
        (
            places,
            (
                "house",
                "castle",
                "lighthouse",
                "tent",
                "tree",
                "flower",
                "mushroom",
                "cactus",
                "sun",
                "moon",
                "star",
                "cloud",
            ),
        ),
        (goods, ("chair", "table", "lamp", "bed", "ball", "box", "basket", "umbrella", "cup", "kite")),
    )
    for name in names
}


@lru_cache(maxsize=256)
def sketch(kind: str, pose: int) -> tuple[Mark, ...]:
    """Return the marks of a kind in one of its poses; equal arguments give equal marks."""
    page = Sketch(THINGS[kind].aspect * 100.0, random.Random(f"pose:{kind}:{pose}"))
    _SKETCHERS[kind](page)
    return tuple(page.marks)
