"""The written split: which seeds, colour × thing pairs and relations train, and which are kept for the test."""

from __future__ import annotations

from collections.abc import Iterable

from storybook.relations import INVERSE
from storybook.world import THINGS, Relation, RelationName, Scene, Split, Thing

SEEDS: dict[Split, range] = {
    "train": range(0, 1_000_000),
    "validation": range(0, 10_000),
    "test": range(0, 10_000),
}
"""Seeds of each split. A seed means another scene in another split, so the splits never share a scene."""

HELD_OUT_PAIRS: dict[str, str] = {
    "man": "pink",
    "woman": "grey",
    "boy": "purple",
    "girl": "brown",
    "dog": "purple",
    "cat": "green",
    "horse": "pink",
    "cow": "turquoise",
    "sheep": "orange",
    "pig": "blue",
    "rabbit": "red",
    "elephant": "yellow",
    "duck": "black",
    "snail": "white",
    "bird": "brown",
    "butterfly": "grey",
    "car": "brown",
    "bus": "purple",
    "truck": "pink",
    "bicycle": "white",
    "boat": "yellow",
    "train": "orange",
    "aeroplane": "green",
    "hot-air balloon": "black",
    "house": "turquoise",
    "castle": "red",
    "lighthouse": "blue",
    "tent": "grey",
    "tree": "blue",
    "flower": "turquoise",
    "mushroom": "green",
    "cactus": "red",
    "sun": "purple",
    "moon": "green",
    "star": "orange",
    "cloud": "yellow",
    "chair": "turquoise",
    "table": "black",
    "lamp": "white",
    "bed": "orange",
    "ball": "grey",
    "box": "pink",
    "basket": "black",
    "umbrella": "white",
    "cup": "brown",
    "kite": "blue",
}
"""For each kind, the one colour that it never has in training or validation; each colour is held out 3 or 4 times."""

HELD_OUT_GROUPS: frozenset[tuple[str, RelationName, str]] = frozenset(
    {
        ("animal", "left of", "building"),
        ("person", "in front of", "vehicle"),
        ("plant", "next to", "furniture"),
    }
)
"""Relations between groups of things that no training scene shows, in either wording."""

HELD_OUT_KINDS: frozenset[tuple[str, RelationName, str]] = frozenset(
    {("cat", "inside", "basket"), ("duck", "inside", "boat"), ("ball", "inside", "box")}
)
"""Relations between kinds of things that no training scene shows."""


def pair_is_held_out(kind: str, colour: str) -> bool:
    """Return whether this colour of this kind is kept out of training."""
    return HELD_OUT_PAIRS[kind] == colour


def _triple_is_held_out(subject: str, name: RelationName, other: str) -> bool:
    groups = (THINGS[subject].group, name, THINGS[other].group)
    return groups in HELD_OUT_GROUPS or (subject, name, other) in HELD_OUT_KINDS


def relation_is_held_out(subject: str, name: RelationName, other: str) -> bool:
    """Return whether this relation between these kinds, or its inverse, is kept out of training."""
    if _triple_is_held_out(subject, name, other):
        return True
    return name in INVERSE and _triple_is_held_out(other, INVERSE[name], subject)


def held_out_things(scene: Scene) -> tuple[int, ...]:
    """Return the indexes of the things whose colour × kind pair is kept out of training."""
    return tuple(i for i, thing in enumerate(scene.things) if pair_is_held_out(thing.kind, thing.colour))


def held_out_relations(things: tuple[Thing, ...], relations: Iterable[Relation]) -> tuple[Relation, ...]:
    """Return the relations that are kept out of training."""
    return tuple(r for r in relations if relation_is_held_out(things[r.subject].kind, r.name, things[r.object].kind))


def is_held_out(scene: Scene) -> bool:
    """Return whether the scene shows anything that training never shows."""
    return bool(held_out_things(scene)) or bool(held_out_relations(scene.things, scene.relations))
