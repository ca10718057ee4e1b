"""Captions, noun phrases and referring expressions of a scene, each tied to the things it speaks of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from storybook.drawing import Rendered
from storybook.language.chinese import Chinese
from storybook.language.compose import Filling, Mention, Writer
from storybook.language.english import English
from storybook.language.french import French
from storybook.language.german import German
from storybook.language.grammar import Grammar, Words
from storybook.language.spanish import Spanish
from storybook.language.ukrainian import Ukrainian
from storybook.relations import INVERSE
from storybook.world import THINGS, Relation, Scene, Thing
from vision.errors import DeixisError
from vision.types import Span

Detail = Literal["brief", "detailed"]

GRAMMARS: dict[str, Grammar] = {
    grammar.code: grammar for grammar in (English(), German(), French(), Spanish(), Chinese(), Ukrainian())
}
"""Every language by its two-letter code."""
LANGUAGES: tuple[str, ...] = tuple(GRAMMARS)

_ATTRIBUTE_SETS = (
    (),
    ("colour",),
    ("pattern",),
    ("size",),
    ("colour", "pattern"),
    ("size", "colour"),
    ("size", "pattern"),
    ("size", "colour", "pattern"),
)
_RELATIONS_TOLD = 3


class LanguageError(DeixisError):
    """The storybook does not speak the language asked for."""


@dataclass(frozen=True, slots=True)
class CaptionText:
    """A caption.

    Attributes:
        text: the caption.
        phrases: (span of a noun phrase, indexes of the things it names), in the order of the text.
        detail: `brief` is one sentence; `detailed` tells sizes, patterns, relations and the style as well.
        language: its two-letter code.
    """

    text: str
    phrases: tuple[tuple[Span, tuple[int, ...]], ...]
    detail: Detail
    language: str


@dataclass(frozen=True, slots=True)
class Referring:
    """An expression that singles out exactly one thing of its scene.

    Attributes:
        text: the expression.
        index: the thing it means.
        head: the words for that thing by itself, which may fit others as well.
        anchor: the thing that it is related to; None when attributes suffice.
    """

    text: str
    index: int
    head: str
    anchor: int | None = None


def grammar_of(language: str) -> Grammar:
    """Return a language's grammar.

    Raises:
        LanguageError: the storybook does not speak it.
    """
    if language not in GRAMMARS:
        raise LanguageError(
            f"the storybook does not speak {language!r}", remedy=f"Choose one of {', '.join(LANGUAGES)}."
        )
    return GRAMMARS[language]


def describe(thing: Thing, attributes: Sequence[str], *, count: int = 1, definite: bool = False) -> Words:
    """Return words for a thing that say the given attributes, where it has something to say about them.

    A medium size and a plain pattern are never said; nor is the size of a person.
    """
    person = THINGS[thing.kind].group == "person"
    size = thing.size if "size" in attributes and thing.size != "medium" and not person else None
    pattern = thing.pattern if "pattern" in attributes and thing.pattern != "plain" else None
    return Words(thing.kind, thing.colour if "colour" in attributes else None, size, pattern, count, definite)


def fits(words: Words, thing: Thing) -> bool:
    """Return whether everything that the words say is true of the thing."""
    return (
        words.kind == thing.kind
        and words.colour in (None, thing.colour)
        and words.size in (None, thing.size)
        and words.pattern in (None, thing.pattern)
    )


def single_out(things: Sequence[Thing], index: int) -> Words | None:
    """Return the fewest definite words that fit only this thing; None when its attributes cannot tell it apart."""
    for attributes in _ATTRIBUTE_SETS:
        words = describe(things[index], attributes, definite=True)
        if sum(fits(words, thing) for thing in things) == 1:
            return words
    return None


def phrase_for(thing: Thing, language: str, *, detail: Detail = "brief", definite: bool = False, count: int = 1) -> str:
    """Return a noun phrase for a thing: its colour, and for `detailed` its size and pattern too."""
    attributes = ("colour",) if detail == "brief" else ("size", "colour", "pattern")
    return grammar_of(language).phrase(describe(thing, attributes, count=count, definite=definite))[1]


def class_prompts(kind: str, language: str) -> tuple[str, ...]:
    """Return sentences that name only a kind of thing, for recognising it without training on it."""
    grammar = grammar_of(language)
    prompts = []
    for template in grammar.templates.prompts:
        writer = Writer(grammar)
        writer.sentence(template, Filling(subject=Mention(Words(kind), ())), capital=template[-1] in ".。")
        prompts.append(writer.text)
    return tuple(prompts)


def _groups(things: Sequence[Thing], attributes: Sequence[str]) -> list[Mention]:
    """Return one mention for all things that the same words describe."""
    groups: dict[Words, list[int]] = {}
    for index, thing in enumerate(things):
        groups.setdefault(describe(thing, attributes), []).append(index)
    return [
        Mention(describe(things[indexes[0]], attributes, count=len(indexes)), tuple(indexes))
        for indexes in groups.values()
    ]


def captions(
    scene: Scene, rendered: Rendered, language: str, seed: int, *, left_to_right: bool = False
) -> list[CaptionText]:
    """Return two brief captions in different words and one detailed caption.

    Args:
        scene: the scene.
        rendered: its rendering; things that it does not show are not named.
        language: one of `LANGUAGES`.
        seed: chooses templates, order and attributes; equal seeds give equal captions.
        left_to_right: name things in this order, by the middles of their boxes, instead of any.

    Raises:
        LanguageError: the storybook does not speak the language.
    """
    grammar = grammar_of(language)
    rng = random.Random(f"captions:{language}:{scene.split}:{scene.seed}:{seed}")
    shown = [i for i, thing in enumerate(rendered.things) if thing.visible_fraction > 0.0]
    if left_to_right:
        shown.sort(key=lambda i: rendered.things[i].box.x0 + rendered.things[i].box.x1)
    order = None if left_to_right else rng
    briefs = [
        _brief(scene, shown, grammar, template, rng, order) for template in rng.sample(grammar.templates.brief, 2)
    ]
    return [*briefs, _detailed(scene, shown, grammar, rng, order)]


def _mentions(
    scene: Scene, shown: Sequence[int], attributes: Sequence[str], order: random.Random | None
) -> tuple[Mention, ...]:
    groups = _groups([scene.things[i] for i in shown], attributes)
    if order:
        order.shuffle(groups)
    return tuple(Mention(group.words, tuple(shown[i] for i in group.indexes)) for group in groups)


def _brief(
    scene: Scene,
    shown: Sequence[int],
    grammar: Grammar,
    template: str,
    rng: random.Random,
    order: random.Random | None,
) -> CaptionText:
    attributes = ("colour", "pattern") if rng.random() < 0.35 else ("colour",)
    writer = Writer(grammar)
    writer.sentence(template, Filling(things=_mentions(scene, shown, attributes, order), background=scene.background))
    return CaptionText(writer.text, tuple(writer.phrases), "brief", grammar.code)


def _detailed(
    scene: Scene, shown: Sequence[int], grammar: Grammar, rng: random.Random, order: random.Random | None
) -> CaptionText:
    writer = Writer(grammar)
    things = _mentions(scene, shown, ("size", "colour", "pattern"), order)
    writer.sentence(rng.choice(grammar.templates.opening), Filling(things=things, background=scene.background))
    for relation, subject, other in tellable(scene, rng)[:_RELATIONS_TOLD]:
        filling = Filling(
            subject=Mention(subject, (relation.subject,)),
            object=Mention(other, (relation.object,)),
            relating=rng.choice(grammar.relations[relation.name]),
        )
        writer.sentence(rng.choice(grammar.templates.relates), filling)
    writer.sentence(rng.choice(grammar.templates.styles), Filling(style=scene.style))
    return CaptionText(writer.text, tuple(writer.phrases), "detailed", grammar.code)


def tellable(scene: Scene, rng: random.Random) -> list[tuple[Relation, Words, Words]]:
    """Return relations between things that words can single out, the telling ones first and none in both directions."""
    names = [single_out(scene.things, i) for i in range(len(scene.things))]
    found = list(scene.relations)
    rng.shuffle(found)
    found.sort(key=lambda r: {"inside": 0, "in front of": 1}.get(r.name, 2))
    told: set[tuple[int, int]] = set()
    chosen = []
    for relation in found:
        subject, other = names[relation.subject], names[relation.object]
        pair = (min(relation.subject, relation.object), max(relation.subject, relation.object))
        if subject is None or other is None or pair in told:
            continue
        told.add(pair)
        chosen.append((relation, subject, other))
    return chosen


def referring_expressions(scene: Scene, language: str) -> list[Referring]:
    """Return expressions that single out exactly one thing: by attributes, and by a relation to a thing so known.

    Raises:
        LanguageError: the storybook does not speak the language.
    """
    grammar = grammar_of(language)
    things = scene.things
    names = [single_out(things, i) for i in range(len(things))]
    named = [(i, grammar.phrase(words)[1]) for i, words in enumerate(names) if words is not None]
    found = [Referring(phrase, i, phrase) for i, phrase in named]
    for relation in scene.relations:
        anchor = names[relation.object]
        if anchor is None:
            continue
        for attributes in ((), ("colour",)):
            words = describe(things[relation.subject], attributes, definite=True)
            rivals = [
                r.subject
                for r in scene.relations
                if r.name == relation.name and r.object == relation.object and fits(words, things[r.subject])
            ]
            if len(rivals) == 1:
                writer = Writer(grammar)
                filling = Filling(
                    subject=Mention(words, (relation.subject,)),
                    object=Mention(anchor, (relation.object,)),
                    relating=grammar.relations[relation.name][0],
                )
                writer.sentence(grammar.templates.referring, filling, capital=False)
                head = grammar.phrase(words)[1]
                found.append(Referring(writer.text, relation.subject, head, relation.object))
                break
    return found


def opposite(relation: Relation) -> Relation | None:
    """Return the relation that is surely false when this one holds; None when there is no such word."""
    if relation.name not in INVERSE or relation.name == "next to":
        return None
    return Relation(relation.subject, INVERSE[relation.name], relation.object)
