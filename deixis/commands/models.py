"""`deixis models`: which encoders there are, which are here, and the one command that downloads."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from deixis.options import Json, complete_download, complete_model
from deixis.output import out, print_json
from vision.encoders import hub
from vision.encoders.builtin import BUILT_IN
from vision.encoders.presets import PRESETS
from vision.encoders.registry import find_model
from vision.errors import ModelError
from vision.grounding.presets import CAPTIONERS
from vision.grounding.registry import find_captioner
from vision.model_kinds import CAPTIONER, ENCODER, TRANSLATOR, ModelKind
from vision.readers.presets import MOST_PX, READERS
from vision.readers.registry import installed_reader
from vision.translation.presets import TRANSLATORS
from vision.translation.registry import find_translator

_LEGEND = (
    "R@1: text→image on COCO 5K in per cent, as published. Give an encoder with --model, a captioner with --captioner, "
    "a translator with --translator, a reader with --reader."
)
# What a terminal of so many columns has room for; the note takes what is left.
_COLUMNS = ((100, ("licence", "dim", "px", "tokens")), (80, ("R@1",)), (0, ("size", "here")))


def list_models(json: Json = False) -> None:
    """Show every preset: licence, size, quality, and whether it is on this machine."""
    rows = _rows()
    if json:
        print_json({"models": rows})
        return
    console = out()
    width = console.width if console.is_terminal else 10_000
    shown = [name for least, names in _COLUMNS if width >= least for name in names]
    order = [name for name in ("licence", "dim", "px", "tokens", "R@1", "size", "here") if name in shown]
    for kind in ("encoder", "captioner", "translator", "reader"):
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column(f"{kind}s", no_wrap=True)
        for heading in order:
            table.add_column(heading, no_wrap=True)
        table.add_column("note", overflow="fold")
        for row in rows:
            if row["kind"] == kind:
                table.add_row(row["name"], *(_cell(row, heading) for heading in order), row["note"])
        Console(highlight=False, markup=False, width=width).print(table)
    console.print(_LEGEND)


def _rows() -> list[dict[str, Any]]:
    rows = []
    for preset in PRESETS.values():
        rows.append(_row("encoder", preset, preset.download_bytes, preset.dim, preset.context_length, preset.coco_r1))
    for built_in in BUILT_IN.values():
        rows.append(_row("encoder", built_in, None, built_in.dim, built_in.context_length))
    rows.append(
        {"kind": "encoder", "name": "colour", "licence": "Apache-2.0", "dim": 128, "px": 24, "tokens": 64}
        | {"coco_r1": None, "download_bytes": None, "here": True, "note": "knows colours only; for trying things out"}
    )
    for captioner in CAPTIONERS.values():
        rows.append(_row("captioner", captioner, captioner.download_bytes or None))
    for translator in TRANSLATORS.values():
        rows.append(_row("translator", translator, translator.download_bytes))
    for reader in READERS.values():
        here = installed_reader(reader.name) is not None
        rows.append(
            {
                "kind": "reader",
                "name": reader.name,
                "licence": reader.licence,
                "dim": None,
                "px": MOST_PX,
                "tokens": None,
            }
            | {"coco_r1": None, "download_bytes": None, "here": here, "note": reader.note}
        )
    return rows


def _row(
    kind: str,
    preset: Any,
    download_bytes: int | None,
    dim: int | None = None,
    tokens: int | None = None,
    coco_r1: float | None = None,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": preset.name,
        "licence": preset.licence,
        "dim": dim,
        "px": getattr(preset, "image_px", None),
        "tokens": tokens,
        "coco_r1": coco_r1,
        "download_bytes": download_bytes,
        "here": _is_here(preset.name),
        "note": preset.note,
    }


def _cell(row: dict[str, Any], heading: str) -> str:
    if heading == "here":
        return "yes" if row["here"] else "no"
    if heading == "size":
        return "built in" if row["download_bytes"] is None else f"{row['download_bytes'] / 1e9:.1f} GB"
    value = row["coco_r1" if heading == "R@1" else heading]
    if value is None:
        return "–"
    return f"{value:.1f}" if heading == "R@1" else str(value)


def find_place(name: str) -> hub.ModelPlace:
    """Where a model of any kind lies."""
    if name in TRANSLATORS:
        return find_translator(name)
    return find_captioner(name) if name in CAPTIONERS else find_model(name)


def _is_here(name: str) -> bool:
    try:
        find_place(name)
    except ModelError:
        return False
    return True


def _kind_of(name: str) -> ModelKind:
    if name in TRANSLATORS:
        return TRANSLATOR
    return CAPTIONER if name in CAPTIONERS else ENCODER


def pull(
    name: Annotated[
        str,
        typer.Argument(help="A preset, or owner/name of a hub repository.", autocompletion=complete_download),
    ],
    revision: Annotated[
        str | None,
        typer.Option(
            "--revision",
            show_default=False,
            help="Commit, branch or tag; by default the preset's pinned commit, else main.",
        ),
    ] = None,
    backend: Annotated[
        str,
        typer.Option("--backend", help="Whose weights: transformers, onnx or onnx:VARIANT (such as onnx:quantized)."),
    ] = "transformers",
) -> None:
    """Download a model into the hub cache and pin the commit that came."""
    preset = PRESETS.get(name) or CAPTIONERS.get(name) or TRANSLATORS.get(name)
    # The bar's parts are imported here, because listing models does not need them.
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

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
            kind=_kind_of(name),
            progress=lambda done, total: bars.update(bar, completed=done, total=total or None),
        )
    typer.echo(f"{name} at revision {place.revision}\n{place.folder}")


def path(
    name: Annotated[
        str,
        typer.Argument(help="A preset, a folder, or owner/name of a hub repository.", autocompletion=complete_model),
    ],
) -> None:
    """Print the folder of a model that is on this machine."""
    typer.echo(find_place(name).folder)
