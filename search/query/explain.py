"""Why a picture is among the hits: boxes that answer, relations that hold between them, the text that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Float, literal, null, select, union_all
from sqlalchemy.orm import Session

from search.ascending import is_member
from search.catalogue.catalogue import TEXT
from search.db.region_rows import regions_of_vectors
from search.db.schema import Caption, Region, TextBody
from search.db.told import told
from search.query.alike import best_boxes, of_boxes
from search.query.answer import boxed_columns
from search.query.compose import Composition
from search.query.evidence import ALL_HELD, found_in
from search.query.found import Branched
from search.results import Hit, MatchedCaption, MatchedRegion, MatchedRelation
from search.snapshot import Snapshot
from vision.types import Box

MAX_BOXES = 12
"""Boxes on one picture: more hide what they point at."""

DRAWN_FROM = 0.75
"""How well a phrase must be a thing of the query for its box to be drawn."""

_HOLDS_FROM = 0.25
"""How well a relation must hold for the two boxes to be shown as its answer."""


_COUNTED_FROM = 0.3
"""How well the number of things must fit."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is to be shown of one hit, before the rows are read: (region id, text it answers, strength), relations."""

    regions: tuple[tuple[int, str, float], ...]
    relations: tuple[tuple[str, int, int, float], ...]


@dataclass(frozen=True, slots=True)
class _Region:
    """A stored region: where it is, who said so, and its phrase."""

    box: Box
    source: str
    phrase: str


def explain_hits(session: Session, snapshot: Snapshot, hits: Sequence[Hit], found: Branched) -> tuple[Hit, ...]:
    """Add to each likely hit the boxes that answer the query, their relations and the text that says so.

    Args:
        found: the branch by which these hits were found.
    """
    likely = [hit for hit in hits if hit.likely]
    if not found.asked or not likely:
        return tuple(hits)
    row_of = dict(
        zip(snapshot.catalogue.rows_of_images(np.array([hit.image_id for hit in likely])).tolist(), likely, strict=True)
    )
    shown = _shown(found, list(row_of))
    wanted = [entry[0] for one in shown.values() for entry in one.regions]
    regions, captions = _written(session, wanted, _best_texts(snapshot, found, row_of))
    explained: dict[int, Hit] = {}
    for row, hit in row_of.items():
        drawn, relations = _drawn(shown.get(row), regions, found)
        explained[hit.image_id] = replace(hit, regions=drawn, relations=relations, caption=captions.get(hit.image_id))
    return tuple(explained.get(hit.image_id, hit) for hit in hits)


def add_alike(session: Session, snapshot: Snapshot, hits: Sequence[Hit], found: Branched) -> tuple[Hit, ...]:
    """Add to each likely hit the box that is more like a given box than the whole picture is.

    Args:
        found: the branch by which these hits were found.
    """
    given, likely = found.given, [hit for hit in hits if hit.likely]
    wanted = np.flatnonzero(of_boxes(given) & (given.weights > 0))
    if given.plain or len(wanted) == 0 or not likely:
        return tuple(hits)
    rows = snapshot.catalogue.rows_of_images(np.array([hit.image_id for hit in likely], np.int64))
    own = np.nan_to_num(snapshot.images.cosines(snapshot.catalogue.image_vectors[rows], given.likes[wanted]), nan=-1.0)
    cosines, vectors = best_boxes(session, snapshot, rows, given.likes[wanted])
    owners = regions_of_vectors(session, np.unique(vectors[vectors > 0]).tolist())
    regions, _ = _written(session, [region_id for _, region_id in owners.values()], {})
    explained: dict[int, Hit] = {}
    for at, hit in enumerate(likely):
        known = {region.region_id for region in hit.regions}
        alike: dict[int, MatchedRegion] = {}
        for column in np.flatnonzero(cosines[at] > own[at]).tolist():
            region_id = owners.get(int(vectors[at, column]), (0, 0))[1]
            if region_id in regions and region_id not in known and region_id not in alike:
                answers = f"region:{given.ask.branch.likes[wanted[column]].id}"
                alike[region_id] = _alike(region_id, regions[region_id], float(cosines[at, column]), answers)
        explained[hit.image_id] = replace(hit, regions=(*hit.regions, *alike.values()))
    return tuple(explained.get(hit.image_id, hit) for hit in hits)


def _alike(region_id: int, region: _Region, cosine: float, answers: str) -> MatchedRegion:
    sure = round(max(cosine, 0.0), 4)
    return MatchedRegion(region_id, region.phrase, region.box, round(cosine, 4), region.source, answers, sure)


def _shown(found: Branched, rows: Sequence[int]) -> dict[int, _Shown]:
    if found.composition is None or found.boxed is None:
        return {}
    composed = len(found.composition.boxed)
    place_of = {row: place for place, row in enumerate(found.ranked.rows[:composed].tolist())}
    return {row: _of_picture(found, place_of[row]) for row in rows if row in place_of}


