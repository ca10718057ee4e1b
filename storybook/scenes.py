"""Scenes: what stands where in picture number `seed`, decided before anything is drawn."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from storybook.drawing.visibility import Visibility, look
from storybook.relations import find_relations
from storybook.splits import HELD_OUT_GROUPS, HELD_OUT_KINDS, HELD_OUT_PAIRS, held_out_relations, pair_is_held_out
from storybook.world import (
    BACKGROUNDS,
    COLOURS,
    FITS_INSIDE,
    PATTERNS,
    RELATIONS,
    SIZES,
    STYLES,
    THINGS,
    Kind,
    Placement,
    Relation,
    RelationName,
    Scene,
    Split,
    Thing,
)
from vision.types import Box

__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "PATTERNS",
    "RELATIONS",
    "SIZES",
    "STYLES",
    "THINGS",
    "Kind",
    "Placement",
    "Relation",
    "Scene",
    "Split",
    "Thing",
    "generate_scene",
]

_SCALE = {"small": 0.62, "medium": 1.0, "large": 1.5}
_EVERYWHERE = Box(0.0, 0.0, 1.0, 1.0)
_VISIBLE_LEAST = 0.45
_SIDE_LEAST = 0.045
_GROUND_STARTS = {"beach": 0.19, "harbour": 0.11}
"""How far below the horizon things can stand, where water comes first."""
_HORIZONS = {"beach": (0.36, 0.54), "room": (0.56, 0.68), "street": (0.44, 0.56)}


@dataclass(frozen=True, slots=True)
class _Wish:
    """A relation that the scene tries to show between its first two things."""

    name: RelationName
    subject: str
    object: str


class _Planner:
    """Draws the random choices of one scene in a fixed order."""

    def __init__(self, key: str, split: Split, single: bool) -> None:
        self.rng = random.Random(key)
        self.split = split
        self.single = single
        self.background = self.rng.choice(BACKGROUNDS)
        self.style = self.rng.choice(STYLES)
        low, high = _HORIZONS.get(self.background, (0.42, 0.62))
        self.horizon = self.rng.uniform(low, high)
        self.kinds = [k for k in THINGS.values() if not (self.background == "room" and k.place == "sky")]

    def plan(self) -> tuple[Thing, ...]:
        """Return the things of the scene with their places, unmeasured."""
        if self.single:
            kind = self.rng.choice(self.kinds)
            thing = self._dress(kind)
            return (self._put(thing, 1.35, []),)
        wanted = self.rng.choices((1, 2, 3, 4, 5), (16, 29, 28, 17, 10))[0]
        things: list[Thing] = []
        wish = self._wish() if wanted >= 2 else None
        if wish is not None:
            things = self._fulfil(wish)
        while len(things) < wanted:
            self._add_group(things, wanted - len(things))
        return tuple(things)

    def _add_group(self, things: list[Thing], left: int) -> None:
        """Add one thing, or two or three of a kind."""
        thing = self._dress(self.rng.choice(self.kinds))
        count = min(left, self.rng.choices((1, 2, 3), (70, 20, 10))[0])
        same = self.rng.random() < 0.75
        for _ in range(count):
            things.append(self._put(thing, 1.0, things))
            if not same:
                thing = replace(self._dress(THINGS[thing.kind]), size=thing.size)

    def _dress(self, kind: Kind) -> Thing:
        """Choose colour, size and pattern of a thing; training never sees the held-out colour."""
        rng = self.rng
        colours = [c for c in COLOURS if self.split == "test" or not pair_is_held_out(kind.name, c)]
        colour = rng.choice(colours)
        if self.split == "test" and rng.random() < 0.2:
            colour = HELD_OUT_PAIRS[kind.name]
        size = rng.choices(SIZES, (22, 54, 24))[0]
        others = [p for p in kind.patterns if p != "plain"]
        pattern = rng.choice(others) if others and rng.random() < 0.4 else "plain"
        return Thing(kind.name, colour, size, pattern, _EVERYWHERE, _EVERYWHERE, 1.0, 0, _NOWHERE)

    def _height(self, thing: Thing, zoom: float) -> float:
        kind = THINGS[thing.kind]
        height = kind.height * _SCALE[thing.size] * zoom * self.rng.uniform(0.92, 1.08)
        return min(height, 0.8, 0.8 / kind.aspect)

    def _put(self, thing: Thing, zoom: float, others: list[Thing]) -> Thing:
        """Give the thing a place where it hides little of the others, as well as a few tries allow."""
        best, best_cost = thing, 9e9
        for _ in range(8):
            candidate = self._anywhere(thing, zoom)
            cost = sum(_shared(candidate, other) for other in others)
            if cost < best_cost:
                best, best_cost = candidate, cost
            if cost < 0.12:
                break
        return best

    def _anywhere(self, thing: Thing, zoom: float) -> Thing:
        rng, kind = self.rng, THINGS[thing.kind]
        height = self._height(thing, zoom)
        half = height * kind.aspect / 2
        edge = half * rng.choice((0.85, 1.0, 1.0, 1.0))
        x = rng.uniform(edge, 1 - edge) if edge < 0.5 else 0.5
        if kind.place == "sky":
            foot = rng.uniform(height * 0.95, max(height, self.horizon * 0.85))
        elif kind.place == "air":
            foot = rng.uniform(height * 1.02, max(height * 1.05, min(0.9, self.horizon + 0.1)))
        else:
            start = self.horizon + _GROUND_STARTS.get(self.background, 0.05)
            foot = rng.uniform(min(0.97, max(start, height * 0.98)), 0.985)
        return self._at(thing, x, foot, height)

    def _at(self, thing: Thing, x: float, foot: float, height: float) -> Thing:
        rng, kind = self.rng, THINGS[thing.kind]
        tilt = rng.uniform(-0.1, 0.1) if kind.place == "air" else rng.uniform(-0.025, 0.025)
        placement = Placement(x, foot, height, rng.random() < 0.5, tilt, rng.randrange(100_000))
        depth = {"sky": 0, "air": 20_000, "ground": 40_000}[kind.place] + round(foot * 10_000)
        if kind.place == "air" and rng.random() < 0.5:
            depth += 60_000
        return replace(thing, placement=placement, depth=depth)

    def _wish(self) -> _Wish | None:
        """Choose a relation to arrange; the test split sometimes asks for one that training never shows."""
        rng = self.rng
        if self.split == "test" and rng.random() < 0.16:
            if rng.random() < 0.3:
                subject, name, other = rng.choice(sorted(HELD_OUT_KINDS))
                return _Wish(name, subject, other)
            first, name, second = rng.choice(sorted(HELD_OUT_GROUPS))
            return _Wish(name, self._of_group(first), self._of_group(second))
        roll = rng.random()
        if roll < 0.16:
            return _Wish("inside", rng.choice(FITS_INSIDE), rng.choice([k.name for k in self.kinds if k.room]))
        if roll >= 0.42:
            return None
        ground = [k.name for k in self.kinds if k.place == "ground"]
        return _Wish("in front of" if roll < 0.32 else "next to", rng.choice(ground), rng.choice(ground))

    def _of_group(self, group: str) -> str:
        return self.rng.choice([k.name for k in self.kinds if k.group == group and k.place == "ground"])

    def _fulfil(self, wish: _Wish) -> list[Thing]:
        """Return the two things of a wish, placed so that it holds."""
        other = self._put(self._dress(THINGS[wish.object]), 1.0, [])
        subject = self._dress(THINGS[wish.subject])
        if wish.name == "inside":
            return self._inside(subject, other)
        place, rng = other.placement, self.rng
        height = self._height(subject, 1.0)
        half = (height * THINGS[subject.kind].aspect + place.height * THINGS[other.kind].aspect) / 2
        side = -1 if wish.name == "left of" else rng.choice((-1, 1))
        reach = half * rng.uniform(0.25, 0.7) if wish.name == "in front of" else half + rng.uniform(0.0, 0.06)
        foot = place.foot + (rng.uniform(0.01, 0.1) if wish.name == "in front of" else rng.uniform(-0.02, 0.02))
        return [self._at(subject, place.x + side * reach, min(0.985, foot), height), other]

    def _inside(self, subject: Thing, other: Thing) -> list[Thing]:
        """Stand the subject in the container, sized to its opening."""
        kind, inner = THINGS[other.kind], THINGS[subject.kind]
        height = max(other.placement.height, 0.16)
        foot = max(other.placement.foot, height * 1.6 if other.kind != "boat" else height)
        other = self._at(other, min(0.8, max(0.2, other.placement.x)), min(0.985, foot), height)
        opening = height * kind.aspect * (0.34 if other.kind == "boat" else 0.62)
        tall = min(opening / inner.aspect, height * (0.62 if other.kind == "boat" else 1.15))
        shift = self.rng.uniform(-0.08, 0.08) * height * kind.aspect
        if other.kind == "boat":
            shift += 0.2 * height * (-1 if other.placement.mirrored else 1)
        sunk = foot - height * (0.18 if other.kind == "boat" else 0.3)
        subject = self._at(subject, other.placement.x + shift, min(sunk, 0.97), tall)
        ratio = tall / inner.height
        size = "small" if ratio < 0.78 else "large" if ratio > 1.25 else "medium"
        return [replace(subject, container=1, depth=other.depth, size=size), other]


_NOWHERE = Placement(0.5, 0.9, 0.2, False, 0.0, 0)


def _rough_box(thing: Thing) -> tuple[float, float, float, float]:
    place = thing.placement
    half = place.height * THINGS[thing.kind].aspect / 2
    return (place.x - half, place.foot - place.height, place.x + half, place.foot)


def _shared(first: Thing, second: Thing) -> float:
    """Return the overlap of two rough boxes over the smaller one's area."""
    a, b = _rough_box(first), _rough_box(second)
    wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    return wide * tall / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def _is_seen(thing: Thing) -> bool:
    wide, tall = thing.box.x1 - thing.box.x0, thing.box.y1 - thing.box.y0
    least = 0.42 if thing.container is not None else _VISIBLE_LEAST
    return thing.visible_fraction >= least and min(wide, tall) >= _SIDE_LEAST


