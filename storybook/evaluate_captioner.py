"""Measures a captioner on test scenes: things named, phrases pointed at, questions answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from storybook.drawing import Rendered, render
from storybook.language import grammar_of, referring_expressions
from storybook.language.grammar import Words
from storybook.questions import questions
from storybook.scenes import generate_scene
from storybook.world import THINGS, Scene
from vision.geometry import iou
from vision.grounding.base import Decoding, GroundedCaptioner
from vision.types import RgbImage

_DRAWN_PX = 512
_TAGS = re.compile(r"<[^>]*>")


def evaluate_captioner(captioner: GroundedCaptioner, *, scenes: int = 1000) -> dict[str, float]:
    """Measure in English, per cent.

    Args:
        captioner: what to measure.
        scenes: test scenes.

    Returns:
        Things named that are there (precision) and things there that are named (recall) in brief captions; referring
        expressions whose box has IoU ≥ 0.5 with the thing's visible box, with boxes constrained to be boxes and written
        freely; questions answered word for word, by kind.
    """
    world = [generate_scene(seed, "test", False) for seed in range(scenes)]
    drawn = [render(scene, _DRAWN_PX) for scene in world]
    pictures = [np.asarray(one.image) for one in drawn]
    figures = {"scenes": float(scenes)}
    figures |= _named([caption.text for caption in captioner.caption(pictures)], world)
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
    captioner: GroundedCaptioner, world: Sequence[Scene], drawn: Sequence[Rendered], pictures: Sequence[RgbImage]
) -> dict[str, float]:
    wanted, shown, truth = [], [], []
    for scene, one, picture in zip(world, drawn, pictures, strict=True):
        for expression in referring_expressions(scene, "en")[:2]:
            wanted.append(expression.text)
            shown.append(picture)
            truth.append(one.things[expression.index].box)
    figures = {"expressions": float(len(truth))}
    for name, constrained in (("pointing_iou50", True), ("pointing_iou50_free", False)):
        found = captioner.refer(shown, wanted, decoding=Decoding(max_new_tokens=8, constrained=constrained))
        right = sum(
            bool(regions) and iou(regions[0].box, box) >= 0.5 for regions, box in zip(found, truth, strict=True)
        )
        figures[name] = 100.0 * right / max(1, len(truth))
    return figures


def _answered(
    captioner: GroundedCaptioner, world: Sequence[Scene], drawn: Sequence[Rendered], pictures: Sequence[RgbImage]
) -> dict[str, float]:
    asked, shown, rng = [], [], np.random.default_rng(0)
    for scene, one, picture in zip(world, drawn, pictures, strict=True):
        found = questions(scene, one, "en", 0)
        for index in rng.permutation(len(found))[:3]:
            asked.append(found[index])
            shown.append(picture)
    answers = captioner.ask(shown, [question.text for question in asked], decoding=Decoding(max_new_tokens=10))
    right = np.array([answer.text == question.answer for answer, question in zip(answers, asked, strict=True)])
    kinds = np.array([question.kind for question in asked])
    figures = {"questions_right": 100.0 * float(right.mean()), "questions": float(len(asked))}
    return figures | {f"questions_{kind}": 100.0 * float(right[kinds == kind].mean()) for kind in sorted(set(kinds))}
