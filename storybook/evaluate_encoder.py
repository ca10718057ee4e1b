"""Measures a dual encoder on test scenes, through the product's own loader and preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storybook.drawing import Rendered, render
from storybook.language import LANGUAGES, captions, class_prompts
from storybook.scenes import generate_scene
from storybook.splits import held_out_things, is_held_out
from storybook.world import THINGS, Scene
from vision.encoders.base import Encoder
from vision.types import Embeddings

# The size of the pictures that `deixis demo` writes.
DRAWN_PX = 512
_CAPTION_SEED = 0


@dataclass(frozen=True, slots=True)
class Gallery:
    """Test scenes as an encoder sees them.

    Attributes:
        scenes: `n` scenes.
        rendered: their renderings, with the boxes measured on the pixels.
        embeddings: `(n, dim)` float32, L2-normalised.
    """

    scenes: Sequence[Scene]
    rendered: Sequence[Rendered]
    embeddings: Embeddings


def draw_gallery(encoder: Encoder, count: int, *, single: bool = False) -> Gallery:
    """Draw the first test scenes and embed them."""
    prepare = encoder.facts.preprocessing.prepare
    scenes = [generate_scene(seed, "test", single) for seed in range(count)]
    rendered = [render(scene, DRAWN_PX) for scene in scenes]
    pixels = np.stack([prepare(np.asarray(drawn.image)) for drawn in rendered])
    return Gallery(scenes, rendered, encoder.encode_prepared(pixels))


def evaluate_encoder(encoder: Encoder, *, scenes: int = 1000, singles: int = 1000) -> dict[str, float]:
    """Measure retrieval and zero-shot naming.

    Args:
        encoder: what to measure.
        scenes: test scenes; each is asked for by its detailed caption, among all of them.
        singles: test scenes of one thing each, for naming its kind.

    Returns:
        Per cent: text→image R@1 and R@10 in English, on the scenes that show and on those that do not show what
        training held out, R@10 per language, R@1 and R@10 of brief captions, and zero-shot accuracy per kind.
    """
    gallery = draw_gallery(encoder, scenes)
    figures: dict[str, float] = {"scenes": float(scenes)}
    ranks = {language: _ranks(encoder, gallery, language, detail=2) for language in LANGUAGES}
    english = ranks["en"]
    colours = np.array([bool(held_out_things(scene)) for scene in gallery.scenes])
    known = np.array([not is_held_out(scene) for scene in gallery.scenes])
    for name, chosen in (("", np.ones(scenes, bool)), ("_held_out_pairs", colours), ("_seen", known)):
        figures[f"r1{name}"] = recall(english[chosen], 1)
        figures[f"r10{name}"] = recall(english[chosen], 10)
        figures[f"queries{name}"] = float(chosen.sum())
    for language in LANGUAGES:
        figures[f"r10_{language}"] = recall(ranks[language], 10)
    brief = _ranks(encoder, gallery, "en", detail=0)
    figures |= {"brief_r1": recall(brief, 1), "brief_r10": recall(brief, 10)}
    if singles:
        figures["zero_shot_kind"] = zero_shot(encoder, draw_gallery(encoder, singles, single=True))
        figures["singles"] = float(singles)
    return {name: round(value, 2) for name, value in figures.items()}


def zero_shot(encoder: Encoder, gallery: Gallery) -> float:
    """Per cent of single things whose kind's English prompts, averaged, are nearest to the picture."""
    names = []
    for kind in THINGS:
        mean = encoder.encode_text(class_prompts(kind, "en")).mean(axis=0)
        names.append(mean / np.linalg.norm(mean))
    guessed = (gallery.embeddings @ np.stack(names).T).argmax(axis=1)
    truth = [list(THINGS).index(scene.things[0].kind) for scene in gallery.scenes]
    return 100.0 * float((guessed == np.array(truth)).mean())


def recall(ranks: NDArray[np.int64], k: int) -> float:
    """Per cent of queries whose picture is among the first k; NaN without queries."""
    return 100.0 * float((ranks <= k).mean()) if len(ranks) else float("nan")


def _ranks(encoder: Encoder, gallery: Gallery, language: str, *, detail: int) -> NDArray[np.int64]:
    """Rank of each scene's own picture, from 1; a tie counts against the query."""
    texts = [
        captions(scene, rendered, language, _CAPTION_SEED)[detail].text
        for scene, rendered in zip(gallery.scenes, gallery.rendered, strict=True)
    ]
    scores = encoder.encode_text(texts) @ gallery.embeddings.T
    own = np.diagonal(scores)[:, None]
    ranks: NDArray[np.int64] = (scores >= own).sum(axis=1).astype(np.int64)
    return ranks
