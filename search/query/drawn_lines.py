"""Lines of text on a hit that hold what the query says: drawn beside the boxes of things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import Region, TextBody
from search.query.evidence import ALL_HELD, found_in
from search.query.found import Branched
from search.query.tree import Filter
from search.query.writing import Wanted, wanted_words, written_words, wrong_letters_in
from search.results import Hit, MatchedRegion
from search.snapshot import Snapshot
from search.words.terms import terms, written
from vision.types import Box

MOST_LINES = 12
"""Lines that are drawn on one hit: more hide what they point at."""

_MUCH = 0.5
"""Share of the weight of a sentence's words from which on a line that holds them is drawn."""

_LEAST_LETTERS = 2


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a picture, as it is stored."""

    region_id: int
    text_id: int
    body: str
    box: Box
    confidence: float
    source: str


def add_lines(session: Session, snapshot: Snapshot, hits: Sequence[Hit], found: Branched) -> tuple[Hit, ...]:
    """Add to each likely hit the lines of text that answer the query, best first.

    Args:
        found: the branch by which these hits were found.
    """
    likely = [hit for hit in hits if hit.likely]
    if found.given.plain or not likely or not snapshot.catalogue.has_lines:
        return tuple(hits)
    filtered = _filtered(session, found)
    if not found.asked and not filtered:
        return tuple(hits)
    explained: dict[int, Hit] = {}
    lines = _lines_of(session, [hit.image_id for hit in likely])
    for hit in likely:
        drawn = _answering(snapshot, found, filtered, lines.get(hit.image_id, ()))
        if drawn:
            explained[hit.image_id] = replace(hit, regions=(*hit.regions, *drawn))
    return tuple(explained.get(hit.image_id, hit) for hit in hits)


def _filtered(session: Session, found: Branched) -> dict[str, list[Wanted]]:
    """The words of each `text:` and of each quotation of a branch, by how it is typed."""
    branch = found.given.ask.branch
    asked = [one for one in branch.filters if isinstance(one, Filter) and one.name == "text"]
    quoted = {f'"{text}"': [Wanted(word, {word: 0}) for word in written_words(text)] for text in branch.exact}
    return quoted | {f"text:{one.value}": wanted_words(session, one.value) for one in asked}


def _lines_of(session: Session, image_ids: Sequence[int]) -> dict[int, list[_Line]]:
    """Lines of some pictures, in the order in which they were read."""
    columns = (Region.image_id, Region.id, Region.text_id, Region.score, Region.source)
    query = select(*columns, TextBody.body, Region.x0, Region.y0, Region.x1, Region.y1)
    query = query.join(TextBody, TextBody.id == Region.text_id).where(Region.is_read).order_by(Region.id)
    lines: dict[int, list[_Line]] = {}
    for some in chunks(image_ids):
        for image_id, region_id, text_id, score, source, body, *corners in session.execute(
            query.where(Region.image_id.in_(some))
        ):
            line = _Line(region_id, text_id, body, Box(*corners), 1.0 if score is None else score, source)
            lines.setdefault(image_id, []).append(line)
    return lines


def _answering(
    snapshot: Snapshot, found: Branched, filtered: Mapping[str, Sequence[Wanted]], lines: Sequence[_Line]
) -> list[MatchedRegion]:
    """Those of a picture's lines that answer, the surest first."""
    said = _said_by(snapshot, found, lines)
    answers: list[tuple[float, int, MatchedRegion]] = []
    for place, line in enumerate(lines):
        held = [(_share(line.body, wanted), typed) for typed, wanted in filtered.items()]
        share, typed = max([*held, said.get(line.text_id, (0.0, ""))], default=(0.0, ""))
        if share > 0:
            sure = round(share * line.confidence, 4)
            region = MatchedRegion(line.region_id, line.body, line.box, None, line.source, typed, sure, is_read=True)
            answers.append((-sure, place, region))
    return [region for _, _, region in sorted(answers, key=lambda one: one[:2])[:MOST_LINES]]


def _share(body: str, wanted: Sequence[Wanted]) -> float:
    """How much of `text:` a line holds, in [0, 1]: all of it, or its part where the words go on from line to line."""
    words = written_words(body)
    wrong = wrong_letters_in(words, wanted)
    if wrong is not None:
        return 1.0 - wrong / max(sum(len(one.word) for one in wanted), 1)
    if _is_run(words, wanted):
        return len(words) / len(wanted)
    ends = [count for count in range(1, len(wanted)) if wrong_letters_in(words[-count:], wanted[:count]) is not None]
    begins = [count for count in range(1, len(wanted)) if wrong_letters_in(words[:count], wanted[-count:]) is not None]
    return max([*ends, *begins], default=0) / len(wanted)


def _is_run(words: Sequence[str], wanted: Sequence[Wanted]) -> bool:
    """Whether a whole line stands within what is looked for."""
    starts = range(len(wanted) - len(words) + 1) if words else range(0)
    return any(wrong_letters_in(words, wanted[start : start + len(words)]) is not None for start in starts)


def _said_by(snapshot: Snapshot, found: Branched, lines: Sequence[_Line]) -> dict[int, tuple[float, str]]:
    """By text id, how much of the sentence or of a thing of it a line holds, and of which."""
    ask = found.given.ask
    if ask.main is None or not lines or not found.asked:
        return {}
    ids = np.unique(np.array([line.text_id for line in lines], np.int64))
    documents = snapshot.catalogue.rows_of_lines(ids)
    bodies = {line.text_id: line.body for line in lines}
    columns = list(dict.fromkeys([ask.main, *ask.things]))
    covered = np.stack([found_in(documents, found.asked[one].worded, found.asked[one].covered) for one in columns], 1)
    keys = {key for term in found.asked[ask.main].words for key in term.keys}
    said: dict[int, tuple[float, str]] = {}
    for text_id, shares in zip(ids.tolist(), covered.tolist(), strict=True):
        best = int(np.argmax(shares))
        whole = shares[best] >= ALL_HELD or shares[0] >= _MUCH or _is_within(bodies[text_id], keys)
        if shares[best] > 0 and whole:
            said[text_id] = (float(max(shares[best], _MUCH)), found.asked[columns[best]].text)
    return said


def _is_within(body: str, keys: set[str]) -> bool:
    """Whether every word of a line is a word of the query."""
    words = terms(body)
    letters = sum(len(term.word) for term in written(body))
    return letters >= _LEAST_LETTERS and all(keys.intersection(term.keys) for term in words)
