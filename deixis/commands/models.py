"""`deixis models`: which encoders there are, which are here, and the one command that downloads."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from vision.encoders import hub
from vision.encoders.builtin import BUILT_IN
from vision.encoders.presets import PRESETS
from vision.encoders.registry import find_model
from vision.errors import ModelMissingError
from vision.grounding.presets import CAPTIONERS
from vision.grounding.registry import find_captioner
from vision.translation.presets import TRANSLATORS
from vision.translation.registry import find_translator

app = typer.Typer(help="List, download and locate the models that read pictures and words.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """Show every preset: licence, size, quality, and whether it is on this machine."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("preset", "licence", "dim", "px", "tokens", "R@1", "size", "here"):
        table.add_column(heading, no_wrap=True)
    table.add_column("note")
    for preset in PRESETS.values():
        table.add_row(
            preset.name,
            preset.licence,
            str(preset.dim),
            str(preset.image_px),
            str(preset.context_length),
            "–" if preset.coco_r1 is None else f"{preset.coco_r1:.1f}",
            f"{preset.download_bytes / 1e9:.1f} GB",
            "yes" if hub.is_present(preset) else "no",
            preset.note,
        )
    for built_in in BUILT_IN.values():
        limits = (str(built_in.dim), str(built_in.image_px), str(built_in.context_length))
        table.add_row(built_in.name, built_in.licence, *limits, "–", "built in", _is_here(built_in.name), built_in.note)
    for captioner in CAPTIONERS.values():
        size = f"{captioner.download_bytes / 1e9:.1f} GB" if captioner.hub_id else "built in"
        facts = (captioner.licence, "–", str(captioner.image_px), "–", "–", size)
        table.add_row(captioner.name, *facts, _is_here(captioner.name), f"writes captions: {captioner.note}")
    for translator in TRANSLATORS.values():
        facts = (translator.licence, "–", "–", "–", "–", f"{translator.download_bytes / 1e9:.1f} GB")
        table.add_row(translator.name, *facts, _is_here(translator.name), f"translates captions: {translator.note}")
    console = Console()
    console.print(table)
    console.print(
        "R@1: text→image on COCO 5K in per cent, as published. `colour` is built in: no download, colours only."
    )


def _find(name: str) -> hub.ModelPlace:
    if name in TRANSLATORS:
        return find_translator(name)
    return find_captioner(name) if name in CAPTIONERS else find_model(name)


def _is_here(name: str) -> str:
    try:
        _find(name)
    except ModelMissingError:
        return "no"
    return "yes"


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A preset, or owner/name of a hub repository.")],
    revision: Annotated[
        str | None, typer.Option(help="Commit, branch or tag; by default the preset's pinned commit, else main.")
    ] = None,
    backend: Annotated[
        str, typer.Option(help="Whose weights: transformers, onnx or onnx:VARIANT (such as onnx:quantized).")
    ] = "transformers",
) -> None:
    """Download a model into the hub cache and pin the commit that came."""
    preset = PRESETS.get(name) or CAPTIONERS.get(name) or TRANSLATORS.get(name)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(name, total=None)
        place = hub.pull(
            preset.hub_id if preset else name,
            name=name,
            revision=revision or (preset.revision if preset else "main"),
            backend=backend,
            progress=lambda done, total: bars.update(bar, completed=done, total=total or None),
        )
    typer.echo(f"{name} at revision {place.revision}\n{place.folder}")


@app.command()
def path(name: Annotated[str, typer.Argument(help="A preset, a folder, or owner/name of a hub repository.")]) -> None:
    """Print the folder of a model that is on this machine."""
    typer.echo(_find(name).folder)
