"""Do the published indexes hold exactly the live vectors, as the segments have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import select

from search.checks.finding import VerifyReport
from search.db.schema import Generation, Model
from search.errors import CorruptionError
from search.library import Library
from search.vectors.generations import SegmentPlace, active_generation, answers_for
from search.vectors.index import VectorIndex, load_index
from search.vectors.live import KINDS, ids_digest, live_ids
from search.vectors.segment_reader import SegmentReader

VECTOR_TOLERANCE = 1e-3
"""Largest difference of one component between a segment and an index that stores float16."""


def check_generation(
    folder: Path, row: Generation, places: Sequence[SegmentPlace], report: VerifyReport, on_bytes: Callable[[int], None]
) -> None:
    """Check one generation's file; of an active one also what is inside.

    Args:
        folder: of the generation files.
        row: the generation.
        places: the segments of its model and kind.
        report: gets the findings.
        on_bytes: told of bytes that have been read.
    """
    report.checked["generations"] += 1
    try:
        index = load_index(folder / row.file_name, row.sha256)
    except FileNotFoundError:
        report.add("generation_missing", row.file_name, f"the index of {row.vectors} vectors is not there")
        return
    except CorruptionError as error:
        report.add("generation_checksum", row.file_name, error.args[0])
        return
    on_bytes(row.size_bytes)
    ids = np.sort(index.ids)
    if len(ids) != row.vectors or ids_digest(ids) != row.ids_sha256:
        report.add("generation_ids", row.file_name, f"holds {len(ids)} embeddings, other ones than its row says")
    elif row.active:
        _check_vectors(index, row.file_name, places, report)


def check_published(library: Library, report: VerifyReport) -> None:
    """Check that what can be found is what lives, for the model that answers; a little may lie beside its index."""
    with library.read() as session:
        model = session.scalar(select(Model).where(Model.active))
        if model is None:
            return
        for kind in KINDS:
            live = live_ids(session, model.id, kind)
            active = active_generation(session, model.id, kind)
            if not answers_for(active, live, model.dim):
                message = f"{len(live)} embeddings live; the active generation holds other ones"
                report.add("unpublished", f"{kind} vectors of {model.name}", message)


def _check_vectors(index: VectorIndex, name: str, places: Sequence[SegmentPlace], report: VerifyReport) -> None:
    """Compare each vector with the segments; damage in those has been told already."""
    order = np.argsort(index.ids)
    ids = index.ids[order]
    matched = np.zeros(len(ids), np.bool_)
    for place in places:
        try:
            reader = SegmentReader(place.path, place.facts)
        except CorruptionError:
            return
        damage: list[CorruptionError] = []
        try:
            for block in reader.scan(place.end, damage.append):
                at = np.minimum(np.searchsorted(ids, block.ids), max(len(ids) - 1, 0))
                inside = ids[at] == block.ids if len(ids) else np.zeros(len(block.ids), np.bool_)
                stored = index.vectors(order[at[inside]])
                same = np.all(np.abs(stored - block.vectors[inside]) <= VECTOR_TOLERANCE, axis=1)
                matched[at[inside][same]] = True
        finally:
            reader.close()
        if damage:
            return
    if not matched.all():
        wrong = ids[~matched]
        message = f"{len(wrong)} vectors differ from the segments, the first of embedding {wrong[0]}"
        report.add("generation_vectors", name, message)
