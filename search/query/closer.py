"""Look again at the best candidates: their patches against the things of the sentence, where the library keeps them."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from search.patches.scores import patch_scores, patch_units
from search.query.asked import Ask
from search.query.found import Branched
from search.query.rank import Ranked, of_things
from search.snapshot import Snapshot

CLOSER = 100
"""Best candidates that are looked at again."""

_ALONE = 3.0
_BESIDE_TEXTS = 2.0
"""What one standard deviation of a picture's patches is worth, in nats: where nothing is written about it, and where
something is, but a sentence names several things and no relation, so that boxes have the least to say."""


def closer_columns(ask: Ask) -> list[int]:
    """Texts that patches are compared with: the things of a sentence that names several, else its whole.

    None where it names one thing and more than that, such as a place, which no patch shows together.
    """
    if len(ask.things) > 1 or ask.main is None:
        return list(ask.things)
    return [] if ask.names_more else [ask.main]


def look_closer(session: Session, snapshot: Snapshot, found: Branched) -> Ranked:
    """Let the patches of the best reorder them; one statement.

    Args:
        found: with its ranking, best first.
    """
    ask, ranked, evidence = found.given.ask, found.ranked, found.evidence
    columns = closer_columns(ask)
    vectors = found.given.vectors[columns]
    best = ranked.rows[:CLOSER]
    if snapshot.patches is None or not columns or len(best) == 0:
        return ranked
    ids = snapshot.catalogue.images[best].tolist()
    kept = snapshot.patches.read(session, snapshot.model, ids)
    sample = snapshot.patches.sample(session, snapshot.model, snapshot.catalogue)
    units = patch_units(sample, vectors)
    if units is None or not kept:
        return ranked
    at = np.searchsorted(evidence.rows, best)
    seen = np.array([image_id in kept for image_id in ids], bool)
    odds = evidence.judged.total[at][:, columns]
    silent = evidence.silent[at]
    shown = np.zeros(odds.shape, np.float32)
    shown[seen] = units.of(patch_scores([kept[image_id] for image_id in ids if image_id in kept], vectors))
    shown[:, [found.asked[column].blind for column in columns]] = 0
    beside = _BESIDE_TEXTS if len(columns) > 1 and not ask.relations and not counts(ask) else 0.0
    weight = np.where(silent, _ALONE, beside).astype(np.float32)[:, None]
    part = of_things(odds + weight * shown) - of_things(odds)
    for group in (silent & seen, ~silent & seen):
        if group.any():
            # What was not looked at gets what is usual: as a whole, no kind of picture rises or sinks.
            part[group] -= np.median(part[group])
    if not part[seen].any():
        return ranked
    whole = np.zeros(len(ranked.rows), np.float32)
    whole[: len(best)] = np.where(seen, part, 0)
    closer = Ranked(ranked.rows, ranked.parts | {"patches": whole}, ranked.relevance)
    return closer.only(np.lexsort((closer.rows, -closer.total)))


def counts(ask: Ask) -> bool:
    """Whether the sentence asks for a number of things."""
    return any(thing.count is not None for thing in ask.shown)
