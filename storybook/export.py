"""Writes a gallery: pictures of scenes, and `annotations.jsonl` with their captions, phrases, boxes and regions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from storybook.drawing import Rendered, render
from storybook.language import LANGUAGES, captions, phrase_for
from storybook.scenes import generate_scene
from storybook.splits import SEEDS, held_out_relations, held_out_things
from storybook.world import Scene, Split
from vision.errors import DeixisError
from vision.types import Box
from vision.whole_files import write_whole

ANNOTATIONS = "annotations.jsonl"
_PLACES = 6


class GalleryError(DeixisError):
    """A gallery cannot be written as asked."""


@dataclass(frozen=True, slots=True)
class GalleryPlan:
    """What a gallery holds.

    Attributes:
        count: number of pictures.
        seed: seed of the first scene; the others follow.
        split: whose scenes.
        size_px: side of the pictures.
        single: one thing per picture.
        file_format: png, or jpg at quality 92.
        languages: languages of the captions; each gives one brief and one detailed caption.
        workers: processes that draw.
    """

    count: int
    seed: int = 0
    split: Split = "test"
    size_px: int = 512
    single: bool = False
    file_format: Literal["png", "jpg"] = "png"
    languages: tuple[str, ...] = ("en",)
    workers: int = 1


def export_gallery(folder: Path, plan: GalleryPlan, *, progress: Callable[[int], None] | None = None) -> Path:
    """Write the pictures and their annotations; equal plans give equal bytes, however many workers draw.

    Args:
        folder: where to write; created when absent, files of the same names are replaced.
        plan: what to write.
        progress: called with the number of pictures written so far.

    Returns:
        The path of the annotations, which are written last: where they are, the pictures are whole.

    Raises:
        GalleryError: the plan asks for seeds outside its split, no picture, or a language that is not spoken.
    """
    _check(plan)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in _rows(folder, plan):
        rows.append(json.dumps(row, ensure_ascii=False))
        if progress:
            progress(len(rows))
    write_whole(folder / ANNOTATIONS, "".join(f"{row}\n" for row in rows))
    return folder / ANNOTATIONS


def _check(plan: GalleryPlan) -> None:
    seeds = SEEDS[plan.split]
    if plan.count < 1 or plan.size_px < 32:
        raise GalleryError(f"a gallery needs at least 1 picture of 32 px, got {plan.count} of {plan.size_px} px")
    if plan.seed < seeds.start or plan.seed + plan.count > seeds.stop:
        raise GalleryError(
            f"the {plan.split} split has the seeds {seeds.start} to {seeds.stop - 1}, "
            f"got {plan.seed} to {plan.seed + plan.count - 1}",
            remedy="Choose a smaller seed or count, or another split.",
        )
    unknown = [language for language in plan.languages if language not in LANGUAGES]
    if unknown:
        raise GalleryError(
            f"the storybook does not speak {', '.join(unknown)}", remedy=f"Choose from {', '.join(LANGUAGES)}."
        )


def _rows(folder: Path, plan: GalleryPlan) -> Iterator[dict[str, Any]]:
    numbers = range(plan.count)
    if plan.workers <= 1:
        yield from (_export_one(folder, plan, number) for number in numbers)
        return
    pool: Executor = ProcessPoolExecutor(plan.workers, mp_context=get_context("spawn"))
    with pool:
        yield from pool.map(partial(_export_one, folder, plan), numbers, chunksize=8)


def _export_one(folder: Path, plan: GalleryPlan, number: int) -> dict[str, Any]:
    scene = generate_scene(plan.seed + number, plan.split, plan.single)
    rendered = render(scene, plan.size_px)
    name = f"scene-{number + 1:04d}.{plan.file_format}"
    if plan.file_format == "jpg":
        rendered.image.save(folder / name, quality=92)
    else:
        rendered.image.save(folder / name, compress_level=6)
    return annotate(scene, rendered, name, plan.languages)


def annotate(scene: Scene, rendered: Rendered, file: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """Return one line of `annotations.jsonl`; `docs/storybook.md` describes every key."""
    things = rendered.things
    told = []
    for language in languages:
        brief, _, detailed = captions(scene, rendered, language, seed=0)
        for caption in (brief, detailed):
            phrases = [
                {"span": [span.start, span.end], "boxes": [_corners(things[i].box) for i in indexes]}
                for span, indexes in caption.phrases
            ]
            told.append({"text": caption.text, "language": language, "detail": caption.detail, "phrases": phrases})
    regions = [
        {"phrase": phrase_for(thing, languages[0], detail="detailed"), "box": _corners(thing.box)}
        for thing in things
        if thing.visible_fraction > 0.0
    ]
    return {
        "file": file,
        "width": rendered.image.width,
        "height": rendered.image.height,
        "captions": told,
        "regions": regions,
        "scene": _facts(scene, rendered),
    }


def _facts(scene: Scene, rendered: Rendered) -> dict[str, Any]:
    return {
        "seed": scene.seed,
        "split": scene.split,
        "background": scene.background,
        "style": scene.style,
        "things": [
            {
                "kind": thing.kind,
                "colour": thing.colour,
                "size": thing.size,
                "pattern": thing.pattern,
                "box": _corners(thing.box),
                "visible_fraction": round(thing.visible_fraction, 3),
            }
            for thing in rendered.things
        ],
        "relations": [[r.subject, r.name, r.object] for r in scene.relations],
        "held_out_things": list(held_out_things(scene)),
        "held_out_relations": [
            [r.subject, r.name, r.object] for r in held_out_relations(scene.things, scene.relations)
        ],
    }


def _corners(box: Box) -> list[float]:
    return [round(value, _PLACES) for value in box.as_xyxy()]