def _of_picture(found: Branched, place: int) -> _Shown:
    composition, boxed, ask = found.composition, found.boxed, found.given.ask
    assert composition is not None  # _shown checked it
    assert boxed is not None
    columns = boxed_columns(ask)
    columns = columns[: len(columns) - len(ask.without)]
    if not _is_right(composition, place, len(columns)) or not _says_the_rest(found, place):
        return _Shown((), ())
    texts = [ask.texts[column] for column in columns]
    chosen: dict[int, tuple[int, str, float]] = {}
    relations: list[tuple[str, int, int, float]] = []
    for number, relation in enumerate(ask.relations if ask.things else ()):
        strength = float(composition.relations[place, number])
        pair = composition.pairs[place, number].tolist()
        if strength < _HOLDS_FROM or -1 in pair:
            continue
        for region, thing in zip(pair, (relation.subject, relation.object), strict=True):
            chosen.setdefault(region, (int(boxed.region_ids[region]), texts[thing], float(boxed.fits[region, thing])))
        relations.append((relation.name, pair[0], pair[1], strength))
    mine = np.flatnonzero(boxed.picture == composition.pictures[place])
    fits = boxed.fits[mine, : len(columns)]
    for at in np.argsort(-fits.max(axis=1), kind="stable").tolist() if fits.size else []:
        thing = int(fits[at].argmax())
        if fits[at, thing] >= DRAWN_FROM and not (relations and len(ask.things) > 1):
            region = int(mine[at])
            chosen.setdefault(region, (int(boxed.region_ids[region]), texts[thing], float(fits[at, thing])))
    order = {region: number for number, region in enumerate(chosen)}
    told = tuple((name, order[first], order[second], strength) for name, first, second, strength in relations)
    return _Shown(tuple(chosen.values()), told)


def _is_right(composition: Composition, place: int, things: int) -> bool:
    """Whether the boxes show all that was asked for: a box on half an answer points at nothing."""
    return bool(
        np.all(composition.things[place, :things] >= DRAWN_FROM)
        and np.all(composition.relations[place] >= _HOLDS_FROM)
        and np.all(composition.counted[place] >= _COUNTED_FROM)
        and np.all(composition.things[place, things:] < DRAWN_FROM)
    )


def _says_the_rest(found: Branched, place: int) -> bool:
    """Whether a text of the picture holds every word, where the sentence names more than things that have boxes."""
    ask = found.given.ask
    if ask.main is None or not ask.names_more:
        return True
    evidence, asked = found.evidence, found.asked[ask.main]
    at = int(np.searchsorted(evidence.rows, found.ranked.rows[place]))
    document = evidence.documents[at : at + 1, ask.main]
    return bool(found_in(document, asked.worded, asked.covered)[0] >= ALL_HELD)


def _written(
    session: Session, region_ids: Sequence[int], text_of: Mapping[int, int]
) -> tuple[dict[int, _Region], dict[int, MatchedCaption]]:
    """Regions by id, and of each picture the caption with this text, the oldest; by one statement.

    Args:
        text_of: text ids by picture.
    """
    boxes = (Region.x0, Region.y0, Region.x1, Region.y1)
    no_boxes = [null().cast(Float)] * len(boxes)
    region = select(literal(0), Region.id, Region.image_id, Region.text_id, Region.source, *boxes, TextBody.body)
    region = region.join(TextBody, TextBody.id == Region.text_id).where(Region.id.in_(region_ids), told(Region))
    caption = select(
        literal(1), Caption.id, Caption.image_id, Caption.text_id, Caption.source, *no_boxes, TextBody.body
    )
    caption = caption.join(TextBody, TextBody.id == Caption.text_id)
    caption = caption.where(
        Caption.image_id.in_(text_of.keys()), Caption.text_id.in_(set(text_of.values())), told(Caption)
    )
    if not region_ids and not text_of:
        return {}, {}
    rows = session.execute(union_all(region, caption) if region_ids and text_of else region if region_ids else caption)
    regions: dict[int, _Region] = {}
    captions: dict[int, MatchedCaption] = {}
    for is_caption, number, image_id, text_id, source, *corners, body in rows:
        if not is_caption:
            regions[number] = _Region(Box(*corners), source, body)
        elif text_of[image_id] == text_id and (image_id not in captions or number < captions[image_id].caption_id):
            captions[image_id] = MatchedCaption(number, body, None)
    return regions, captions


def _drawn(
    shown: _Shown | None, regions: Mapping[int, _Region], found: Branched
) -> tuple[tuple[MatchedRegion, ...], tuple[MatchedRelation, ...]]:
    """Boxes in the order of `shown`; where several share a place, the first of them speaks for it."""
    if shown is None:
        return (), ()
    kept: dict[tuple[int, ...], MatchedRegion] = {}
    place_of: dict[int, int] = {}
    for number, (region_id, answers, strength) in enumerate(shown.regions):
        if region_id not in regions:
            continue  # erased since the catalogue was made
        region = regions[region_id]
        rounded = tuple(round(value * 200) for value in region.box.as_xyxy())
        if rounded not in kept and len(kept) >= MAX_BOXES:
            continue
        matched = MatchedRegion(region_id, region.phrase, region.box, None, region.source, answers, round(strength, 4))
        kept.setdefault(rounded, matched)
        place_of[number] = list(kept).index(rounded)
    relations = tuple(
        MatchedRelation(name, place_of[first], place_of[second], round(strength, 4))
        for name, first, second, strength in shown.relations
        if first in place_of and second in place_of and place_of[first] != place_of[second]
    )
    return tuple(kept.values()), relations


def _best_texts(snapshot: Snapshot, found: Branched, row_of: Mapping[int, Hit]) -> dict[int, int]:
    """By picture, the id of the text that says most about it."""
    column = found.given.ask.main
    if column is None:
        return {}
    catalogue, evidence = snapshot.catalogue, found.evidence
    rows = np.array(list(row_of), np.int64)
    known = is_member(rows, evidence.rows)
    documents = evidence.documents[np.searchsorted(evidence.rows, rows[known]), column]
    return {
        row_of[row].image_id: int(catalogue.doc_id[document])
        for row, document in zip(rows[known].tolist(), documents.tolist(), strict=True)
        if document >= 0 and catalogue.doc_kind[document] == TEXT
    }
