"""Words that were read, found although a letter or two are wrong: by what is left when letters are left out.

Two words that differ by at most `n` insertions, losses, replacements and swaps share what is left of both when the
right `n` letters or fewer are left out of each (symmetric deletion, Garbe, 2012); so do their beginnings of one
length. A look-up is then a few dozen equal keys of an index on either database, however many words there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import ReadSpelling, ReadWord, Region, TextBody
from search.words.folding import UNSPACED
from search.words.terms import written

ONE_FROM = 4
TWO_FROM = 8
"""Letters of a word from which on one letter, or two, may be wrong."""

_BEGINNING = 7
"""Letters that are compared by their keys; the words that these find are then compared as a whole."""

_LINES_AT_ONCE = 2_000
_ALIKE_MOST = 5_000
"""Words of one look-up that are compared as a whole."""


def wrong_letters(word: str) -> int:
    """How many letters of a word that is looked for may be wrong."""
    return 2 if len(word) >= TWO_FROM else 1 if len(word) >= ONE_FROM else 0


def read_words(body: str) -> list[str]:
    """The words of a line as they are looked for; of scripts without blanks none, for these are found by pairs."""
    return [term.word for term in written(body) if not UNSPACED.search(term.word)]


def add_words(session: Session, bodies: Iterable[str]) -> None:
    """Make the words of some lines findable; those that are so already change nothing."""
    words = sorted({word for body in bodies for word in read_words(body)})
    known: set[str] = set()
    for some in chunks(words):
        known.update(session.scalars(select(ReadWord.word).where(ReadWord.word.in_(some))))
    fresh = [word for word in words if word not in known]
    if not fresh:
        return
    ids = session.scalars(
        insert(ReadWord).returning(ReadWord.id, sort_by_parameter_order=True), [{"word": word} for word in fresh]
    ).all()
    rows = [
        {"key": key, "word_id": word_id} for word, word_id in zip(fresh, ids, strict=True) for key in _keys_of(word)
    ]
    session.execute(insert(ReadSpelling), rows)


def remake_words(session: Session) -> None:
    """Make the words of all lines findable anew, from the lines alone."""
    session.execute(delete(ReadSpelling))
    session.execute(delete(ReadWord))
    read = select(Region.text_id).where(Region.is_read)
    bodies = list(session.scalars(select(TextBody.body).where(TextBody.id.in_(read))))
    for some in chunks(bodies, _LINES_AT_ONCE):
        add_words(session, some)


def words_alike(session: Session, wanted: Sequence[str]) -> dict[str, dict[str, int]]:
    """By each wanted word, folded, the words that were read and are it but for a few letters; how many these are.

    Words that begin as hundreds of others do are compared with the first 5,000 of these.
    """
    keys = {key: word for word in wanted for key in _variants(word, wrong_letters(word))}
    found: dict[str, dict[str, int]] = {word: {} for word in wanted}
    candidates: set[str] = set()
    for some in chunks(sorted({_digest(key) for key in keys})):
        query = select(ReadWord.word).join(ReadSpelling, ReadSpelling.word_id == ReadWord.id)
        near = query.where(ReadSpelling.key.in_(some)).distinct().order_by(ReadWord.word).limit(_ALIKE_MOST)
        candidates.update(session.scalars(near))
    for word in wanted:
        most = wrong_letters(word)
        for candidate in candidates:
            if abs(len(candidate) - len(word)) <= most and (wrong := distance(word, candidate, most)) <= most:
                found[word][candidate] = wrong
    return found


def words_unread(session: Session) -> list[int]:
    """Ids of words that no line holds any more."""
    used: set[str] = set()
    lines = select(TextBody.body).where(TextBody.id.in_(select(Region.text_id).where(Region.is_read)))
    for body in session.scalars(lines.execution_options(yield_per=5_000)):
        used.update(read_words(body))
    rows = session.execute(select(ReadWord.id, ReadWord.word).execution_options(yield_per=5_000))
    return [word_id for word_id, word in rows if word not in used]


def unfindable(session: Session, bodies: Mapping[int, str]) -> list[int]:
    """Which of some lines, by any number, have a word that is not among those that were read."""
    words = {word for body in bodies.values() for word in read_words(body)}
    known: set[str] = set()
    for some in chunks(sorted(words)):
        held = select(ReadWord.word).where(ReadWord.word.in_(some), ReadWord.id.in_(select(ReadSpelling.word_id)))
        known.update(session.scalars(held))
    return [number for number, body in bodies.items() if not known.issuperset(read_words(body))]


def distance(one: str, other: str, most: int) -> int:
    """Letters to insert, leave out, replace or swap with the next to make one word of the other.

    `most + 1` where it takes more (Damerau's distance, no letter changed twice).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    above, before = [0] * (len(other) + 1), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, second in enumerate(other, 1):
            least = min(before[column] + 1, line[-1] + 1, before[column - 1] + (letter != second))
            if row > 1 < column and letter == other[column - 2] and one[row - 2] == second:
                least = min(least, above[column - 2] + 1)
            line.append(least)
        if min(*line, *before) > most:
            return most + 1
        above, before = before, line
    return min(before[-1], most + 1)


def _keys_of(word: str) -> list[int]:
    """Keys of a word that was read: one that is looked for may be two letters longer and forgive two."""
    forgiving = max(wrong_letters(word + "x" * more) for more in range(3) if wrong_letters(word + "x" * more) >= more)
    return sorted({_digest(one) for one in _variants(word, forgiving)})


def _variants(word: str, wrong: int) -> set[str]:
    """The beginning of a word without any so many of its letters or fewer."""
    start = word[:_BEGINNING]
    return {
        "".join(letter for place, letter in enumerate(start) if place not in out)
        for count in range(min(wrong, len(start)) + 1)
        for out in combinations(range(len(start)), count)
    }


def _digest(variant: str) -> int:
    return int.from_bytes(hashlib.blake2b(variant.encode(), digest_size=8).digest(), "little", signed=True)
