"""Measures where models look, on test scenes: the pointing game (Zhang et al., 2016) on maps of words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from storybook.drawing import Rendered, render
from storybook.evaluate_captioner import kinds_named
from storybook.language import captions, referring_expressions
from storybook.scenes import generate_scene
from storybook.world import Scene
from vision.encoders.base import Encoder
from vision.geometry import area
from vision.grounding.seeing import SeeingCaptioner
from vision.localize import heat_maps, peak
from vision.types import Box, Span

_DRAWN_PX = 512
_CAPTION_SEED = 0
_WHOLE = Box(0.0, 0.0, 1.0, 1.0)  # a captioner's picture is squashed, never cropped


def point_by_patches(encoder: Encoder, *, scenes: int = 200) -> dict[str, float]:
    """Play the pointing game with a dual encoder's heat maps.

    A point counts if the peak of the map of some words lies in the visible box of a thing that they name.

    Args:
        encoder: one that fulfils `LocatingEncoder`.
        scenes: test scenes.

    Returns:
        Per cent, each with its number of maps: `phrases` of the detailed English captions (a phrase for two dogs may
        point at either), `expressions` that single out a thing by its attributes, and `relations` that do so by another
        thing, which no patch knows; `relation_heads` are the words for the thing alone ("the dog" of "the dog left
        of the tree"). And `chance`, of a point anywhere, for the phrases.

    Raises:
        ModelError: the encoder has no patches in the space of its texts.
    """
    points: dict[str, list[bool]] = {"phrases": [], "expressions": [], "relations": [], "relation_heads": []}
    chances: list[float] = []
    for seed in range(scenes):
        scene = generate_scene(seed, "test", False)
        drawn = render(scene, _DRAWN_PX)
        asked = _asked(scene, drawn)
        maps = heat_maps(encoder, np.asarray(drawn.image), [text for _, text, _ in asked])
        for (kind, _, boxes), heat in zip(asked, maps.maps, strict=True):
            points[kind].append(_is_in(peak(heat, maps.covers), boxes))
        chances.extend(_covered(boxes) for kind, _, boxes in asked if kind == "phrases")
    figures = {"scenes": float(scenes), "chance": 100.0 * float(np.mean(chances))}
    for kind, hits in points.items():
        figures |= {kind: 100.0 * float(np.mean(hits)) if hits else float("nan"), f"{kind}_maps": float(len(hits))}
    return {name: round(value, 2) for name, value in figures.items()}


def point_by_attention(captioner: SeeingCaptioner, *, scenes: int = 200) -> dict[str, float]:
    """Play the pointing game with the attention of a captioner that describes the scenes in its own words.

    Args:
        captioner: what to measure; it writes brief English captions.
        scenes: test scenes.

    Returns:
        Per cent of the phrases it wrote whose map peaks in the box that it wrote behind them (`own_box`) and in the
        visible box of a thing of the kind that they name (`thing`; a phrase for what is not there misses); `phrases` is
        their number. And `chance`, of a point anywhere, for the boxes it wrote.
    """
    own: list[bool] = []
    true: list[bool] = []
    chances: list[float] = []
    for seed in range(scenes):
        drawn = render(generate_scene(seed, "test", False), _DRAWN_PX)
        explained = captioner.explain([np.asarray(drawn.image)])[0]
        boxes_of: dict[Span, list[Box]] = {}
        for region in explained.caption.regions:
            if region.span is not None:
                boxes_of.setdefault(region.span, []).append(region.box)
        for span, boxes in boxes_of.items():
            point = peak(explained.maps.heat_of(span), _WHOLE)
            named = kinds_named(explained.caption.text[span.start : span.end])
            own.append(_is_in(point, boxes))
            true.append(_is_in(point, [thing.box for thing in drawn.things if thing.kind in named]))
            chances.append(_covered(boxes))
    if not own:
        return {"scenes": float(scenes), "phrases": 0.0}
    shares: dict[str, Sequence[float]] = {"own_box": own, "thing": true, "chance": chances}
    figures = {name: round(100.0 * float(np.mean(values)), 2) for name, values in shares.items()}
    return {"scenes": float(scenes), "phrases": float(len(own)), **figures}


def _asked(scene: Scene, drawn: Rendered) -> list[tuple[str, str, list[Box]]]:
    """What kind of words, the words, and the visible boxes of what they name."""
    caption = captions(scene, drawn, "en", _CAPTION_SEED)[2]
    asked = [
        ("phrases", caption.text[span.start : span.end], [drawn.things[index].box for index in indexes])
        for span, indexes in caption.phrases
    ]
    for expression in referring_expressions(scene, "en"):
        text, boxes = expression.text, [drawn.things[expression.index].box]
        if expression.anchor is None:
            asked.append(("expressions", text, boxes))
            continue
        asked += [("relations", text, boxes), ("relation_heads", expression.head, boxes)]
    return asked


def _is_in(point_xy: tuple[float, float], boxes: Sequence[Box]) -> bool:
    x, y = point_xy
    return any(box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 for box in boxes)


def _covered(boxes: Sequence[Box]) -> float:
    """Share of the picture that some boxes cover; where they overlap, a little too much."""
    return min(1.0, sum(area(box) for box in boxes))
