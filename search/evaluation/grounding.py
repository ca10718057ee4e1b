"""Is the box that was drawn for a phrase the right one? Recall@1 at an overlap of one half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.evaluation.questions import IOU_RIGHT
from search.evaluation.ranking import Figure, mean_by
from vision.geometry import iou
from vision.types import Box


@dataclass(frozen=True, slots=True)
class BoxAnswer:
    """The first box that was given for a phrase.

    Attributes:
        picture: a number of its own for each picture.
        given: None where nothing was pointed at, which is wrong.
        right: the boxes of the phrase, at least one.
    """

    picture: int
    given: Box | None
    right: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class BoxFigures:
    """Per cent of phrases whose box is right, bootstrap over pictures.

    Attributes:
        any_box: it overlaps one of the phrase's boxes by half (Li et al., 2019; Kamath et al., 2021).
        merged_box: it overlaps the rectangle around all of them by half (Plummer et al., 2015).
        pointed: a box was given at all.
    """

    any_box: Figure
    merged_box: Figure
    pointed: Figure


def box_figures(answers: Sequence[BoxAnswer]) -> BoxFigures:
    """Both protocols; they agree where every phrase has one box."""
    pictures = [one.picture for one in answers]
    overlaps = [[0.0] if one.given is None else [iou(one.given, box) for box in one.right] for one in answers]
    merged = [0.0 if one.given is None else iou(one.given, around(one.right)) for one in answers]
    return BoxFigures(
        any_box=mean_by([max(some) >= IOU_RIGHT for some in overlaps], pictures),
        merged_box=mean_by([one >= IOU_RIGHT for one in merged], pictures),
        pointed=mean_by([one.given is not None for one in answers], pictures),
    )


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of them."""
    return Box(
        min(box.x0 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.x1 for box in boxes),
        max(box.y1 for box in boxes),
    )
