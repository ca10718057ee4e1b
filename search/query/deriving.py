"""Boxes for sure hits that no stored region explains, from the patches that the library keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.patches.boxes import derived_boxes
from search.query.asked import Ask
from search.query.closer import closer_columns, counts
from search.query.found import Branched
from search.query.geometry import relation_fit
from search.results import PATCHES, Hit, MatchedRegion, MatchedRelation
from search.snapshot import Snapshot
from vision.types import Box

STRONG = 0.5
"""Strength from which on a derived box is drawn: hardly any picture without the thing reaches it."""

SURE = 0.75
"""Likelihood of a hit from which on its boxes are derived: with `STRONG`, one wrong hit in twenty gets one."""

_HOLDS_FROM = 0.25
"""How well a relation must hold between derived boxes."""


def derive_boxes(snapshot: Snapshot, hits: Sequence[Hit], found: Branched) -> tuple[Hit, ...]:
    """The same hits, the surest without a box with those of their patches.

    A hit gets a box for each thing of the query or none: a box on half an answer points at nothing. Beyond the best
    that were looked at again there are none.

    Args:
        found: the branch by which these hits were found.
    """
    seen, columns = found.seen, pointed_columns(found.given.ask)
    bare = [hit for hit in hits if is_sure(hit) and not hit.regions]
    if seen is None or not bare or not columns:
        return tuple(hits)
    rows = snapshot.catalogue.rows_of_images(np.array([hit.image_id for hit in bare], np.int64))
    places = np.minimum(np.searchsorted(seen.rows, rows), len(seen.rows) - 1)
    strong = (seen.rows[places] == rows) & (seen.strengths[places][:, columns] >= STRONG).all(axis=1)
    chosen = [(hit, int(at)) for hit, at, there in zip(bare, places, strong, strict=True) if there]
    boxes = [_boxes(found, [at for _, at in chosen], column) for column in columns]
    derived = {
        hit.image_id: _explained(hit, [one[number] for one in boxes], seen.strengths[at, columns], found, columns)
        for number, (hit, at) in enumerate(chosen)
    }
    return tuple(derived.get(hit.image_id, hit) for hit in hits)


def is_sure(hit: Hit) -> bool:
    """Whether a hit is sure enough for boxes to be derived."""
    return hit.likely and hit.likelihood is not None and hit.likelihood >= SURE


def pointed_columns(ask: Ask) -> list[int]:
    """Texts that patches may point at; none where a number is asked for, for they cannot tell one thing from two that
    touch, nor where the sentence names more than its things.
    """
    return [] if counts(ask) or ask.names_more else closer_columns(ask)


def pointed_phrases(ask: Ask) -> tuple[str, ...]:
    """The same as texts."""
    return tuple(ask.texts[column] for column in pointed_columns(ask))


def _boxes(found: Branched, places: Sequence[int], column: int) -> list[Box | None]:
    assert found.seen is not None  # whoever asks has looked
    looks = [found.seen.looks[at] for at in places]
    return derived_boxes(looks, [found.seen.cosines[at][:, column] for at in places])


def _explained(
    hit: Hit, boxes: Sequence[Box | None], strengths: NDArray[np.float32], found: Branched, columns: Sequence[int]
) -> Hit:
    drawn = []
    for box, sure, column in zip(boxes, strengths, columns, strict=True):
        phrase = found.asked[column].text
        if box is not None:
            drawn.append(MatchedRegion(None, phrase, box, None, PATCHES, phrase, round(float(sure), 4)))
    if len(drawn) < len(columns):
        return hit
    relations: list[MatchedRelation] = []
    for relation in found.given.ask.relations:
        subject, other = (np.array(drawn[at].box.as_xyxy(), np.float32) for at in (relation.subject, relation.object))
        holds = float(relation_fit(relation.name, subject, other))
        if holds < _HOLDS_FROM:
            return hit
        weakest = min(drawn[relation.subject].strength, drawn[relation.object].strength)
        relations.append(MatchedRelation(relation.name, relation.subject, relation.object, round(holds * weakest, 4)))
    return replace(hit, regions=tuple(drawn), relations=tuple(relations))
