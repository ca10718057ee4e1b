"""Why a picture is among the hits: the caption that says so and the boxes of the phrases that answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.schema import Caption, Region
from search.query.retrieve import Candidates
from search.results import Hit, MatchedCaption, MatchedRegion
from vision.types import Box

MAX_BOXES = 12
"""Boxes on one picture: more hide what they point at."""


def explain_hits(session: Session, hits: Sequence[Hit], candidates: Candidates) -> tuple[Hit, ...]:
    """Add to each hit its matching caption and regions, and no others."""
    if candidates.background is None or not hits:
        return tuple(hits)
    image_ids = [hit.image_id for hit in hits]
    regions = _matching_regions(session, image_ids, candidates)
    captions = _matching_captions(session, image_ids, candidates)
    return tuple(
        replace(hit, regions=tuple(regions.get(hit.image_id, [])[:MAX_BOXES]), caption=captions.get(hit.image_id))
        for hit in hits
    )


def _matching_regions(
    session: Session, image_ids: Sequence[int], candidates: Candidates
) -> dict[int, list[MatchedRegion]]:
    background = candidates.background
    assert background is not None  # explain_hits checked it
    texts = {text_id: match for text_id, match in candidates.texts.items() if match.explains(background)}
    if not texts:
        return {}
    found: dict[int, list[tuple[float, MatchedRegion]]] = defaultdict(list)
    query = select(Region).where(Region.image_id.in_(image_ids), Region.text_id.in_(texts))
    for region in session.scalars(query):
        match = texts[region.text_id]
        matched = MatchedRegion(
            region_id=region.id,
            phrase=match.body,
            box=Box(region.x0, region.y0, region.x1, region.y1),
            score=match.cosine,
            source=region.source,
        )
        found[region.image_id].append((match.strength, matched))
    return {image_id: _without_repeats(some) for image_id, some in found.items()}


def _without_repeats(regions: list[tuple[float, MatchedRegion]]) -> list[MatchedRegion]:
    """Strongest first; where several phrases share a box, the strongest of them speaks for it."""
    kept: dict[tuple[int, ...], MatchedRegion] = {}
    for _, region in sorted(regions, key=lambda entry: (-entry[0], entry[1].region_id)):
        kept.setdefault(tuple(round(value * 200) for value in region.box.as_xyxy()), region)
    return list(kept.values())


def _matching_captions(session: Session, image_ids: Sequence[int], candidates: Candidates) -> dict[int, MatchedCaption]:
    background = candidates.background
    assert background is not None  # explain_hits checked it
    texts = [text_id for text_id, match in candidates.texts.items() if match.explains(background)]
    best: dict[int, tuple[float, MatchedCaption]] = {}
    query = select(Caption.id, Caption.image_id, Caption.text_id).where(
        Caption.image_id.in_(image_ids), Caption.text_id.in_(texts)
    )
    for caption_id, image_id, text_id in session.execute(query):
        match = candidates.texts[text_id]
        if image_id not in best or match.strength > best[image_id][0]:
            best[image_id] = match.strength, MatchedCaption(caption_id, match.body, match.cosine)
    return {image_id: caption for image_id, (_, caption) in best.items()}
