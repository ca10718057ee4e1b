"""What each precision of a captioner costs on the storybook's scenes, and what it gains in speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from storybook.drawing import render
from storybook.evaluate_captioner import evaluate_captioner
from storybook.scenes import generate_scene
from vision.errors import ModelError
from vision.grounding.registry import find_captioner, load_captioner

METHOD = (
    "Figures in per cent, on the same drawn scenes in every row. Loss: the most by which one of them falls below the "
    "first row's, in points. Speed: brief captions of eight scenes in one batch, against the first row, in this run."
)
# float16 is for GPUs alone, where bfloat16 costs the same.
_PRECISIONS = ("float32", "bfloat16", "int8")
_TIMED_SCENES = 8
_COUNTS = ("scenes", "expressions", "questions")


@dataclass(frozen=True, slots=True)
class CaptionerRow:
    """One precision's figures.

    Attributes:
        precision: as for `load_captioner`.
        speed: against the first row's.
        figures: of `evaluate_captioner`, in per cent.
        loss: points, as in `METHOD`.
    """

    precision: str
    speed: float
    figures: dict[str, float]
    loss: float


def measure_captioner(
    model: str, *, scenes: int, threads: int, left_out: list[str], report: Callable[[str], None]
) -> list[CaptionerRow]:
    """Measure a captioner in every precision that this machine can run.

    Args:
        model: as for `load_captioner`.
        scenes: test scenes.
        threads: CPU cores.
        left_out: receives the precisions that could not be loaded, with the reason.
        report: receives what is being measured.

    Raises:
        ModelMissingError: it is not on this machine.
        ModelError: no precision can be loaded.
    """
    find_captioner(model)
    pictures = [np.asarray(render(generate_scene(seed, "test", False), 256).image) for seed in range(_TIMED_SCENES)]
    rows: list[CaptionerRow] = []
    first_s = 0.0
    for precision in _PRECISIONS:
        report(f"{model}: {precision}")
        try:
            captioner = load_captioner(model, threads=threads, precision=precision)
        except ModelError as error:
            left_out.append(f"{precision}: {error}")
            continue
        captioner.caption(pictures)  # the first call measures its memory in small batches
        started = time.perf_counter()
        captioner.caption(pictures)
        took_s = time.perf_counter() - started
        first_s = first_s or took_s
        measured = evaluate_captioner(captioner, scenes=scenes)
        figures = {name: value for name, value in measured.items() if name not in _COUNTS}
        best = rows[0].figures if rows else figures
        loss = max(best[name] - value for name, value in figures.items())
        rows.append(CaptionerRow(precision, first_s / took_s, figures, loss))
    if not rows:
        raise ModelError(f"{model}: no precision can be loaded", remedy="\n".join(left_out))
    return rows
