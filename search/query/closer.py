"""Look again at the best candidates: their patches, where the library keeps them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sqlalchemy.orm import Session

from search.patches.scores import patch_scores, patch_units, peaks_of
from search.query.asked import Ask
from search.query.found import Branched, Seen
from search.query.rank import Ranked, of_things
from search.snapshot import Snapshot

CLOSER = 100
"""Best candidates that are looked at again."""

_ALONE = 3.0
_BESIDE_TEXTS = 2.0
"""What one standard deviation of a picture's patches is worth, in nats: where nothing is written about it, and where
something is, but a sentence names several things and no relation, so that boxes have the least to say."""


def see(session: Session, snapshot: Snapshot, found: Branched) -> Seen | None:
    """Look at the best; one statement. None where there is nothing to look at, or nothing to compare with.

    Args:
        found: with its ranking, best first.
    """
    rows = np.sort(found.ranked.rows[:CLOSER])
    if snapshot.patches is None or not len(found.given.vectors) or not len(rows):
        return None
    ids = snapshot.catalogue.images[rows].tolist()
    kept = snapshot.patches.read(session, snapshot.model, ids)
    units = patch_units(snapshot.patches.sample(session, snapshot.model, snapshot.catalogue), found.given.vectors)
    if units is None or not kept:
        return None
    here = [(row, kept[image]) for row, image in zip(rows, ids, strict=True) if image in kept]
    looks = tuple(one for _, one in here)
    cosines = tuple(one.cosines(found.given.vectors) for one in looks)
    peaks = peaks_of(looks, cosines, units.looks)
    shown, strengths = units.of(patch_scores(cosines)), units.strengths(peaks)
    blind = [number for number, one in enumerate(found.asked) if one.blind]
    shown[:, blind], strengths[:, blind] = 0, 0
    return Seen(np.array([row for row, _ in here], np.int64), looks, cosines, shown, strengths)


def closer_columns(ask: Ask) -> list[int]:
    """Texts whose patches count: the things of a sentence that names several, else its whole.

    None where it names one thing and more than that, such as a place, which no patch shows together.
    """
    if len(ask.things) > 1 or ask.main is None:
        return list(ask.things)
    return [] if ask.names_more else [ask.main]


def look_closer(found: Branched) -> Branched:
    """Let the patches of the best reorder them.

    Args:
        found: with its ranking, best first, and what was seen.
    """
    ask, ranked, evidence, seen = found.given.ask, found.ranked, found.evidence, found.seen
    columns = closer_columns(ask)
    if not columns or seen is None:
        return found
    at = np.searchsorted(evidence.rows, seen.rows)
    odds, silent = evidence.judged.total[at][:, columns], evidence.silent[at]
    beside = _BESIDE_TEXTS if len(columns) > 1 and not ask.relations and not counts(ask) else 0.0
    weight = np.where(silent, _ALONE, beside).astype(np.float32)[:, None]
    part = of_things(odds + weight * seen.units[:, columns]) - of_things(odds)
    for group in (silent, ~silent):
        if group.any():
            # What was not looked at gets what is usual: as a whole, no kind of picture rises or sinks.
            part[group] -= np.median(part[group])
    if not part.any():
        return found
    whole = np.zeros(len(ranked.rows), np.float32)
    places = np.argsort(ranked.rows)
    whole[places[np.searchsorted(ranked.rows, seen.rows, sorter=places)]] = part
    closer = Ranked(ranked.rows, ranked.parts | {"patches": whole}, ranked.relevance)
    return replace(found, ranked=closer.only(np.lexsort((closer.rows, -closer.total))))


def counts(ask: Ask) -> bool:
    """Whether the sentence asks for a number of things."""
    return any(thing.count is not None for thing in ask.shown)
