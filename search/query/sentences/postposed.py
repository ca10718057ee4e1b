"""Reads Chinese: no blanks, measure words, and relations behind their objects."""

from __future__ import annotations

from search.query.sentences.bits import SIZED_ALREADY, Bit, Cutter
from search.query.sentences.meaning import Extent, Place, Relation, RelationName, Sentence, Thing
from search.query.sentences.phrases import COUNTED_LEAST, COUNTED_MOST
from search.query.sentences.positive import without_spans
from search.query.sentences.table import Lexicon
from search.words.terms import terms
from vision.types import Span


def read_postposed(text: str, lexicon: Lexicon) -> Sentence:
    """Read a Chinese sentence."""
    return _Postposed(text, lexicon).sentence()


class _Postposed:
    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text = text
        self._table = lexicon.table
        cutter = Cutter(text, lexicon.table)
        self._bits = cutter.bits
        self._scenery = cutter.scenery

    def sentence(self) -> Sentence:
        nouns = [bit for bit in self._bits if bit.kind == "noun"]
        relations, dropped, denied, cuts = self._assemble()
        shown = [bit for bit in nouns if id(bit) not in dropped and id(bit) not in denied]
        for number, bit in enumerate(shown):
            bit.thing = number
        places = self._places(shown)
        found = [
            Relation(name, subject.thing, other.thing)
            for name, subject, other in relations
            if subject.thing >= 0 and other.thing >= 0 and subject is not other
        ]
        return Sentence(
            text=self._text,
            positive=without_spans(self._text, cuts),
            language="zh",
            things=tuple(self._thing(bit, places.get(id(bit))) for bit in shown),
            relations=tuple(found),
            without=tuple(self._thing(bit, None) for bit in nouns if id(bit) in denied),
        )

    def _assemble(
        self,
    ) -> tuple[list[tuple[RelationName, Bit, Bit]], set[int], set[int], list[tuple[int, int]]]:
        relations: list[tuple[RelationName, Bit, Bit]] = []
        dropped: set[int] = set()
        denied: set[int] = set()
        cuts: list[tuple[int, int]] = []
        for at, bit in enumerate(self._bits):
            if bit.kind == "no":
                self._deny(at, denied, cuts)
            if bit.kind == "at" and self._kind(at + 1) == "noun" and self._is_scenery(self._bits[at + 1]):
                dropped.add(id(self._bits[at + 1]))
            if bit.kind != "relation":
                continue
            back = at - 2 if self._kind(at - 1) == "of" else at - 1
            if self._kind(back) != "noun" or id(self._bits[back]) in denied:
                continue
            other = self._bits[back]
            if bit.value in ("on", "inside") and self._is_scenery(other):
                if (
                    self._kind(back - 1) == "at"
                    or self._kind(at + 1) in ("of", "has")
                    or self._kind(back - 1) == "noun"
                ):
                    dropped.add(id(other))
                continue
            subject = self._subject(back, at)
            if subject is not None and id(subject) not in denied:
                name: RelationName = bit.value  # type: ignore[assignment]  # the tables hold no other
                relations.append((name, subject, other))
        return relations, dropped, denied, cuts

    def _subject(self, other: int, relation: int) -> Bit | None:
        """Behind "…左边的" or "…左边有", or before "在…左边"."""
        after = relation + 1
        if self._kind(after) in ("of", "has"):
            after += self._kind(after + 1) == "has"
            if self._kind(after + 1) == "noun":
                return self._bits[after + 1]
        if self._kind(other - 1) == "at" and self._kind(other - 2) == "noun":
            return self._bits[other - 2]
        return None

    def _deny(self, at: int, denied: set[int], cuts: list[tuple[int, int]]) -> None:
        place = at + 1
        while self._kind(place) == "noun":
            bit = self._bits[place]
            denied.add(id(bit))
            end = bit.end
            if self._kind(place + 1) == "of" and self._kind(place + 2) == "noun":
                end = self._bits[place + 1].end
            start = self._bits[at].start
            if self._kind(at - 1) in ("comma", "and"):
                start = self._bits[at - 1].start
            cuts.append((start, end))
            if self._kind(place + 1) not in ("and", "or"):
                break
            place += 2

    def _places(self, shown: list[Bit]) -> dict[int, Place]:
        """Which noun phrase each place belongs to: the next behind 有 or 的, otherwise the one before."""
        found: dict[int, Place] = {}
        sides: dict[str, Place] = {"left of": "left", "right of": "right"}
        for at, bit in enumerate(self._bits):
            lone = bit.kind == "relation" and self._kind(at - 1) not in ("noun", "of") and bit.value in sides
            if bit.kind != "place" and not lone:
                continue
            place: Place = sides[bit.value] if lone else bit.value  # type: ignore[assignment]  # the tables hold no other
            after = [noun for noun in shown if noun.start >= bit.end]
            before = [noun for noun in shown if noun.end <= bit.start]
            forward = self._kind(at + 1) in ("of", "has", "noun") or (self._kind(at + 1) == "comma" and not before)
            target = after[0] if forward and after else before[-1] if before else None
            if target is not None:
                found.setdefault(id(target), place)
        return found

    def _kind(self, at: int) -> str:
        return self._bits[at].kind if 0 <= at < len(self._bits) else ""

    def _is_scenery(self, bit: Bit) -> bool:
        return self._text[bit.plain : bit.end] in self._scenery

    def _thing(self, bit: Bit, place: Place | None) -> Thing:
        counted = COUNTED_LEAST <= bit.number <= COUNTED_MOST
        text = self._text[bit.plain if counted else bit.start : bit.end]
        noun = self._text[bit.plain : bit.end].rpartition("的")[2]
        extent: Extent | None = None
        if not noun.startswith(SIZED_ALREADY):
            for name, words in self._table.extents.items():
                if len(noun) > 1 and noun.startswith(tuple(words.split())):
                    extent = name
        head = noun[1:] if extent and noun[0] in "小大" and len(noun) > 1 else noun
        content = tuple(dict.fromkeys(term.word for term in terms(self._text[bit.plain : bit.end], ("zh",))))
        return Thing(text, Span(bit.start, bit.end), head, content, bit.number if counted else None, place, extent)
