"""Content words of a text: folded, with the stems under which each is found."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from search.words.folding import UNSPACED, split, unaccented
from search.words.stems import stems
from search.words.stop import stops

WORD_MOST = 64
"""Characters of a word that are looked at; what goes on longer is compared by its beginning."""

_ELIDED = frozenset("c d j l m n s t qu jusqu lorsqu puisqu quelqu all dall dell nell quell sull un".split())
# Where the parts of a file name meet: IMG_2041, beachParty, HTMLReader, summer2024.
_NAME_PARTS = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_FOLDED_OFF = "的"
"""The particle that ties attribute and noun in Chinese; a pair of characters with it says nothing."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a text.

    Attributes:
        word: as it is compared: in lower case, without accents and apostrophes.
        keys: what it is found under: `word` first, then its distinct stems.
    """

    word: str
    keys: tuple[str, ...]


def terms(text: str, languages: Sequence[str] | None = None, *, indexed: bool = False) -> list[Term]:
    """Content words in order, repeats kept; a text of nothing but stop words keeps them.

    A run of a script without blanks gives its overlapping pairs of characters, a single character itself.

    Args:
        text: any string.
        languages: ISO 639-1 codes of the languages in which it may be written; None means unknown.
        indexed: whether this is a text that is looked through rather than asked for: then the characters of a script
            without blanks are keys as well, each once, so that one character alone finds its texts.
    """
    return _chosen(split(text), None if languages is None else tuple(languages), indexed)


def written(text: str) -> list[Term]:
    """Every word of a line of text, stop words too, as one that is looked through: signs say "no" and "to"."""
    return [term for word in split(text) for term, _ in _read(word, None, True)]


def content(text: str, languages: Sequence[str] | None = None) -> frozenset[str]:
    """The distinct content words of a text, folded."""
    return frozenset(term.word for term in terms(text, languages))


def name_terms(name: str, *, indexed: bool = True) -> list[Term]:
    """Words of the name of a file or folder, and the whole name without its suffix in one piece.

    A name is taken apart at everything that is no letter or digit, between letters and digits, and at a capital
    after a small letter.
    """
    stem = name.rpartition(".")[0] or name
    parts = [part for word in split(_at_capitals(name)) for part in _NAME_PARTS.sub(" ", word).split()]
    found = _chosen(parts, None, indexed)
    whole = "".join(split(stem)).replace("'", "")
    if not UNSPACED.search(whole):
        folded = unaccented(whole[:WORD_MOST])
        if folded and all(folded != term.word for term in found):
            found.append(Term(folded, (folded,)))
    return found


def _at_capitals(name: str) -> str:
    """Put a blank before every capital that follows a small letter, and before the last of several capitals."""
    pieces = []
    for place, char in enumerate(name):
        before = name[place - 1] if place else " "
        after = name[place + 1] if place + 1 < len(name) else " "
        if char.isupper() and (before.islower() or (before.isupper() and after.islower())):
            pieces.append(" ")
        pieces.append(char)
    return "".join(pieces)


def _chosen(words: Iterable[str], languages: tuple[str, ...] | None, indexed: bool) -> list[Term]:
    found = [read for word in words for read in _read(word, languages, indexed)]
    return [term for term, stopped in found if not stopped] or [term for term, _ in found]


def _read(word: str, languages: tuple[str, ...] | None, indexed: bool) -> tuple[tuple[Term, bool], ...]:
    if len(word) <= WORD_MOST:
        return _read_short(word, languages, indexed)
    # Not kept in the cache: what is this long is a run of characters without blanks, or no word.
    return _read_any(word, languages, indexed)


def _read_any(word: str, languages: tuple[str, ...] | None, indexed: bool) -> tuple[tuple[Term, bool], ...]:
    found: list[tuple[Term, bool]] = []
    end = 0
    for run in UNSPACED.finditer(word):
        found += _spaced(word[end : run.start()], languages)
        for piece in run[0].split(_FOLDED_OFF):
            found += ((term, False) for term in _pairs(piece, indexed))
        end = run.end()
    found += _spaced(word[end:], languages)
    return tuple(found)


_read_short = functools.lru_cache(maxsize=65_536)(_read_any)


def _pairs(run: str, indexed: bool) -> list[Term]:
    if len(run) <= 1:
        return [Term(run, (run,))] if run else []
    found = []
    for place in range(len(run) - 1):
        pair = run[place : place + 2]
        singles = (pair if place == 0 else pair[1]) if indexed else ""
        found.append(Term(pair, tuple(dict.fromkeys((pair, *singles)))))
    return found


def _spaced(word: str, languages: tuple[str, ...] | None) -> list[tuple[Term, bool]]:
    accented = _without_apostrophe(word[:WORD_MOST])
    folded = unaccented(accented)
    if not folded:
        return []
    if folded.isdecimal():
        keys = [folded, folded.lstrip("0")]
    else:
        forms = dict.fromkeys((accented, folded))
        keys = [folded, *(unaccented(stem) for form in forms for stem in stems(form, languages))]
    return [(Term(folded, tuple(key for key in dict.fromkeys(keys) if key)), folded in _stops(languages))]


_stops = functools.lru_cache(maxsize=256)(stops)


def _without_apostrophe(word: str) -> str:
    """`dog's` → dog, `d'arbre` → arbre, `м'яч` → мяч."""
    if "'" not in word:
        return word
    parts = [part for part in word.split("'") if part]
    if len(parts) > 1 and parts[-1] == "s":
        parts.pop()
    if len(parts) > 1 and parts[0] in _ELIDED:
        parts.pop(0)
    return "".join(parts)
