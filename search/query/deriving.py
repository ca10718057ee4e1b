"""Boxes for likely hits that no stored region explains, from the patches that the library keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from search.patches.boxes import BoxKey
from search.patches.kept import KeptPatches
from search.patches.scores import background_in, peak_of
from search.query.asked import Ask
from search.query.closer import closer_columns, counts
from search.query.found import Branched
from search.query.geometry import relation_fit
from search.results import PATCHES, Hit, MatchedRegion, MatchedRelation
from search.snapshot import Snapshot
from vision.looks import Looks

STRONG = 0.5
"""Strength from which on a derived box is drawn: hardly any picture without the thing reaches it."""

SURE = 0.75
"""Likelihood of a hit from which on its boxes are derived: with `STRONG`, one wrong hit in twenty gets one."""

_HOLDS_FROM = 0.25
"""How well a relation must hold between derived boxes."""


def derive_boxes(session: Session, snapshot: Snapshot, hits: Sequence[Hit], found: Branched) -> tuple[Hit, ...]:
    """The same hits, the surest without a box with those of their patches.

    A hit gets a box for each thing of the query or none: a box on half an answer points at nothing.

    Args:
        found: the branch by which these hits were found.
    """
    patches, columns = snapshot.patches, pointed_columns(found.given.ask)
    bare = [hit for hit in hits if is_sure(hit) and not hit.regions]
    if patches is None or not bare or not columns or not found.asked:
        return tuple(hits)
    if any(found.asked[column].blind for column in columns):
        return tuple(hits)
    kept = patches.read(session, snapshot.model, [hit.image_id for hit in bare])
    sample = patches.sample(session, snapshot.model, snapshot.catalogue)
    things = [_Wanted(sample, found, column) for column in columns]
    derived = {
        hit.image_id: _explained(hit, kept[hit.image_id], patches, snapshot.model.identity, things, found)
        for hit in bare
        if hit.image_id in kept
    }
    return tuple(derived.get(hit.image_id, hit) for hit in hits)


def is_sure(hit: Hit) -> bool:
    """Whether a hit is sure enough for boxes to be derived."""
    return hit.likely and hit.likelihood is not None and hit.likelihood >= SURE


def pointed_columns(ask: Ask) -> list[int]:
    """Texts that patches may point at; none where a number is asked for, for they cannot tell one thing from two that
    touch.
    """
    return [] if counts(ask) or ask.names_more else closer_columns(ask)


def pointed_phrases(ask: Ask) -> tuple[str, ...]:
    """The same as texts."""
    return tuple(ask.texts[column] for column in pointed_columns(ask))


class _Wanted:
    """One thing that is looked for."""

    def __init__(self, sample: Sequence[Looks], found: Branched, column: int) -> None:
        self.phrase = found.asked[column].text
        self.vector: NDArray[np.float32] = found.given.vectors[column]
        self.looks = min((len(looks.patches) for looks in sample), default=0)
        self.background = background_in(sample, self.vector)

    def region(self, hit: Hit, looks: Looks, patches: KeptPatches, model: str) -> MatchedRegion | None:
        """Where it is, where it is there."""
        if self.background is None:
            return None
        peak = peak_of(looks, self.vector, self.looks)
        strength = self.background.strength(peak)
        if strength < STRONG:
            return None
        box = patches.boxes.of(BoxKey(hit.sha256, model, len(looks.patches), self.phrase), looks, self.vector)
        if box is None:
            return None
        return MatchedRegion(None, self.phrase, box, round(peak, 4), PATCHES, self.phrase, round(strength, 4))


def _explained(
    hit: Hit, looks: Looks, patches: KeptPatches, model: str, things: Sequence[_Wanted], found: Branched
) -> Hit:
    regions = [thing.region(hit, looks, patches, model) for thing in things]
    drawn = tuple(region for region in regions if region is not None)
    if len(drawn) < len(things):
        return hit
    relations: list[MatchedRelation] = []
    for relation in found.given.ask.relations:
        boxes = np.array([drawn[at].box.as_xyxy() for at in (relation.subject, relation.object)], np.float32)
        holds = float(relation_fit(relation.name, boxes[0], boxes[1]))
        if holds < _HOLDS_FROM:
            return hit
        weakest = min(drawn[relation.subject].strength, drawn[relation.object].strength)
        relations.append(MatchedRelation(relation.name, relation.subject, relation.object, round(holds * weakest, 4)))
    return replace(hit, regions=drawn, relations=tuple(relations))
