"""`deixis eval storybook` and `captioner`: the built-in models, or others, on drawn test scenes."""

from __future__ import annotations

from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import read_settings
from deixis.options import Json, Threads, complete_captioner, complete_encoder
from deixis.output import out, print_json
from search.encoder import EncoderWish, new_encoder
from storybook.evaluate_captioner import evaluate_captioner
from storybook.evaluate_encoder import evaluate_encoder
from vision.grounding.registry import load_captioner


def storybook(
    model: Annotated[
        str, typer.Option("--model", help="Encoder to measure.", autocompletion=complete_encoder)
    ] = "storybook-encoder",
    scenes: Annotated[int, typer.Option("--scenes", min=10, max=10_000, help="Test scenes.")] = 1000,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Retrieval in six languages and zero-shot naming on drawn test scenes, which need no library and no download."""
    settings = read_settings(threads=threads)
    encoder = new_encoder(EncoderWish.of(settings), model, lasting=False)
    figures = evaluate_encoder(encoder, scenes=scenes, singles=scenes)
    _print_figures(figures, as_json=json)
    return exit_codes.OK


def captioner(
    model: Annotated[
        str, typer.Option("--captioner", help="Captioner to measure.", autocompletion=complete_captioner)
    ] = "storybook-captioner",
    scenes: Annotated[int, typer.Option("--scenes", min=10, max=10_000, help="Test scenes.")] = 1000,
    precision: Annotated[str, typer.Option("--precision", help="float32, bfloat16, float16 or int8.")] = "float32",
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Things named, expressions pointed at and questions answered on drawn test scenes."""
    settings = read_settings(threads=threads)
    measured = load_captioner(model, threads=settings.compute_threads, precision=precision)
    figures = evaluate_captioner(measured, scenes=scenes)
    _print_figures(figures, as_json=json)
    return exit_codes.OK


def _print_figures(figures: dict[str, float], *, as_json: bool) -> None:
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        out().print(f"{name:<28} {value:7.1f}")
