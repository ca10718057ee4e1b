"""Pairs of texts of the same words, one true of a scene and one false: colours swapped, a relation turned round."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from PIL import Image

from storybook.data import mirror_scene
from storybook.drawing import render
from storybook.language import grammar_of
from storybook.language.grammar import Grammar, Words
from storybook.scenes import generate_scene
from storybook.shown import Triple, colour_pairs, opposite, triples
from storybook.wording import all_of, related
from storybook.world import Scene

TwinKind: TypeAlias = Literal["colours", "relations"]
TWIN_KINDS: tuple[TwinKind, ...] = ("colours", "relations")


@dataclass(frozen=True, slots=True)
class Twin:
    """Two texts about one scene.

    Attributes:
        kind: what is exchanged.
        language: two-letter code of both.
        true: what the scene shows.
        false: the same words exchanged, which the scene does not show.
        seed: of the scene.
        rivals: seeds of the set's scenes of which `false` is true and `true` is not.
        changed: the scene changed so that `false` is true of it and `true` is not, for `draw_rival`; or None.
    """

    kind: TwinKind
    language: str
    true: str
    false: str
    seed: int
    rivals: frozenset[int]
    changed: Scene | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """Something a scene shows or does not show, and its wording."""

    holds: Callable[[Scene], bool]
    say: Callable[[Grammar], str]


def twins(seeds: Sequence[int], *, languages: Sequence[str] = ("en",), seed: int = 0) -> list[Twin]:
    """Return at most one pair of each kind for every scene; equal arguments give equal pairs.

    Args:
        seeds: of test scenes.
        languages: of `storybook.language.LANGUAGES`; each tells the same facts.
        seed: chooses among the facts of a scene.

    Raises:
        LanguageError: the storybook does not speak a language.
    """
    scenes = [generate_scene(number, "test") for number in seeds]
    grammars = [grammar_of(language) for language in languages]
    found = []
    for scene in scenes:
        for kind in TWIN_KINDS:
            rng = random.Random(f"twins:{kind}:{scene.seed}:{seed}")
            pairs = _colours(scene) if kind == "colours" else _relations(scene)
            fair = [(true, false, changed) for true, false, changed in pairs if _tells_apart(true, false, scene)]
            if not fair:
                continue
            true, false, changed = rng.choice(fair)
            rivals = frozenset(other.seed for other in scenes if _tells_apart(false, true, other))
            drawn = changed if changed is not None and _tells_apart(false, true, changed) else None
            found += [
                Twin(kind, grammar.code, true.say(grammar), false.say(grammar), scene.seed, rivals, drawn)
                for grammar in grammars
            ]
    return found


def draw_rival(twin: Twin, side_px: int) -> Image.Image | None:
    """Draw the changed scene of a pair, `side_px` squared RGB: the same things in exchanged colours, or mirrored."""
    if twin.changed is None:
        return None
    if twin.kind == "colours":
        return render(twin.changed, side_px).image
    picture = render(generate_scene(twin.seed, "test"), side_px).image
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _tells_apart(true: _Claim, false: _Claim, scene: Scene) -> bool:
    return true.holds(scene) and not false.holds(scene)


def _colours(scene: Scene) -> list[tuple[_Claim, _Claim, Scene | None]]:
    """Two kinds in two colours; the changed scene paints every such thing in the other's colour."""
    found: list[tuple[_Claim, _Claim, Scene | None]] = []
    for (colour, kind), (other_colour, other_kind) in dict.fromkeys(colour_pairs(scene)):
        if colour == other_colour:
            continue
        painted = {(colour, kind): other_colour, (other_colour, other_kind): colour}
        things = tuple(replace(t, colour=painted.get((t.colour, t.kind), t.colour)) for t in scene.things)
        true = _bound(Words(kind, colour), Words(other_kind, other_colour))
        false = _bound(Words(kind, other_colour), Words(other_kind, colour))
        found.append((true, false, replace(scene, things=things)))
    return found


def _bound(first: Words, second: Words) -> _Claim:
    pair = ((str(first.colour), first.kind), (str(second.colour), second.kind))
    return _Claim(lambda scene: pair in colour_pairs(scene), lambda grammar: all_of((first, second), grammar))


def _relations(scene: Scene) -> list[tuple[_Claim, _Claim, Scene | None]]:
    """A relation and what is false where it holds; left and right are exchanged by the picture's mirror image."""
    found: list[tuple[_Claim, _Claim, Scene | None]] = []
    for subject, name, other in dict.fromkeys(triples(scene)):
        turned = opposite(subject, name, other)
        if turned is None or subject == other:
            continue
        mirrored = mirror_scene(scene) if name in ("left of", "right of") else None
        found.append((_told((subject, name, other)), _told(turned), mirrored))
    return found


def _told(triple: Triple) -> _Claim:
    return _Claim(lambda scene: triple in triples(scene), related(*triple))
