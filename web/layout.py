"""Geometry without inline styles: class names for aspect ratios and percentages, and the stylesheet that defines them.

The Content-Security-Policy forbids `style="…"`, and a justified gallery needs each picture's aspect ratio in CSS. So
ratios are rounded to steps of 1 % and percentages to whole numbers, and every possible value has a class in
`static/geometry.css`. `python -m web.layout` writes that file; a test holds it equal to `stylesheet()`.
"""

from __future__ import annotations

import math
from pathlib import Path

ASPECT_STEP = 0.01
"""Natural logarithm of the ratio between neighbouring classes: a picture is stretched by 0.5 % at most."""

ASPECT_LIMIT = 277
"""Steps on either side of square: from 1:16 to 16:1."""

HIGHLIGHTS = 64
"""Phrases of one picture that can be pointed at; further ones are drawn but do not light up."""

PIECES = 12
"""Pieces of a query that light up when they are pointed at."""

COLOURS = 7
"""Okabe and Ito's colours without black, `.c0` to `.c6` in the stylesheet."""

GEOMETRY_CSS = Path(__file__).parent / "static" / "geometry.css"


def aspect_class(width_px: int, height_px: int) -> str:
    """Name the class that gives an element this picture's aspect ratio in `--a`, rounded to 1 %."""
    steps = round(math.log(width_px / height_px) / ASPECT_STEP)
    return f"a{max(-ASPECT_LIMIT, min(ASPECT_LIMIT, steps))}"


def percent(fraction: float) -> int:
    """Round a fraction in [0, 1] to a whole percentage in [0, 100]."""
    return max(0, min(100, round(fraction * 100)))


def stylesheet() -> str:
    """Write out every class that `aspect_class` and the overlays can name, one rule per line."""
    rules = ["/* Written by `python -m web.layout`; edit that, not this. */"]
    rules += [f".a{n}{{--a:{math.exp(n * ASPECT_STEP):.4g}}}" for n in range(-ASPECT_LIMIT, ASPECT_LIMIT + 1)]
    for n in range(101):
        # A label that starts at 37 % may be 63 % wide: it ends at the picture's edge, with an ellipsis.
        rules.append(f".l{n}{{left:{n}%;max-width:{100 - n}%}}")
        rules.append(f".r{n}{{right:{n}%;max-width:{100 - n}%}}")
        rules.append(f".t{n}{{top:{n}%}}")
        rules.append(f".b{n}{{bottom:{n}%}}")
    for n in range(HIGHLIGHTS):
        pointed = f".p{n}:hover,.p{n}:focus-visible,.g{n}:hover,.g{n}:target"
        rules.append(f".viewer:has({pointed}) .g{n}{{--lit:1;--tag:1}}")
        rules.append(f".viewer:has(.g{n}:hover) .phrase.p{n}{{background-size:100% 100%;color:var(--on)}}")
        rules.append(f".viewer:has(#show-{n}:not(:checked)) .g{n}{{display:none}}")
    for n in range(1, PIECES + 1):
        # A piece of the query, its boxes on every picture and its mark beside a picture light up together.
        pointed = f":is(.word,.marks li).w{n}:is(:hover,:focus,:focus-within)"
        rules.append(f":is(.answered,.viewer):has({pointed}) :is(.box,.tag).w{n}{{--lit:1;--tag:1}}")
        rules.append(
            f".answered:has(.tile:is(:hover,:focus-within) .box.w{n}) .word.w{n}{{--full:100%;color:var(--on)}}"
        )
        rules.append(f".viewer:has(.box.w{n}:hover) .word.w{n}{{--full:100%;color:var(--on)}}")
    return "\n".join(rules) + "\n"


if __name__ == "__main__":
    GEOMETRY_CSS.write_text(stylesheet(), encoding="utf-8")
