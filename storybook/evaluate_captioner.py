"""Measures a captioner on test scenes: things named, phrases pointed at, questions answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import Kosmos2ForConditionalGeneration, Kosmos2Processor
from transformers.models.kosmos2.processing_kosmos2 import patch_index_to_coordinate

from storybook.captioner_model import GRID, LATENTS
from storybook.drawing import Rendered, render
from storybook.language import grammar_of, referring_expressions
from storybook.language.grammar import Words
from storybook.questions import questions
from storybook.scenes import generate_scene
from storybook.tasks import BRIEF
from storybook.world import THINGS, Scene
from vision.errors import ModelError, ModelMissingError
from vision.types import RgbImage

_AT_ONCE = 50
_DRAWN_PX = 512
_PAIR = re.compile(r"<patch_index_(\d{4})><patch_index_(\d{4})>")
_TAGS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Captioner:
    """A captioner in memory, with its processor."""

    model: Kosmos2ForConditionalGeneration
    processor: Kosmos2Processor

    def write(self, pictures: Sequence[RgbImage], prompts: Sequence[str], *, tokens: int) -> list[str]:
        """Continue each prompt about its picture, greedily; tags are kept, the prompt is not.

        Prompts of one length run together: padding on the left would shift Kosmos-2's positions.
        """
        encoded = [
            self.processor(text=prompt, images=[picture], return_tensors="pt")
            for prompt, picture in zip(prompts, pictures, strict=True)
        ]
        by_length: dict[int, list[int]] = {}
        for index, inputs in enumerate(encoded):
            by_length.setdefault(int(inputs["input_ids"].shape[1]), []).append(index)
        written = [""] * len(prompts)
        for length, indexes in by_length.items():
            for start in range(0, len(indexes), _AT_ONCE):
                part = indexes[start : start + _AT_ONCE]
                batch = {name: torch.cat([encoded[index][name] for index in part]) for name in encoded[0]}
                with torch.inference_mode():
                    ids = self.model.generate(**batch, max_new_tokens=tokens, do_sample=False, use_cache=True)
                for index, row in zip(part, ids[:, length:].tolist(), strict=True):
                    written[index] = self._text(row)
        return written

    def _text(self, ids: Sequence[int]) -> str:
        tokenizer = self.processor.tokenizer
        kept = []
        for index in ids:
            if index in (tokenizer.eos_token_id, tokenizer.pad_token_id):
                break
            kept.append(index)
        return str(tokenizer.decode(kept, skip_special_tokens=False))


def load_captioner(folder: Path, *, threads: int | None = None) -> Captioner:
    """Load a captioner's folder.

    Raises:
        ModelMissingError: the folder holds no weights.
        ModelError: its image slots are not those of the storybook.
    """
    if not (folder / "model.safetensors").is_file():
        raise ModelMissingError(
            f"{folder}: model.safetensors is missing",
            remedy="Train one with `python -m storybook.train captioner --out FOLDER`.",
        )
    if threads:
        torch.set_num_threads(threads)
    model = Kosmos2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    if model.config.latent_query_num != LATENTS:
        raise ModelError(f"{folder}: {model.config.latent_query_num} image slots, expected {LATENTS}")
    return Captioner(model, Kosmos2Processor.from_pretrained(folder, local_files_only=True))


def evaluate_captioner(captioner: Captioner, *, scenes: int = 1000) -> dict[str, float]:
    """Measure in English, per cent.

    Args:
        captioner: what to measure.
        scenes: test scenes.

    Returns:
        Things named that are there (precision) and things there that are named (recall) in brief captions; referring
        expressions whose box has IoU ≥ 0.5 with the thing's visible box; questions answered word for word, by kind.
    """
    world = [generate_scene(seed, "test", False) for seed in range(scenes)]
    drawn = [render(scene, _DRAWN_PX) for scene in world]
    pictures = [np.asarray(one.image) for one in drawn]
    figures = {"scenes": float(scenes)}
    figures |= _named(captioner.write(pictures, [BRIEF] * scenes, tokens=96), world)
    figures |= _pointed(captioner, world, drawn, pictures)
    figures |= _answered(captioner, world, drawn, pictures)
    return {name: round(value, 2) for name, value in figures.items()}


def _named(written: Sequence[str], world: Sequence[Scene]) -> dict[str, float]:
    """Count each kind once per caption and once per thing there."""
    true = said = there = 0
    for text, scene in zip(written, world, strict=True):
        named = kinds_named(text)
        seen = [thing.kind for thing in scene.things]
        true += sum(min(count, seen.count(kind)) for kind, count in named.items())
        said += sum(named.values())
        there += len(seen)
    return {"named_precision": 100.0 * true / max(1, said), "named_recall": 100.0 * true / max(1, there)}


def kinds_named(text: str) -> dict[str, int]:
    """How many things of each kind an English text names ("two red dogs" names two); tags are ignored."""
    words = f" {_TAGS.sub('', text).lower()} "
    found: dict[str, int] = {}
    for kind, forms in _FORMS:
        for count, form in forms:
            pattern = re.compile(form)
            hits = len(pattern.findall(words))
            if hits:
                found[kind] = found.get(kind, 0) + hits * count
                words = pattern.sub(" ", words)
    return found


def _forms() -> Iterator[tuple[str, list[tuple[int, str]]]]:
    english = grammar_of("en")
    # Longer names first: "hot-air balloon" before any name that is part of it.
    for kind in sorted(THINGS, key=len, reverse=True):
        one = english.phrase(Words(kind))[1].split(" ", 1)[1]
        many = english.phrase(Words(kind, count=2))[1].split(" ", 1)[1]
        numbered = [
            (count, rf"\b{word}\b(?: (?!and\b|a\b|an\b|the\b)[\w-]+){{0,3}}? {re.escape(many)}\b")
            for count, word in ((2, "two"), (3, "three"), (4, "four"), (5, "five"))
        ]
        yield kind, [*numbered, (1, rf"\b{re.escape(one)}\b"), (2, rf"\b{re.escape(many)}\b")]


_FORMS = list(_forms())


def _pointed(
    captioner: Captioner, world: Sequence[Scene], drawn: Sequence[Rendered], pictures: Sequence[RgbImage]
) -> dict[str, float]:
    prompts, shown, truth = [], [], []
    for scene, one, picture in zip(world, drawn, pictures, strict=True):
        for expression in referring_expressions(scene, "en")[:2]:
            prompts.append(f"<grounding><phrase> {expression.text}</phrase>")
            shown.append(picture)
            truth.append(one.things[expression.index].box.as_xyxy())
    right = 0
    for text, box in zip(captioner.write(shown, prompts, tokens=5), truth, strict=True):
        pair = _PAIR.search(text)
        if pair and overlap(patch_index_to_coordinate(int(pair[1]), int(pair[2]), GRID), box) >= 0.5:
            right += 1
    return {"pointing_iou50": 100.0 * right / max(1, len(truth)), "expressions": float(len(truth))}


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """IoU of two `xyxy` boxes; 0 for a box that is inverted or empty."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    tall = min(first[3], second[3]) - max(first[1], second[1])
    areas = [max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (first, second)]
    shared = max(0.0, wide) * max(0.0, tall)
    return shared / (sum(areas) - shared) if shared > 0 else 0.0


def _answered(
    captioner: Captioner, world: Sequence[Scene], drawn: Sequence[Rendered], pictures: Sequence[RgbImage]
) -> dict[str, float]:
    asked, shown, rng = [], [], np.random.default_rng(0)
    for scene, one, picture in zip(world, drawn, pictures, strict=True):
        found = questions(scene, one, "en", 0)
        for index in rng.permutation(len(found))[:3]:
            asked.append(found[index])
            shown.append(picture)
    written = captioner.write(shown, [f"Question: {question.text} Answer:" for question in asked], tokens=10)
    right = np.array([text.strip() == question.answer for text, question in zip(written, asked, strict=True)])
    kinds = np.array([question.kind for question in asked])
    figures = {"questions_right": 100.0 * float(right.mean()), "questions": float(len(asked))}
    return figures | {f"questions_{kind}": 100.0 * float(right[kinds == kind].mean()) for kind in sorted(set(kinds))}
