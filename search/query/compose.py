"""What the stored boxes of some pictures say about a sentence: its things, their number, their relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.query.geometry import extent_fit, iou, place_fit, relation_fit
from search.query.sentences.meaning import Relation, Thing

MAX_REGIONS = 24
"""Boxes of one picture that take part: those that fit the things of the sentence best."""

SAME_BOX_IOU = 0.45
"""From this overlap on, two boxes of one thing are one box written twice."""

_COUNT_SPREAD = 0.45
"""Standard deviation of a count, in things: one too many or too few leaves 8 %."""

_HELD = 0.97
"""How well a phrase matches a thing whose words it all holds."""

_PARTLY = 0.5
"""How much of the way to the same text a phrase must lie further on that holds some words of a thing and not all: a
blue car is no red one, and a red cactus no red car."""

_SOFT = 0.06
"""Width of the step from no match to a match, in cosine."""


@dataclass(frozen=True, slots=True)
class Boxed:
    """Regions of some pictures.

    Attributes:
        picture: `(r,)` int64, position of its picture among those that are composed.
        region_ids: `(r,)` int64.
        boxes: `(r, 4)` float32, xyxy in [0, 1].
        fits: `(r, t)` float32 in [0, 1], how well each region's phrase is each thing; from `phrase_fit`.
        shares: `(r, t)` float32 in [0, 1], share of each thing's words that each region's phrase holds; 0 where it has
            no words beside them, and so says nothing else.
    """

    picture: NDArray[np.int64]
    region_ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    fits: NDArray[np.float32]
    shares: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Composition:
    """What boxes say, per picture; regions are rows of `Boxed`, -1 where there is none.

    Attributes:
        pictures: `(n,)` int64, which picture of `Boxed` each is.
        boxed: `(n,)` bool, whether the picture has any box at all; without one, nothing is said.
        things: `(n, t)` float32 in [0, 1], how well its best box shows each thing.
        missed: `(n, t)` float32 in [0, 1], how surely boxes that hold some of each thing's words show something else,
            whatever its place and size; 0 where none holds any.
        counted: `(n, t)` float32 in [0, 1], how well the number of its boxes is the number asked for; 1 where none is.
        relations: `(n, s)` float32 in [0, 1], how well its best pair of boxes shows each relation.
        best: `(n, t)` int64, the region that shows each thing best.
        pairs: `(n, s, 2)` int64, the regions that show each relation best.
    """

    pictures: NDArray[np.int64]
    boxed: NDArray[np.bool_]
    things: NDArray[np.float32]
    missed: NDArray[np.float32]
    counted: NDArray[np.float32]
    relations: NDArray[np.float32]
    best: NDArray[np.int64]
    pairs: NDArray[np.int64]

    def only(self, places: NDArray[np.int64]) -> Composition:
        """The same for some of the pictures, in this order."""
        return Composition(
            pictures=self.pictures[places],
            boxed=self.boxed[places],
            things=self.things[places],
            missed=self.missed[places],
            counted=self.counted[places],
            relations=self.relations[places],
            best=self.best[places],
            pairs=self.pairs[places],
        )


def phrase_fit(
    cosines: NDArray[np.float32], middle: NDArray[np.float32], covered: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How well phrases are things.

    Args:
        cosines: `(r, t)`, of phrase and thing.
        middle: `(t,)`, the cosine at which a match is as likely as not.
        covered: `(r, t)` in [0, 1], share of the thing's words that the phrase holds.

    Returns:
        `(r, t)` float32 in [0, 1].
    """
    near = _logistic((cosines - middle) / _SOFT)
    # Some of the words and not all: it must mean the same all the more to be the thing.
    partly = _logistic((cosines - middle - _PARTLY * (1 - middle)) / _SOFT)
    whole = np.maximum(near, _HELD)
    fits: NDArray[np.float32] = np.where(covered >= 0.999, whole, np.where(covered > 0, partly, near))
    return fits.astype(np.float32)


