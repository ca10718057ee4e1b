"""What a set of scenes shows, fact by fact: the seeds of the scenes in which each is true."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TypeAlias, TypeVar

from storybook.language.grammar import Grammar
from storybook.relations import INVERSE
from storybook.world import RelationName, Scene

Fact = TypeVar("Fact", bound=Hashable)
Pair: TypeAlias = tuple[str, str]
Triple: TypeAlias = tuple[str, RelationName, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact that can be asked for.

    Attributes:
        relevant: seeds of the scenes in which it is true.
        say: puts it into words.
        twin: puts the exchanged fact into words; None where there is none.
        kinds: of the things that a scene must show, in the order of the words.
    """

    relevant: frozenset[int]
    say: Callable[[Grammar], str]
    twin: Callable[[Grammar], str] | None = None
    kinds: tuple[str, ...] = ()


class Shown:
    """Facts of scenes; every table maps a fact to the seeds of the scenes in which it is true.

    Attributes:
        scenes: seed → scene.
        kinds: kind; `worn` by colour; `pairs` by (colour, kind).
        sized: (size, colour, kind); `of_size` by (size, kind).
        related: (kind, relation, kind).
        together: two (colour, kind) pairs of two things, in order of their kinds.
        backgrounds: background.
        counts: seed → how many things of each kind.
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes = {scene.seed: scene for scene in scenes}
        self.counts = {scene.seed: Counter(thing.kind for thing in scene.things) for scene in scenes}
        self.kinds = _table(scenes, lambda scene: [thing.kind for thing in scene.things])
        self.worn = _table(scenes, lambda scene: [thing.colour for thing in scene.things])
        self.pairs = _table(scenes, lambda scene: [(thing.colour, thing.kind) for thing in scene.things])
        self.sized = _table(scenes, lambda scene: [(thing.size, thing.colour, thing.kind) for thing in scene.things])
        self.of_size = _table(scenes, lambda scene: [(thing.size, thing.kind) for thing in scene.things])
        self.related = _table(scenes, triples)
        self.together = _table(scenes, colour_pairs)
        self.backgrounds = _table(scenes, lambda scene: [scene.background])

    def pairs_of(self, colour: str, kind: str) -> frozenset[int]:
        """Seeds of the scenes that show this kind in this colour; empty where none does."""
        return self.pairs.get((colour, kind), frozenset())


def triples(scene: Scene) -> list[Triple]:
    """Every relation that holds, between kinds."""
    return [(scene.things[r.subject].kind, r.name, scene.things[r.object].kind) for r in scene.relations]


def colour_pairs(scene: Scene) -> list[tuple[Pair, Pair]]:
    """(colour, kind) of every two things of different kinds, in order of their kinds."""
    return [
        ((first.colour, first.kind), (second.colour, second.kind))
        for first, second in permutations(scene.things, 2)
        if first.kind < second.kind
    ]


def opposite(subject: str, name: RelationName, other: str) -> Triple | None:
    """What is false where the relation holds between just two things; None where there is no such relation.

    The inverse relation where there is one, else the same relation turned round.
    """
    if name == "next to":
        return None
    return (subject, INVERSE[name], other) if name in INVERSE else (other, name, subject)


def _table(scenes: Sequence[Scene], facts: Callable[[Scene], Sequence[Fact]]) -> dict[Fact, frozenset[int]]:
    found: dict[Fact, set[int]] = defaultdict(set)
    for scene in scenes:
        for fact in facts(scene):
            found[fact].add(scene.seed)
    return {fact: frozenset(seeds) for fact, seeds in found.items()}
