"""Sentences that the storybook's grammars write, of which all is known, are nearly all understood."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from search.query.sentences.understanding import understand
from storybook.language import LANGUAGES, grammar_of
from storybook.language.compose import Filling, Mention, Writer
from storybook.language.grammar import Grammar, Words
from storybook.world import BACKGROUNDS, COLOURS, RELATIONS, THINGS

LACKING = {
    "en": ("{subject} without {object}", 1, False), "de": ("{subject} ohne {object:acc}", 1, False),
    "fr": ("{subject} sans {object}", 0, False), "es": ("{subject} sin {object}", 0, False),
    "zh": ("{subject}，没有{object}", 1, True), "uk": ("{subject} без {object:gen}", 1, False),
}  # fmt: skip
SAME = {"under": "below", "on": "above"}
PER_KIND = 100
LEAST = 0.98


class Asker:
    """Writes one sentence of each kind, and what should be understood of it."""

    def __init__(self, grammar: Grammar, seed: int) -> None:
        self.grammar = grammar
        self.rng = random.Random(f"{grammar.code}:{seed}")
        self.writer = Writer(grammar)
        self.relation: str | None = None
        self.counts: list[int | None] = []
        self.denied = 0

    def words(self, *, full: bool = False, count: int = 1, definite: bool = False, kind: str | None = None) -> Words:
        kind = kind or self.rng.choice(list(THINGS))
        colour = self.rng.choice([*COLOURS, *[None] * 6])
        size = pattern = None
        if full and THINGS[kind].group != "person":
            size = self.rng.choice([None, "small", "large"])
            pattern = self.rng.choice([None, "striped", "spotted", "checked", "wooden", "knitted"])
        self.counts.append(count if count > 1 else None)
        return Words(kind, colour, size, pattern, count, definite)

    def write(self, template: str, *words: Words, listed: bool = False, **more: object) -> None:
        told = [Mention(one, ()) for one in words]
        filling = Filling(tuple(told) if listed else (), told[0], told[-1], **more)  # type: ignore[arg-type]
        self.writer.sentence(template, filling, capital=self.rng.random() < 0.3)

    def listing(self, number: int) -> None:
        self.write("{things}", *(self.words(full=True) for _ in range(number)), listed=True)

    def counting(self, number: int) -> None:
        self.write("{things}", self.words(full=True, count=number), listed=True)

    def placed(self) -> None:
        template = {"zh": "{place}的{subject}"}.get(self.grammar.code, "{subject} {place}")
        self.write(template, self.words(full=True), background=self.rng.choice(list(BACKGROUNDS)))

    def led(self) -> None:
        self.write(self.rng.choice(self.grammar.templates.prompts), self.words())

    def told(self) -> None:
        words = [self.words() for _ in range(self.rng.randint(1, 3))]
        place = self.rng.choice(list(BACKGROUNDS))
        self.write(self.rng.choice(self.grammar.templates.brief), *words, listed=True, background=place)

    def lacking(self, count: int) -> None:
        template, number, definite = LACKING[self.grammar.code]
        missing = Words(self.rng.choice(list(THINGS)), count=number, definite=definite)
        self.write(template, self.words(count=count), missing)
        self.denied = 1

    def related(self, *, count: int = 1, definite: bool = False, sentence: bool = False) -> None:
        name = self.rng.choice(RELATIONS)
        subject = self.words(full=count == 1, count=count, definite=definite)
        container = self.rng.choice(["box", "basket", "boat"]) if name == "inside" else None
        other = self.words(full=True, definite=definite, kind=container)
        templates = self.grammar.templates
        template = self.rng.choice(templates.relates) if sentence else templates.referring
        self.write(template, subject, other, relating=self.rng.choice(self.grammar.relations[name]))
        self.relation = name

    def understood(self) -> bool:
        """Whether spans, numbers, what is denied, and the relation with its order are exactly right."""
        sentence = understand(self.writer.text)
        spans = [(span.start, span.end) for span, _ in self.writer.phrases]
        shown, missing = spans[: len(spans) - self.denied], spans[len(spans) - self.denied :]
        subject = self.counts[: len(shown)]
        found = [(SAME.get(one.name, one.name), one.subject, one.object) for one in sentence.relations]
        wanted = [] if self.relation is None else [(self.relation, *self._order())]
        if self.relation is not None and self._order() == (1, 0):
            subject = subject[::-1]
        return (
            [(thing.span.start, thing.span.end) for thing in sentence.things] == shown
            and [(thing.span.start, thing.span.end) for thing in sentence.without] == missing
            and [thing.count for thing in sentence.things] == subject
            and found == wanted
        )

    def _order(self) -> tuple[int, int]:
        """The object is named first where the sentence opens with the relation."""
        return (1, 0) if self.turned else (0, 1)

    @property
    def turned(self) -> bool:
        """Whether the written text opens with the object of its relation."""
        text = self.writer.text
        if self.grammar.code == "zh":
            return text.startswith("在")
        openings = (each.before for told in self.grammar.relations.values() for each in told)
        return self.grammar.code == "uk" and text.casefold().startswith(
            tuple(opening for opening in openings if opening)
        )


KINDS: dict[str, Callable[[Asker], None]] = {
    "one thing": lambda asker: asker.listing(1),
    "two things": lambda asker: asker.listing(2),
    "three things": lambda asker: asker.listing(3),
    "two of a kind": lambda asker: asker.counting(2),
    "three of a kind": lambda asker: asker.counting(3),
    "five of a kind": lambda asker: asker.counting(5),
    "in a place": Asker.placed,
    "with an opening": Asker.led,
    "a caption": Asker.told,
    "without": lambda asker: asker.lacking(1),
    "two without": lambda asker: asker.lacking(2),
    "related": Asker.related,
    "definite, related": lambda asker: asker.related(definite=True),
    "two, related": lambda asker: asker.related(count=2),
    "a sentence that relates": lambda asker: asker.related(sentence=True),
}


def missed(language: str, kind: str, seeds: Sequence[int]) -> list[str]:
    """The sentences that were not understood exactly."""
    found = []
    for seed in seeds:
        asker = Asker(grammar_of(language), seed)
        KINDS[kind](asker)
        if not asker.understood():
            found.append(asker.writer.text)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_the_storybook_are_understood_exactly(language: str, kind: str) -> None:
    wrong = missed(language, kind, range(PER_KIND))
    assert len(wrong) <= (1 - LEAST) * PER_KIND, wrong
