"""Cuts a sentence into pieces: the longest phrases of a table, and the words between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from search.query.sentences.table import Entry, Kind, Lexicon, folded

_TOKEN = re.compile(
    r"(?P<elided>\b(?:[cdjlmnst]|qu)['’](?=\w))"
    # A dot behind an initial ends no sentence: J.P.Morgan, U.S.A.
    r"|(?P<word>(?:\b[^\W\d_]\.(?=\w))*[^\W_]+(?:[-'’ʼ‑][^\W_]+)*)"
    r"|(?P<comma>[,、，;；&+])"
    r"|(?P<stop>[.:!?…。：！？()\[\]{}«»„“”\"/|—–\n])",
    re.IGNORECASE,
)
_IN_ING = re.compile(r"[a-z]{2,}ing$")
_NO_VERBS = frozenset(
    "building painting ceiling wedding clothing evening morning railing ring king wing string thing crossing awning"
    " swing sibling duckling icing pudding earring stocking spring sing bling kingfishing lightning offspring parking"
    " living dining frosting topping bedding seating clearing meeting landing opening sling lemming herring darling"
    " dumpling sapling gosling something anything nothing everything washing".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, folded, or a mark, and where it stands."""

    text: str
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A phrase of the table, a single other word, or a mark.

    Attributes:
        text: folded; for `word` only.
        value: what the table says of it.
    """

    kind: Kind
    value: str
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Words and marks of a text that is written with blanks."""
    found = []
    for match in _TOKEN.finditer(text):
        kind: Kind = "word"
        if match["comma"]:
            kind = "and" if match["comma"] in "&+" else "comma"
        elif match["stop"]:
            kind = "stop"
        found.append(Token(folded(match[0]), kind, match.start(), match.end()))
    return found


def pieces_of(tokens: list[Token], lexicon: Lexicon) -> list[Piece]:
    """Pieces in the order of the text; what opens a sentence and shows nothing is left out."""
    found: list[Piece] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        entry = _entry(tokens, place, lexicon, opening=not found) if token.kind == "word" else None
        if entry is None:
            found.append(_single(token, lexicon))
            place += 1
            continue
        last = tokens[place + len(entry.words) - 1]
        if entry.kind != "lead":
            text = " ".join(entry.words)
            found.append(Piece(entry.kind, entry.value, text, token.start, last.end))
        place += len(entry.words)
    return found


def _entry(tokens: list[Token], place: int, lexicon: Lexicon, *, opening: bool) -> Entry | None:
    """The longest phrase of the table that stands here."""
    for entry in lexicon.entries.get(tokens[place].text, ()):
        if entry.kind == "lead" and not opening:
            continue
        if all(
            place + step < len(tokens)
            and tokens[place + step].text == word
            and tokens[place + step].kind in ("word", "comma")
            for step, word in enumerate(entry.words)
        ):
            return entry
    return None


def _single(token: Token, lexicon: Lexicon) -> Piece:
    kind, value = token.kind, ""
    if kind == "word":
        if token.text.isdecimal() and len(token.text) <= 2:
            kind, value = "number", str(int(token.text))
        elif lexicon.table.code == "en" and _IN_ING.search(token.text) and token.text not in _NO_VERBS:
            kind = "verb"
    return Piece(kind, value, token.text, token.start, token.end)
