"""From a branch of the query to what is embedded: the sentence, its things, what must not be there."""

from __future__ import annotations

from dataclasses import dataclass

from search.query.branches import Branch
from search.query.sentences.meaning import Relation, Sentence, Thing
from search.query.sentences.understanding import understand
from search.words.terms import content, terms
from vision.types import Span

MAX_TEXTS = 12
"""Texts of one branch that are embedded: more things than that are no sentence but a list."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A branch, understood.

    Attributes:
        branch: as the language gave it.
        sentence: its words.
        texts: what is embedded, each once.
        main: which of the texts is the sentence; None where the branch has no words.
        things: of which texts the things of the sentence are; empty where taking it apart says nothing new.
        without: the same for what must not be there.
        extra: (text, weight): what is weighted on its own.
    """

    branch: Branch
    sentence: Sentence
    texts: tuple[str, ...]
    main: int | None
    things: tuple[int, ...]
    without: tuple[int, ...]
    extra: tuple[tuple[int, float], ...]

    @property
    def shown(self) -> tuple[Thing, ...]:
        """The things of the sentence that take part."""
        return self.sentence.things[: len(self.things)]

    @property
    def relations(self) -> tuple[Relation, ...]:
        """The relations between things that take part."""
        count = len(self.things)
        return tuple(one for one in self.sentence.relations if one.subject < count and one.object < count)

    @property
    def names_more(self) -> bool:
        """Whether the sentence names more than its things, such as a place; what relates or counts them does not."""
        if self.sentence.relations or any(thing.count is not None for thing in self.sentence.things):
            return False
        named = {word for thing in self.sentence.things for word in content(thing.text)}
        return bool(self.sentence.things) and not content(self.sentence.positive) <= named


def ask(branch: Branch) -> Ask:
    """Understand a branch."""
    sentence = understand(branch.words) if branch.words else Sentence("", "")
    texts: dict[str, int] = {}

    def place(text: str) -> int:
        return texts.setdefault(text, len(texts))

    main = place(sentence.positive) if sentence.positive else None
    shown = sentence.things[: MAX_TEXTS // 2]
    without = (*sentence.without, *(_thing(text) for text in branch.excluded))[: MAX_TEXTS // 4]
    ask_of = Sentence(sentence.text, sentence.positive, sentence.language, sentence.things, sentence.relations, without)
    return Ask(
        branch=branch,
        sentence=ask_of,
        things=tuple(place(thing.text) for thing in shown),
        without=tuple(place(thing.text) for thing in without),
        extra=tuple((place(text), weight) for text, weight in branch.weighted[: MAX_TEXTS // 4]),
        main=main,
        texts=tuple(texts),
    )


def _thing(text: str) -> Thing:
    """What a minus stands before, as a thing."""
    words = tuple(term.word for term in terms(text))
    return Thing(text, Span(0, len(text)), words[-1] if words else text, words)