def _logistic(value: NDArray[np.floating]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (1 / (1 + np.exp(-np.clip(value, -30, 30)))).astype(np.float32)
    return found


def compose(
    pictures: int, boxed: Boxed, shown: int, things: Sequence[Thing], relations: Sequence[Relation]
) -> Composition:
    """Check things, numbers and relations on the boxes of some pictures.

    Args:
        pictures: how many there are.
        boxed: their regions.
        shown: how many columns of `boxed.fits` are looked for; those behind must not be there.
        things: what is known of the first columns; may be fewer.
        relations: between those.
    """
    fits = boxed.fits.copy()
    for column, thing in enumerate(things):
        if thing.place is not None:
            fits[:, column] *= place_fit(thing.place, boxed.boxes)
        if thing.extent is not None:
            fits[:, column] *= 0.5 + 0.5 * extent_fit(thing.extent, boxed.boxes)
    at = _padded(pictures, boxed.picture, fits)
    real = at >= 0
    strengths = np.where(real[..., None], fits[at], 0).astype(np.float32)  # (n, R, t)
    boxes = boxed.boxes[at] if len(boxed.boxes) else np.zeros((*at.shape, 4), np.float32)
    columns = fits.shape[1]
    best_at = strengths.argmax(axis=1) if at.shape[1] else np.zeros((pictures, columns), np.int64)
    related, pairs = _relate(strengths, boxes, at, relations)
    return Composition(
        pictures=np.arange(pictures),
        boxed=np.bincount(boxed.picture, minlength=pictures)[:pictures] > 0,
        things=strengths.max(axis=1, initial=0),
        missed=_missed(pictures, boxed),
        counted=_count(strengths[:, :, :shown], boxes, things),
        relations=related,
        best=np.take_along_axis(at, best_at, axis=1) if at.shape[1] else np.full((pictures, columns), -1),
        pairs=pairs,
    )


def _missed(pictures: int, boxed: Boxed) -> NDArray[np.float32]:
    best, named = np.zeros((2, pictures, boxed.fits.shape[1]), np.float32)
    np.maximum.at(best, boxed.picture, boxed.fits)
    np.maximum.at(named, boxed.picture, boxed.shares)
    return np.where(named > 0, 1 - best, 0).astype(np.float32)


def _padded(pictures: int, picture: NDArray[np.int64], fits: NDArray[np.float32]) -> NDArray[np.int64]:
    """`(n, R)` int64: the rows of each picture's regions, the best fitting first; -1 behind the last."""
    if len(picture) == 0:
        return np.full((pictures, 0), -1, np.int64)
    order = np.lexsort((np.arange(len(picture)), -fits.max(axis=1, initial=0), picture))
    sorted_pictures = picture[order]
    starts = np.searchsorted(sorted_pictures, np.arange(pictures))
    place = np.arange(len(order)) - starts[sorted_pictures]
    kept = place < MAX_REGIONS
    at = np.full((pictures, int(min(place.max() + 1, MAX_REGIONS))), -1, np.int64)
    at[sorted_pictures[kept], place[kept]] = order[kept]
    return at


def _relate(
    strengths: NDArray[np.float32], boxes: NDArray[np.float32], at: NDArray[np.int64], relations: Sequence[Relation]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    pictures, size = at.shape
    shown = np.zeros((pictures, len(relations)), np.float32)
    pairs = np.full((pictures, len(relations), 2), -1, np.int64)
    if size == 0:
        return shown, pairs
    same = iou(boxes[:, :, None], boxes[:, None, :]) >= SAME_BOX_IOU
    for number, relation in enumerate(relations):
        fit = relation_fit(relation.name, boxes[:, :, None], boxes[:, None, :])
        both = strengths[:, :, relation.subject, None] * strengths[:, None, :, relation.object]
        # A thing has no relation to itself, however many captions have boxed it.
        value = np.where(same, 0, both * fit).reshape(pictures, -1)
        best = value.argmax(axis=1)
        shown[:, number] = np.take_along_axis(value, best[:, None], axis=1)[:, 0]
        pairs[:, number, 0] = np.take_along_axis(at, best[:, None] // size, axis=1)[:, 0]
        pairs[:, number, 1] = np.take_along_axis(at, best[:, None] % size, axis=1)[:, 0]
    return shown, pairs


def _count(strengths: NDArray[np.float32], boxes: NDArray[np.float32], things: Sequence[Thing]) -> NDArray[np.float32]:
    counted = np.ones((len(strengths), strengths.shape[2]), np.float32)
    for column, thing in enumerate(things):
        if thing.count is not None:
            found = merged_count(strengths[:, :, column], boxes)
            counted[:, column] = np.exp(-((found - thing.count) ** 2) / (2 * _COUNT_SPREAD**2))
    return counted


def merged_count(strengths: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """How many of a thing each picture shows, boxes of the same place counted once.

    Args:
        strengths: `(n, R)` in [0, 1], how well each box is the thing.
        boxes: `(n, R, 4)`.

    Returns:
        `(n,)` float32, the sum of the strengths of what is left.
    """
    order = np.argsort(-strengths, axis=1, kind="stable")
    ranked = np.take_along_axis(strengths, order, axis=1)
    placed = np.take_along_axis(boxes, order[..., None], axis=1)
    kept = ranked > 0.02
    for place in range(1, ranked.shape[1]):
        same = iou(placed[:, :place], placed[:, place, None]) >= SAME_BOX_IOU
        kept[:, place] &= ~(same & kept[:, :place]).any(axis=1)
    total: NDArray[np.float32] = np.where(kept, ranked, 0).sum(axis=1).astype(np.float32)
    return total
