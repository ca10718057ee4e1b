"""`deixis quality`: what each backend and precision of a model costs in quality, and what it gains in speed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.captioner_quality import METHOD, CaptionerRow, measure_captioner
from deixis.commands.export import is_captioner
from deixis.context import decode_limits, read_settings
from deixis.evaluation_sets import CaptionedPictures, Evaluate, Figures, on_scenes, read_captioned_pictures
from deixis.options import Json, Threads
from deixis.output import err, out, print_json
from search.errors import SettingsError
from search.settings import Settings
from vision.encoders.backends import available_backends
from vision.encoders.base import Encoder
from vision.encoders.comparing import Measured, Sample, compare, take_sample
from vision.encoders.registry import find_model, load_encoder
from vision.errors import ModelError
from vision.machine import machine_line

_METHOD = (
    "Figures in per cent, on the same pictures and texts in every row. Loss: the most by which one of them falls below "
    "the first row's, in points. Speed and worst cosine: against the first row, on eight built-in pictures and twelve "
    "texts, in this run."
)


@dataclass(frozen=True, slots=True)
class _Row:
    measured: Measured
    figures: Figures
    loss: float


def quality(
    model: Annotated[str, typer.Argument(help="Encoder or captioner: preset, folder, or cached hub id.")],
    scenes: Annotated[int, typer.Option("--scenes", min=10, max=10_000, help="Drawn test scenes.")] = 300,
    captions: Annotated[
        Path | None, typer.Option("--captions", help="Measure on these captions instead: COCO or JSON lines.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option("--pictures", help="Folder of the captions' pictures.")] = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Measure every backend and precision that this machine can run from a model's folder, on one evaluation set.

    Drawn scenes suit the storybook's models; give any other encoder --captions and --pictures. Exit code 3 when a
    backend or a picture was left out; the rest is measured.
    """
    settings = read_settings(threads=threads)
    left_out: list[str] = []
    if is_captioner(model):
        return _captioner_quality(model, scenes, settings, left_out, as_json=json)
    rows = _measure(model, _evaluation(scenes, captions, pictures, settings, left_out), settings, left_out)
    machine = machine_line(settings.compute_threads)
    if json:
        shown = [asdict(row) for row in rows]
        print_json({"model": model, "machine": machine, "method": _METHOD, "rows": shown, "left_out": left_out})
    else:
        _print(rows, machine)
    for reason in left_out:
        err().print(f"left out: {reason}")
    return exit_codes.PARTIAL if left_out else exit_codes.OK


def _captioner_quality(model: str, scenes: int, settings: Settings, left_out: list[str], *, as_json: bool) -> int:
    rows = measure_captioner(
        model, scenes=scenes, threads=settings.compute_threads, left_out=left_out, report=err().print
    )
    machine = machine_line(settings.compute_threads)
    if as_json:
        shown = [asdict(row) for row in rows]
        print_json({"model": model, "machine": machine, "method": METHOD, "rows": shown, "left_out": left_out})
    else:
        _print_captioner(rows, machine)
    for reason in left_out:
        err().print(f"left out: {reason}")
    return exit_codes.PARTIAL if left_out else exit_codes.OK


def _print_captioner(rows: list[CaptionerRow], machine: str) -> None:
    lines = [["precision", "speed", *rows[0].figures, "loss"]]
    for row in rows:
        figures = [f"{value:.1f}" for value in row.figures.values()]
        lines.append([row.precision, f"{row.speed:.2f}×", *figures, f"{row.loss:.1f}"])
    _print_aligned(lines, f"{METHOD}\n{machine}")


def _evaluation(
    scenes: int, captions: Path | None, pictures: Path | None, settings: Settings, left_out: list[str]
) -> Evaluate:
    if captions is None and pictures is None:
        return on_scenes(scenes)
    if captions is None or pictures is None:
        raise SettingsError("--captions and --pictures belong together", remedy="Give both or neither.")
    known: list[CaptionedPictures] = []

    def on_pictures(encoder: Encoder) -> Figures:
        # All backends of one folder prepare pictures alike, so the first encoder's preparation serves them all.
        if not known:
            preprocessing = encoder.facts.preprocessing
            limits, workers = decode_limits(settings), settings.decoders
            known.append(read_captioned_pictures(captions, pictures, preprocessing, limits, workers))
            left_out.extend(known[0].left_out)
        return known[0].evaluate(encoder)

    return on_pictures


def _measure(model: str, evaluate: Evaluate, settings: Settings, left_out: list[str]) -> list[_Row]:
    rows: list[_Row] = []
    reference: Sample | None = None
    for backend in map(str, available_backends(find_model(model).folder)):
        err().print(f"{model}: {backend}")
        try:
            encoder = load_encoder(model, threads=settings.compute_threads, backend=backend)
        except ModelError as error:
            left_out.append(f"{backend}: {error}")
            continue
        sample = take_sample(encoder)
        reference = reference or sample
        figures = evaluate(encoder)
        first = rows[0].figures if rows else figures
        loss = max(first[name] - value for name, value in figures.items())
        rows.append(_Row(compare(backend, sample, reference), figures, loss))
    if not rows:
        raise ModelError(f"{model}: no backend can load it", remedy="\n".join(left_out))
    return rows


def _print(rows: list[_Row], machine: str) -> None:
    lines = [["backend", "speed", "worst cosine", *rows[0].figures, "loss"]]
    for row in rows:
        measured, figures = row.measured, [f"{value:.1f}" for value in row.figures.values()]
        about = [measured.backend, f"{measured.speed:.2f}×", f"{measured.worst_cosine:.5f}"]
        lines.append([*about, *figures, f"{row.loss:.1f}"])
    _print_aligned(lines, f"{_METHOD}\n{machine}")


def _print_aligned(lines: list[list[str]], below: str) -> None:
    # Not a table of the terminal's width: figures that are cut off are none.
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, *cells in lines:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        out().print("  ".join([name.ljust(widths[0]), *padded]))
    out().print(below)
