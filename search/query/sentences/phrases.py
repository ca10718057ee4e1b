"""Reads one noun phrase out of the pieces of a sentence: where it ends, its noun, its number, its size."""

from __future__ import annotations

from dataclasses import dataclass, field

from search.query.sentences.meaning import Extent, Place, Thing
from search.query.sentences.pieces import Piece
from search.query.sentences.table import Lexicon
from search.words.terms import terms
from vision.types import Span

COUNTED_LEAST, COUNTED_MOST = 2, 10
_QUANTITIES = frozenset(
    "group crowd bunch herd flock row pack stack pile lot lots number gruppe menge herde schar reihe groupe troupeau"
    " foule grupo rebano multitud група зграя купа натовп".split()
)
"""What stands for the things behind its "of"."""


@dataclass(slots=True)
class Phrase:
    """A noun phrase while it is read.

    Attributes:
        start, end: where it stands.
        noun: first and last character of its noun.
        opened: whether an article or a number opens it.
        number: as written; 0 where none is.
        cuts: number words, which are not embedded.
        words: its words, folded, up to the first complement.
    """

    start: int
    end: int
    noun: tuple[int, int]
    opened: bool
    number: int = 0
    cuts: list[tuple[int, int]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    place: Place | None = None


class PhraseReader:
    """Reads noun phrases of one sentence."""

    def __init__(self, text: str, pieces: list[Piece], lexicon: Lexicon) -> None:
        self._text = text
        self._pieces = pieces
        self._lexicon = lexicon

    def read(self, at: int) -> tuple[Phrase, int] | None:
        """The phrase that begins at a piece, and the place of the piece behind it; None where none begins."""
        place = at
        number, cuts, opened = 0, [], False
        while self._is(place, "article", "number") or (place == at and self.opens(place)):
            piece = self._pieces[place]
            if piece.kind == "number":
                number = int(piece.value)
                cuts.append((piece.start, piece.end))
            opened = True
            place += 1
        words, place = self._words(place, doing=not opened and at > 0)
        if not words:
            return None
        noun = self._noun(words)
        phrase = Phrase(self._pieces[at].start, words[-1].end, noun, opened, number, cuts, [w.text for w in words])
        return phrase, self._complements(phrase, place)

    def opens(self, place: int) -> bool:
        """Whether a word that ties nouns is an article here: "des gens"."""
        return self._is(place, "of") and self._pieces[place].text in self._lexicon.articles

    def thing(self, phrase: Phrase) -> Thing:
        """The phrase as a thing."""
        code = self._lexicon.table.code
        head = self._text[slice(*phrase.noun)]
        count = phrase.number if COUNTED_LEAST <= phrase.number <= COUNTED_MOST else None
        if count and self._lexicon.plural and not self._lexicon.plural.search(head.casefold()):
            count = None
        text = self._text[phrase.start : phrase.end]
        if count or phrase.number == 1:
            for start, end in reversed(phrase.cuts):
                text = text[: start - phrase.start] + text[end - phrase.start :].lstrip()
        content = tuple(dict.fromkeys(term.word for term in terms(text, (code,))))
        extent: Extent | None = None
        for name, keys in self._lexicon.extents.items():
            if any(self._lexicon.is_among(word, keys) for word in phrase.words):
                extent = name
        return Thing(text, Span(phrase.start, phrase.end), head, content, count, phrase.place, extent)

    def is_scenery(self, phrase: Phrase) -> bool:
        """Whether the phrase is where a picture was taken and no thing in it."""
        return self._lexicon.is_among(self._text[slice(*phrase.noun)], self._lexicon.scenery)

    def is_container(self, phrase: Phrase) -> bool:
        """Whether things stand inside it."""
        return self._lexicon.is_among(self._text[slice(*phrase.noun)], self._lexicon.containers)

    def _is(self, place: int, *kinds: str) -> bool:
        return place < len(self._pieces) and self._pieces[place].kind in kinds

    def _words(self, place: int, *, joining: bool = True, doing: bool = False) -> tuple[list[Piece], int]:
        """A run of words; a verb belongs to it only before its noun, unless it is what the noun suffers; "and" only
        between colours."""
        words: list[Piece] = []
        while self._is(place, "word", "verb"):
            piece = self._pieces[place]
            if piece.kind == "verb" and (doing or words or not self._is(place + 1, "word") or " " in piece.text):
                break
            words.append(piece)
            place += 1
            if joining and self._is(place, "and") and self._is(place + 1, "word") and self._is_colour(piece):
                behind = self._pieces[place + 1]
                if self._is_colour(behind):
                    words.append(behind)
                    place += 2
        if words and words[-1].kind == "verb":
            return [], place
        return words, place

    def _complements(self, phrase: Phrase, place: int) -> int:
        """Take what is tied to the noun into the phrase: "of water", "en bois", "in red"."""
        while self._is(place, "of", "bare", "loosely"):
            tie = self._pieces[place]
            behind = place + 1
            while tie.kind != "bare" and self._is(behind, "article", "number"):
                behind += 1
            words, after = self._words(behind, joining=tie.kind != "loosely")
            if not words:
                break
            if tie.kind == "loosely":
                worn = words[-1].text if not self._lexicon.table.noun_first else words[0].text
                if tie.value != "inside" or not self._is_worn(worn):
                    break
            elif tie.kind == "of" and phrase.words[-1] in _QUANTITIES and len(phrase.words) <= COUNTED_LEAST:
                phrase.noun = self._noun(words)
            phrase.end = words[-1].end
            place = after
        return place

    def _noun(self, words: list[Piece]) -> tuple[int, int]:
        for first, word in enumerate(words):
            for key in self._lexicon.keys(word.text):
                for stems in self._lexicon.compounds.get(key, ()):
                    run = words[first : first + len(stems)]
                    if len(run) == len(stems) and all(
                        stem & self._lexicon.keys(one.text) for stem, one in zip(stems, run, strict=True)
                    ):
                        return run[0].start, run[-1].end
        if self._lexicon.table.noun_first:
            for word in words:
                if not self._lexicon.is_among(word.text, self._lexicon.before_noun):
                    return word.start, word.end
        return words[-1].start, words[-1].end

    def _is_colour(self, piece: Piece) -> bool:
        return self._lexicon.is_among(piece.text, self._lexicon.colours)

    def _is_worn(self, word: str) -> bool:
        return self._lexicon.is_among(word, self._lexicon.colours | self._lexicon.clothing)
