"""Search queries over drawn test scenes, each with exactly the scenes that answer it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from types import MappingProxyType
from typing import TypeVar

from storybook.language import grammar_of
from storybook.language.grammar import Grammar, Words
from storybook.scenes import generate_scene
from storybook.shown import Asked, Shown, opposite
from storybook.unknown import NONSENSE, OUTSIDE
from storybook.wording import all_of, place_of, related, without
from storybook.world import BACKGROUNDS, COLOURS, THINGS, RelationName

_T = TypeVar("_T")
ANSWERS_MOST = 0.1
"""A query that more than this share of the scenes answers is too easy to be asked."""

RELATION_KINDS: Mapping[str, tuple[RelationName, ...]] = MappingProxyType(
    {
        "left/right": ("left of", "right of"),
        "next to": ("next to",),
        "above/below": ("above", "below"),
        "in front": ("in front of",),
        "inside": ("inside",),
    }
)
ABSENT_KINDS = ("absent_pair", "absent_kind", "outside", "nonsense")
"""Kinds of query that no scene answers."""


@dataclass(frozen=True, slots=True)
class SceneQuery:
    """Something to search for.

    Attributes:
        kind: a key of `QUERY_KINDS`.
        text: as somebody would type it, with indefinite articles.
        language: its two-letter code.
        relevant: seeds of all scenes that answer it; empty for `ABSENT_KINDS`.
        twin: the same words exchanged, which say something else: colours swapped, a relation turned round; or None.
        kinds: the kinds of things that a scene must show to answer it, in the order of the words.
    """

    kind: str
    text: str
    language: str
    relevant: frozenset[int]
    twin: str | None = None
    kinds: tuple[str, ...] = ()


def scene_queries(
    seeds: Sequence[int], *, languages: Sequence[str] = ("en",), per_kind: int = 60, seed: int = 0
) -> list[SceneQuery]:
    """Return queries of every kind; equal arguments give equal queries, and each language asks for the same facts.

    A query that should be answered is answered by at least one and at most a tenth of the scenes, and never trivially:
    some scene shows the same things in another relation, number, colour or place. "Two cats" are exactly two.

    Args:
        seeds: of test scenes.
        languages: of `storybook.language.LANGUAGES`.
        per_kind: at most so many facts of each kind are asked for.
        seed: chooses them.

    Raises:
        LanguageError: the storybook does not speak a language.
    """
    shown = Shown([generate_scene(number, "test") for number in seeds])
    grammars = [grammar_of(language) for language in languages]
    found: list[SceneQuery] = []
    for kind, ask in QUERY_KINDS.items():
        rng = random.Random(f"asking:{kind}:{seed}")
        for fact in islice(ask(shown, rng), per_kind):
            found += [
                SceneQuery(
                    kind, fact.say(grammar), grammar.code, fact.relevant, fact.twin and fact.twin(grammar), fact.kinds
                )
                for grammar in grammars
            ]
    return found


def _one(words: Words) -> Callable[[Grammar], str]:
    return lambda grammar: all_of((words,), grammar)


def _all(*words: Words) -> Callable[[Grammar], str]:
    return lambda grammar: all_of(words, grammar)


def _few(shown: Shown, relevant: frozenset[int]) -> bool:
    return 1 <= len(relevant) <= ANSWERS_MOST * len(shown.scenes)


def _shuffled(items: Sequence[_T], rng: random.Random) -> list[_T]:
    return rng.sample(items, len(items))


def _things(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    for kind in _shuffled(list(shown.kinds), rng):
        if _few(shown, shown.kinds[kind]):
            yield Asked(shown.kinds[kind], _one(Words(kind)), kinds=(kind,))


def _colours(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    for colour, kind in _shuffled(list(shown.pairs), rng):
        relevant = shown.pairs[colour, kind]
        if _few(shown, relevant) and shown.kinds[kind] - relevant:
            yield Asked(relevant, _one(Words(kind, colour)), kinds=(kind,))


def _sizes(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    """Size and colour and kind, where another scene shows the kind in that colour or in that size only."""
    for size, colour, kind in _shuffled(list(shown.sized), rng):
        relevant = shown.sized[size, colour, kind]
        if size == "medium" or THINGS[kind].group == "person" or not _few(shown, relevant):
            continue
        if shown.pairs[colour, kind] - relevant or shown.of_size[size, kind] - relevant:
            yield Asked(relevant, _one(Words(kind, colour, size)), kinds=(kind,))


def _relations(names: Sequence[RelationName]) -> Callable[[Shown, random.Random], Iterator[Asked]]:
    def ask(shown: Shown, rng: random.Random) -> Iterator[Asked]:
        seen: set[frozenset[str]] = set()
        for subject, name, other in _shuffled([triple for triple in shown.related if triple[1] in names], rng):
            relevant = shown.related[subject, name, other]
            # "A next to B" is "B next to A": the same fact is asked for once.
            pair = frozenset((subject, other))
            if subject == other or (name == "next to" and pair in seen) or not _few(shown, relevant):
                continue
            if (shown.kinds[subject] & shown.kinds[other]) - relevant:
                seen.add(pair)
                turned = opposite(subject, name, other)
                twin = related(*turned) if turned else None
                yield Asked(relevant, related(subject, name, other), twin, (subject, other))

    return ask


def _counts(number: int) -> Callable[[Shown, random.Random], Iterator[Asked]]:
    def ask(shown: Shown, rng: random.Random) -> Iterator[Asked]:
        for kind in _shuffled(list(shown.kinds), rng):
            relevant = frozenset(s for s in shown.kinds[kind] if shown.counts[s][kind] == number)
            if _few(shown, relevant) and shown.kinds[kind] - relevant:
                yield Asked(relevant, _one(Words(kind, count=number)), kinds=(kind,) * number)

    return ask


def _bindings(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    """Two kinds in two colours, where another scene shows both kinds and both colours, but not bound so."""
    swapped, otherwise = [], []
    for first, second in _shuffled(list(shown.together), rng):
        (colour, kind), (other_colour, other_kind) = first, second
        relevant = shown.together[first, second]
        if kind == other_kind or colour == other_colour or not _few(shown, relevant):
            continue
        a, b = Words(kind, colour), Words(other_kind, other_colour)
        twin = _all(Words(kind, other_colour), Words(other_kind, colour))
        fact = Asked(relevant, _all(a, b), twin, (kind, other_kind))
        if (shown.pairs_of(other_colour, kind) & shown.pairs_of(colour, other_kind)) - relevant:
            swapped.append(fact)
        elif (shown.kinds[kind] & shown.kinds[other_kind] & shown.worn[colour] & shown.worn[other_colour]) - relevant:
            otherwise.append(fact)
    yield from swapped
    yield from otherwise


def _withouts(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    """One kind without another, where at least two scenes show both."""
    pairs = [(a, b) for a in shown.kinds for b in shown.kinds if a != b]
    for kind, other in _shuffled(pairs, rng):
        both = shown.kinds[kind] & shown.kinds[other]
        if len(both) >= 2 and _few(shown, shown.kinds[kind] - both):
            yield Asked(shown.kinds[kind] - both, without(kind, other), kinds=(kind,))


def _together(number: int) -> Callable[[Shown, random.Random], Iterator[Asked]]:
    def ask(shown: Shown, rng: random.Random) -> Iterator[Asked]:
        groups = {kinds for counts in shown.counts.values() for kinds in combinations(sorted(counts), number)}
        for kinds in _shuffled(sorted(groups), rng):
            relevant = frozenset.intersection(*(shown.kinds[kind] for kind in kinds))
            if _few(shown, relevant):
                yield Asked(relevant, _all(*map(Words, kinds)), kinds=kinds)

    return ask


def _places(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    for kind, background in _shuffled([(k, b) for k in shown.kinds for b in BACKGROUNDS], rng):
        relevant = shown.kinds[kind] & shown.backgrounds.get(background, frozenset())
        if _few(shown, relevant) and shown.kinds[kind] - relevant:
            yield Asked(relevant, place_of(kind, background), kinds=(kind,))


def _absent_pairs(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    """A colour and a kind that scenes of the set show, but never on one thing."""
    for colour, kind in _shuffled([(c, k) for c in COLOURS for k in THINGS], rng):
        if colour in shown.worn and kind in shown.kinds and (colour, kind) not in shown.pairs:
            yield Asked(frozenset(), _one(Words(kind, colour)))


def _absent_kinds(shown: Shown, rng: random.Random) -> Iterator[Asked]:
    for kind in _shuffled([kind for kind in THINGS if kind not in shown.kinds], rng):
        yield Asked(frozenset(), _one(Words(kind)))


def _listed(table: Mapping[str, Sequence[str]]) -> Callable[[Shown, random.Random], Iterator[Asked]]:
    def entry(place: int) -> Callable[[Grammar], str]:
        return lambda grammar: table[grammar.code][place]

    def ask(shown: Shown, rng: random.Random) -> Iterator[Asked]:
        for place in _shuffled(range(len(table["en"])), rng):
            yield Asked(frozenset(), entry(place))

    return ask


QUERY_KINDS: Mapping[str, Callable[[Shown, random.Random], Iterator[Asked]]] = MappingProxyType(
    {
        "thing": _things,
        "colour": _colours,
        "size": _sizes,
        **{kind: _relations(names) for kind, names in RELATION_KINDS.items()},
        "two": _counts(2),
        "three": _counts(3),
        "binding": _bindings,
        "without": _withouts,
        "and": _together(2),
        "and3": _together(3),
        "place": _places,
        "absent_pair": _absent_pairs,
        "absent_kind": _absent_kinds,
        "outside": _listed(OUTSIDE),
        "nonsense": _listed(NONSENSE),
    }
)
"""What is asked for, by kind of query: the facts of a set of scenes, in drawn order."""
