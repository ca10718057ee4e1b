"""Composing: fills sentence templates and keeps the exact span of every noun phrase."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storybook.language.grammar import Grammar, Relating, Words
from vision.types import Span

_FIELD = re.compile(r"\{(\w+)(?::([\w ]+))?\}")
_OPENERS = "¿"


@dataclass(frozen=True, slots=True)
class Mention:
    """A noun phrase to be written, and the things it stands for."""

    words: Words
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Filling:
    """What the fields of a template stand for; what a template does not ask for may stay None."""

    things: tuple[Mention, ...] = ()
    subject: Mention | None = None
    object: Mention | None = None
    relating: Relating | None = None
    background: str | None = None
    style: str | None = None
    colour: str | None = None


class Writer:
    """Writes sentences of one language and remembers where its noun phrases stand.

    Attributes:
        phrases: (span, indexes of the things) in the order of the text.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._text = ""
        self.phrases: list[tuple[Span, tuple[int, ...]]] = []

    @property
    def text(self) -> str:
        """What has been written."""
        return self._text

    def sentence(self, template: str, filling: Filling, *, capital: bool = True) -> None:
        """Append one filled template; the first letter becomes a capital unless told otherwise."""
        if self._text:
            self._text += self._grammar.sentence_gap
        start = len(self._text)
        at = 0
        for field in _FIELD.finditer(template):
            self._text += template[at : field.start()]
            self._write(field.group(1), field.group(2) or "nom", filling)
            at = field.end()
        self._text += template[at:]
        if capital:
            first = start + len(self._text[start:]) - len(self._text[start:].lstrip(_OPENERS))
            self._text = self._text[:first] + self._text[first : first + 1].upper() + self._text[first + 1 :]

    def _write(self, name: str, case: str, filling: Filling) -> None:
        grammar = self._grammar
        if name == "things":
            self._list(filling.things, case)
        elif name == "subject" and filling.subject:
            self._mention(filling.subject, case)
        elif name == "object" and filling.object:
            self._mention(filling.object, case)
        elif name == "relation" and filling.relating and filling.object:
            self._text += filling.relating.before
            self._mention(filling.object, filling.relating.case)
            self._text += filling.relating.after
        elif name == "after" and filling.relating:
            self._text += filling.relating.after
        elif name == "place" and filling.background:
            self._text += grammar.place(filling.background, self._text)
        elif name == "style" and filling.style:
            self._text += grammar.styles[filling.style]
        elif name == "colour" and filling.colour and filling.subject:
            self._text += grammar.predicate(filling.subject.words.kind, filling.colour)
        elif name == "be":
            counted = filling.things[:1] if grammar.agrees_with_first else filling.things
            self._text += grammar.verbs[int(sum(m.words.count for m in counted) > 1)]
        else:
            raise KeyError(name)

    def _list(self, things: Sequence[Mention], case: str) -> None:
        for place, mention in enumerate(things):
            if place:
                self._text += self._grammar.conjunction if place == len(things) - 1 else self._grammar.comma
            self._mention(mention, case)

    def _mention(self, mention: Mention, case: str) -> None:
        lead, phrase = self._grammar.phrase(mention.words, case)
        start = len(self._text) + len(lead)
        self._text += lead + phrase
        self.phrases.append((Span(start, start + len(phrase)), mention.indexes))
