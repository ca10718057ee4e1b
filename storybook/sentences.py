"""What the dual encoder is told about a scene: captions with false twins, phrases with their truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storybook.data import mirror_scene
from storybook.drawing import Rendered
from storybook.language import LANGUAGES, captions, class_prompts, grammar_of
from storybook.language.captions import CaptionText, describe, fits
from storybook.language.grammar import Words
from storybook.splits import is_held_out, pair_is_held_out
from storybook.world import COLOURS, THINGS, Scene

_SEEDS = 1_000_000
_ATTRIBUTES: tuple[tuple[str, ...], ...] = (
    (),
    ("colour",),
    ("colour",),
    ("colour", "pattern"),
    ("size", "colour", "pattern"),
)


def as_rendered(scene: Scene) -> Rendered:
    """A stored scene's rendering without its picture: its things already carry the boxes measured on the pixels."""
    return Rendered(Image.new("RGB", (1, 1)), scene.things, np.zeros((1, 1), np.uint8))


def all_captions(scene: Scene, language: str, seed: int) -> list[CaptionText]:
    """Two brief captions and a detailed one of a stored scene; equal arguments give equal captions."""
    return captions(scene, as_rendered(scene), language, seed)


class Sentences:
    """Draws sentences for the dual encoder, all languages alike often."""

    def caption(self, scene: Scene, rng: np.random.Generator, *, twin: bool) -> tuple[str, str | None]:
        """One caption of a scene, and its false twin if wanted: the same words about another scene.

        The twin exchanges the colours of two things, or left and right; it is None where neither makes a difference.
        """
        language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
        seed = int(rng.integers(_SEEDS))
        # Two brief captions and a detailed one; the detailed one, which tells most, is drawn every other time.
        choice = int(rng.choice(3, p=(0.25, 0.25, 0.5)))
        text = all_captions(scene, language, seed)[choice].text
        if not twin:
            return text, None
        changed = swap_colours(scene, rng) if choice < 2 or rng.random() < 0.5 else mirror_scene(scene)
        # What is held out must not be learnt as something that no picture shows.
        if changed is None or is_held_out(changed):
            return text, None
        false = all_captions(changed, language, seed)[choice].text
        return text, false if false != text else None

    def phrases(
        self, scenes: Sequence[Scene], count: int, rng: np.random.Generator
    ) -> tuple[list[str], NDArray[np.float32]]:
        """A prompt for every kind of thing, then phrases about things of a batch, and which pictures show them.

        Returns:
            `46 + count` texts, and `(46 + count, len(scenes))` float32: 1 where the scene shows such a thing, else 0.
        """
        asked = [Words(kind) for kind in THINGS] + [self._words(scenes, rng) for _ in range(count)]
        truth = np.zeros((len(asked), len(scenes)), np.float32)
        texts: list[str] = []
        for row, words in enumerate(asked):
            language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
            if row < len(THINGS):
                prompts = class_prompts(words.kind, language)
                texts.append(prompts[int(rng.integers(len(prompts)))])
            else:
                texts.append(grammar_of(language).phrase(words)[1])
            truth[row] = [any(fits(words, thing) for thing in scene.things) for scene in scenes]
        return texts, truth

    def _words(self, scenes: Sequence[Scene], rng: np.random.Generator) -> Words:
        things = scenes[int(rng.integers(len(scenes)))].things
        thing = things[int(rng.integers(len(things)))]
        words = describe(thing, _ATTRIBUTES[int(rng.integers(len(_ATTRIBUTES)))])
        if words.colour is not None and rng.random() < 0.3:
            colour = tuple(COLOURS)[int(rng.integers(len(COLOURS)))]
            # A held-out pair must not be learnt as something that no picture shows.
            if not pair_is_held_out(words.kind, colour):
                words = replace(words, colour=colour)
        return words


def swap_colours(scene: Scene, rng: np.random.Generator) -> Scene | None:
    """The scene with the colours of two things exchanged; None where all have one colour."""
    things = list(scene.things)
    pairs = [(i, j) for i in range(len(things)) for j in range(i) if things[i].colour != things[j].colour]
    if not pairs:
        return None
    first, second = pairs[int(rng.integers(len(pairs)))]
    colours = things[first].colour, things[second].colour
    things[first] = replace(things[first], colour=colours[1])
    things[second] = replace(things[second], colour=colours[0])
    return replace(scene, things=tuple(things))


def corpus(scenes: Sequence[Scene]) -> Iterator[str]:
    """All that is said about some scenes, for training a tokenizer: every language, captions and prompts."""
    for number, scene in enumerate(scenes):
        for language in LANGUAGES:
            yield from (caption.text for caption in all_captions(scene, language, number))
    for language in LANGUAGES:
        for scene in scenes[:500]:
            for thing in scene.things:
                yield grammar_of(language).phrase(describe(thing, ("size", "colour", "pattern"), definite=True))[1]
