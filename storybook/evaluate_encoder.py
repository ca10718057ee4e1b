"""Measures a dual encoder on test scenes, through the product's own loader and preprocessing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storybook.drawing import render
from storybook.language import LANGUAGES, captions, class_prompts
from storybook.scenes import generate_scene
from storybook.splits import held_out_things, is_held_out
from storybook.world import THINGS, Scene
from vision.encoders.base import Encoder
from vision.preprocessing import Preprocessing
from vision.types import Embeddings, RgbImage

# The size of the pictures that `deixis demo` writes.
DRAWN_PX = 512
_CAPTION_SEED = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """Test scenes as one preprocessing sees them; drawn once, they serve every encoder that prepares pictures so.

    Attributes:
        scenes: `n` scenes.
        pixels: `(n, height, width, 3)` uint8, RGB, prepared.
        brief: language → the brief caption of each scene; empty for scenes of one thing.
        detailed: language → the detailed caption of each; likewise.
    """

    scenes: Sequence[Scene]
    pixels: NDArray[np.uint8]
    brief: Mapping[str, list[str]]
    detailed: Mapping[str, list[str]]


def draw_scenes(preprocessing: Preprocessing, count: int, *, single: bool = False) -> Drawn:
    """Draw and describe the first test scenes."""
    scenes = [generate_scene(seed, "test", single) for seed in range(count)]
    pixels: list[RgbImage] = []
    languages = () if single else LANGUAGES
    brief: dict[str, list[str]] = {language: [] for language in languages}
    detailed: dict[str, list[str]] = {language: [] for language in languages}
    for scene in scenes:
        rendered = render(scene, DRAWN_PX)
        pixels.append(preprocessing.prepare(np.asarray(rendered.image)))
        for language in languages:
            told = captions(scene, rendered, language, _CAPTION_SEED)
            brief[language].append(told[0].text)
            detailed[language].append(told[2].text)
    return Drawn(scenes, np.stack(pixels), brief, detailed)


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
    preprocessing = encoder.facts.preprocessing
    alone = draw_scenes(preprocessing, singles, single=True) if singles else None
    return evaluate_on(encoder, draw_scenes(preprocessing, scenes), alone)


def evaluate_on(encoder: Encoder, drawn: Drawn, singles: Drawn | None) -> dict[str, float]:
    """Measure what `evaluate_encoder` measures, on scenes that are drawn already, by the encoder's preprocessing."""
    images = encoder.encode_prepared(drawn.pixels)
    figures: dict[str, float] = {"scenes": float(len(drawn.scenes))}
    ranks = {language: _ranks(encoder, texts, images) for language, texts in drawn.detailed.items()}
    english = ranks["en"]
    colours = np.array([bool(held_out_things(scene)) for scene in drawn.scenes])
    known = np.array([not is_held_out(scene) for scene in drawn.scenes])
    for name, chosen in (("", np.ones(len(images), bool)), ("_held_out_pairs", colours), ("_seen", known)):
        figures[f"r1{name}"] = recall(english[chosen], 1)
        figures[f"r10{name}"] = recall(english[chosen], 10)
        figures[f"queries{name}"] = float(chosen.sum())
    for language in LANGUAGES:
        figures[f"r10_{language}"] = recall(ranks[language], 10)
    brief = _ranks(encoder, drawn.brief["en"], images)
    figures |= {"brief_r1": recall(brief, 1), "brief_r10": recall(brief, 10)}
    if singles is not None:
        figures["zero_shot_kind"] = zero_shot(encoder, singles)
        figures["singles"] = float(len(singles.scenes))
    return {name: round(value, 2) for name, value in figures.items()}


def zero_shot(encoder: Encoder, singles: Drawn) -> float:
    """Per cent of single things whose kind's English prompts, averaged, are nearest to the picture."""
    names = []
    for kind in THINGS:
        mean = encoder.encode_text(class_prompts(kind, "en")).mean(axis=0)
        names.append(mean / np.linalg.norm(mean))
    guessed = (encoder.encode_prepared(singles.pixels) @ np.stack(names).T).argmax(axis=1)
    truth = [list(THINGS).index(scene.things[0].kind) for scene in singles.scenes]
    return 100.0 * float((guessed == np.array(truth)).mean())


def recall(ranks: NDArray[np.int64], k: int) -> float:
    """Per cent of queries whose picture is among the first k; NaN without queries."""
    return 100.0 * float((ranks <= k).mean()) if len(ranks) else float("nan")


def _ranks(encoder: Encoder, texts: Sequence[str], images: Embeddings) -> NDArray[np.int64]:
    """Rank of each text's own picture, from 1; a tie counts against the query."""
    scores = encoder.encode_text(texts) @ images.T
    own = np.diagonal(scores)[:, None]
    ranks: NDArray[np.int64] = (scores >= own).sum(axis=1).astype(np.int64)
    return ranks
