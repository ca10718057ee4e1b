"""The nouns of the storybook: kinds, colours, patterns, backgrounds, styles, and the frozen records of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vision.types import Box

Split: TypeAlias = Literal["train", "validation", "test"]
RelationName: TypeAlias = Literal["left of", "right of", "above", "below", "inside", "next to", "in front of"]
Place: TypeAlias = Literal["ground", "air", "sky"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
RELATIONS: tuple[RelationName, ...] = ("left of", "right of", "above", "below", "inside", "next to", "in front of")
SIZES = ("small", "medium", "large")
PATTERNS = ("plain", "striped", "spotted", "checked", "wooden", "knitted")
STYLES = ("flat", "outlined", "watercolour", "crayon", "paper-cut", "pixel")
BACKGROUNDS = ("beach", "forest", "street", "room", "night", "snow", "meadow", "desert", "mountains", "harbour")

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 48, 44),
    "orange": (240, 138, 34),
    "yellow": (247, 212, 52),
    "green": (74, 158, 66),
    "turquoise": (52, 190, 184),
    "blue": (48, 92, 200),
    "purple": (136, 70, 176),
    "pink": (244, 142, 184),
    "brown": (134, 86, 48),
    "black": (48, 46, 54),
    "white": (248, 246, 240),
    "grey": (146, 148, 154),
}
"""Named colours and their centre, RGB in [0, 255]; a drawn thing jitters a little around it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the storybook knows about one kind of thing.

    Attributes:
        name: the stable id.
        group: person, animal, vehicle, building, plant, sky, furniture or object.
        place: where it stands: on the ground, in the air, or in the sky (sky things never come indoors).
        aspect: width over height of its sketch.
        height: usual height as a fraction of the picture's side.
        patterns: the patterns it may wear.
        room: whether small things may stand inside it.
    """

    name: str
    group: str
    place: Place
    aspect: float
    height: float
    patterns: tuple[str, ...] = PATTERNS
    room: bool = False


_PLAIN = ("plain",)
_FUR = ("plain", "striped", "spotted", "knitted")
_TOY = ("plain", "striped", "spotted", "wooden")
_WALL = ("plain", "striped", "checked", "wooden")

_KINDS = (
    Kind("man", "person", "ground", 0.52, 0.42, _PLAIN),
    Kind("woman", "person", "ground", 0.55, 0.41, _PLAIN),
    Kind("boy", "person", "ground", 0.62, 0.30, _PLAIN),
    Kind("girl", "person", "ground", 0.66, 0.30, _PLAIN),
    Kind("dog", "animal", "ground", 1.20, 0.23, _FUR),
    Kind("cat", "animal", "ground", 0.86, 0.25, _FUR),
    Kind("horse", "animal", "ground", 1.15, 0.34, _FUR),
    Kind("cow", "animal", "ground", 1.35, 0.28, _FUR),
    Kind("sheep", "animal", "ground", 1.25, 0.22, ("plain", "knitted")),
    Kind("pig", "animal", "ground", 1.35, 0.20, _FUR),
    Kind("rabbit", "animal", "ground", 0.75, 0.24, _FUR),
    Kind("elephant", "animal", "ground", 1.30, 0.34, ("plain", "spotted", "checked", "knitted")),
    Kind("duck", "animal", "ground", 1.12, 0.19, _FUR),
    Kind("snail", "animal", "ground", 1.40, 0.16, ("plain", "striped", "spotted")),
    Kind("bird", "animal", "air", 1.50, 0.15, ("plain", "striped", "spotted")),
    Kind("butterfly", "animal", "air", 1.20, 0.16, ("plain", "striped", "spotted")),
    Kind("car", "vehicle", "ground", 1.85, 0.22, ("plain", "striped", "spotted", "checked", "wooden")),
    Kind("bus", "vehicle", "ground", 1.95, 0.28, ("plain", "striped", "spotted", "checked")),
    Kind("truck", "vehicle", "ground", 1.85, 0.26, ("plain", "striped", "checked", "wooden")),
    Kind("bicycle", "vehicle", "ground", 1.55, 0.24, _PLAIN),
    Kind("boat", "vehicle", "ground", 1.15, 0.36, ("plain", "striped", "wooden"), room=True),
    Kind("train", "vehicle", "ground", 1.60, 0.28, ("plain", "striped", "wooden")),
    Kind("aeroplane", "vehicle", "air", 1.75, 0.19, ("plain", "striped", "spotted", "checked")),
    Kind("hot-air balloon", "vehicle", "air", 0.74, 0.34, ("plain", "striped", "spotted", "checked")),
    Kind("house", "building", "ground", 1.05, 0.42, _WALL),
    Kind("castle", "building", "ground", 1.05, 0.44, _WALL),
    Kind("lighthouse", "building", "ground", 0.48, 0.50, ("plain", "striped", "checked")),
    Kind("tent", "building", "ground", 1.40, 0.28, ("plain", "striped", "spotted", "checked")),
    Kind("tree", "plant", "ground", 0.80, 0.46, ("plain", "spotted", "knitted")),
    Kind("flower", "plant", "ground", 0.60, 0.28, ("plain", "striped", "spotted")),
    Kind("mushroom", "plant", "ground", 0.98, 0.20, ("plain", "striped", "spotted")),
    Kind("cactus", "plant", "ground", 0.78, 0.30, ("plain", "striped", "knitted")),
    Kind("sun", "sky", "sky", 1.00, 0.24, _PLAIN),
    Kind("moon", "sky", "sky", 0.80, 0.22, _PLAIN),
    Kind("star", "sky", "sky", 1.02, 0.14, _PLAIN),
    Kind("cloud", "sky", "sky", 1.80, 0.15, ("plain", "striped", "spotted", "knitted")),
    Kind("chair", "furniture", "ground", 0.62, 0.30, (*_TOY, "checked")),
    Kind("table", "furniture", "ground", 1.50, 0.22, (*_TOY, "checked")),
    Kind("lamp", "furniture", "ground", 0.50, 0.36, ("plain", "striped", "spotted", "checked")),
    Kind("bed", "furniture", "ground", 1.75, 0.23, ("plain", "striped", "spotted", "checked", "knitted")),
    Kind("ball", "object", "ground", 1.00, 0.15, ("plain", "striped", "spotted", "checked", "knitted")),
    Kind("box", "object", "ground", 1.35, 0.19, ("plain", "striped", "spotted", "checked", "wooden"), room=True),
    Kind("basket", "object", "ground", 1.30, 0.21, ("plain", "striped", "checked"), room=True),
    Kind("umbrella", "object", "ground", 0.98, 0.28, ("plain", "striped", "spotted", "checked")),
    Kind("cup", "object", "ground", 1.20, 0.15, ("plain", "striped", "spotted", "checked")),
    Kind("kite", "object", "air", 0.70, 0.26, ("plain", "striped", "spotted", "checked")),
)

THINGS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
"""Every kind of thing by its stable id."""

FITS_INSIDE = ("dog", "cat", "rabbit", "duck", "pig", "ball", "flower", "boy", "girl", "mushroom", "cactus")
"""Kinds small enough to stand inside a box, a basket or a boat."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how a thing's sketch is put into the picture.

    Attributes:
        x: horizontal middle, fraction of the side.
        foot: the sketch's lower edge, fraction of the side.
        height: height of the whole sketch, fraction of the side.
        mirrored: whether the sketch looks the other way.
        tilt: rotation about the foot in radians.
        pose: seed of the sketch's own variation.
    """

    x: float
    foot: float
    height: float
    mirrored: bool
    tilt: float
    pose: int


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing in a scene.

    Attributes:
        kind: a key of `THINGS`.
        colour: a key of `COLOURS`.
        size: one of `SIZES`, relative to what is usual for the kind.
        pattern: one of `PATTERNS`.
        box_full: where the whole thing is, clipped to the picture.
        box: where its visible part is.
        visible_fraction: visible pixels over all its pixels, in (0, 1].
        depth: painter's order; a higher number is nearer to the viewer.
        placement: how the sketch is put into the picture.
        container: index of the thing that it stands inside; None elsewhere.
    """

    kind: str
    colour: str
    size: str
    pattern: str
    box_full: Box
    box: Box
    visible_fraction: float
    depth: int
    placement: Placement
    container: int | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """`things[subject]` stands in relation `name` to `things[object]`."""

    subject: int
    name: RelationName
    object: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene before it is drawn; equal seeds and splits give equal scenes.

    Attributes:
        seed: the seed within its split.
        split: train, validation or test.
        background: one of `BACKGROUNDS`.
        style: one of `STYLES`.
        horizon: height of the ground's far edge, fraction of the side from the top.
        things: in no particular order; relations and captions refer to them by index.
        relations: every relation that holds, in the order of (subject, object, name).
        single: whether the scene was made for one thing only.
    """

    seed: int
    split: Split
    background: str
    style: str
    horizon: float
    things: tuple[Thing, ...]
    relations: tuple[Relation, ...]
    single: bool = False