def _keep_seen(things: tuple[Thing, ...]) -> tuple[tuple[Thing, ...], Visibility]:
    """Drop things that cannot be seen well, least visible first, until all that are left can be."""
    while True:
        sight = look(things)
        hidden = [i for i, thing in enumerate(sight.things) if not _is_seen(thing)]
        if not hidden:
            return things, sight
        worst = min(hidden, key=lambda i: sight.things[i].visible_fraction)
        if any(thing.container == worst for thing in things):
            return (), sight
        kept = [t for i, t in enumerate(things) if i != worst]
        things = tuple(
            replace(t, container=t.container - 1) if t.container is not None and t.container > worst else t
            for t in kept
        )
        if not things:
            return (), sight


def generate_scene(seed: int, split: Split = "train", single: bool = False) -> Scene:
    """Return scene number `seed` of a split; equal arguments give equal scenes in every process.

    Args:
        seed: any number of the split's range in `storybook.splits.SEEDS`.
        split: train and validation never show what `storybook.splits` holds out.
        single: make a scene with exactly one thing, larger, for naming its kind.

    Returns:
        A scene whose boxes and relations were measured on a coarse raster; `render` measures them again on the pixels.
    """
    attempt = 0
    while True:
        planner = _Planner(f"storybook:{split}:{int(single)}:{seed}:{attempt}", split, single)
        attempt += 1
        things, sight = _keep_seen(planner.plan())
        if not things:
            continue
        relations = find_relations(sight.things, sight.covered)
        if split != "test" and held_out_relations(things, relations):
            continue
        whole = tuple(_with_full_box(thing) for thing in sight.things)
        return Scene(seed, split, planner.background, planner.style, planner.horizon, whole, relations, single)


def _with_full_box(thing: Thing) -> Thing:
    alone = look((replace(thing, container=None),)).things[0]
    return replace(thing, box_full=alone.box)
