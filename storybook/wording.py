"""How a search query is worded in each language: things in a list, in a relation, in a place, one without another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from storybook.language.compose import Filling, Mention, Writer
from storybook.language.grammar import Grammar, Words
from storybook.world import RelationName


@dataclass(frozen=True, slots=True)
class Lacking:
    """How one thing without another is said.

    Attributes:
        template: with `{subject}` and `{object}`, as in `storybook.language.grammar.Templates`.
        count: 1 where the other thing stands in the singular, 0 for the bare plural.
        definite: whether its form with the definite article, which is bare in Chinese, is used.
    """

    template: str
    count: int = 1
    definite: bool = False


_LACKING: Mapping[str, Lacking] = {
    "en": Lacking("{subject} without {object}"),
    "de": Lacking("{subject} ohne {object:acc}"),
    "fr": Lacking("{subject} sans {object}", count=0),
    "es": Lacking("{subject} sin {object}", count=0),
    "zh": Lacking("{subject}，没有{object}", definite=True),
    "uk": Lacking("{subject} без {object:gen}"),
}
_PLACED = {"zh": "{place}的{subject}"}


def all_of(words: Sequence[Words], grammar: Grammar) -> str:
    """A list of things: "a dog, a cat and a red ball"."""
    return _written("{things}", Filling(things=tuple(Mention(some, ()) for some in words)), grammar)


def related(subject: str, name: RelationName, other: str) -> Callable[[Grammar], str]:
    """One kind in a relation to another: "a dog left of a tree"."""

    def say(grammar: Grammar) -> str:
        filling = Filling(subject=_of(subject), object=_of(other), relating=grammar.relations[name][0])
        return _written(grammar.templates.referring, filling, grammar)

    return say


def place_of(kind: str, background: str) -> Callable[[Grammar], str]:
    """A kind in a place: "a dog on a beach"."""

    def say(grammar: Grammar) -> str:
        template = _PLACED.get(grammar.code, "{subject} {place}")
        return _written(template, Filling(subject=_of(kind), background=background), grammar)

    return say


def without(kind: str, other: str) -> Callable[[Grammar], str]:
    """One kind without another: "a dog without a tree"."""

    def say(grammar: Grammar) -> str:
        lacking = _LACKING[grammar.code]
        missing = Mention(Words(other, count=lacking.count, definite=lacking.definite), ())
        return _written(lacking.template, Filling(subject=_of(kind), object=missing), grammar)

    return say


def _of(kind: str) -> Mention:
    return Mention(Words(kind), ())


def _written(template: str, filling: Filling, grammar: Grammar) -> str:
    writer = Writer(grammar)
    writer.sentence(template, filling, capital=False)
    return writer.text
