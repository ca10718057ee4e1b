"""`deixis eval grounding`: is the box right that is drawn for a phrase?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deixis import exit_codes
from deixis.context import decode_limits, encoder_at_hand, read_settings
from deixis.figures import figure_table
from deixis.grounding_sets import Pointer, by_captioner, by_page, by_patches, point_at_all
from deixis.options import CaptionerName, Json, ModelName, Threads
from deixis.output import err, out, print_json, printable
from indexer.layouts.entities import read_entities
from indexer.layouts.grounded import GroundedSet
from indexer.layouts.refcoco import read_refcoco
from indexer.report import SkippedRecord
from search.errors import SettingsError
from search.evaluation.grounding import BoxFigures
from search.settings import Settings
from vision.grounding.presets import DEFAULT_CAPTIONER
from vision.grounding.registry import load_captioner

METHOD = (
    "Recall@1: the first box drawn for a phrase has an IoU of 0.5 or more with one of its boxes (any box), or with the "
    "rectangle around all of them (merged box); no box is wrong. Of one box each (RefCOCO) both are the accuracy. "
    "Intervals are 95 %, bootstrap over pictures."
)


def grounding(
    pictures: Annotated[Path, typer.Option("--pictures", help="Folder in which the pictures lie.")],
    entities: Annotated[
        Path | None, typer.Option("--entities", help="Flickr30k Entities: the folder of Sentences and Annotations.")
    ] = None,
    ids: Annotated[
        list[Path] | None,
        typer.Option("--ids", help="Only these: a picture id a line; again for another split.", show_default=False),
    ] = None,
    refs: Annotated[Path | None, typer.Option("--refs", help="RefCOCO, + or g: refs(unc).p, or it as JSON.")] = None,
    instances: Annotated[Path | None, typer.Option("--instances", help="COCO instances with the refs' boxes.")] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Of the refs: val, testA, …", show_default="all but train")
    ] = None,
    by: Annotated[
        Literal["captioner", "patches", "page"],
        typer.Option(
            "--by",
            help="Who points: a captioner, the encoder's patches, or these as the page asks them, in five looks.",
        ),
    ] = "captioner",
    captioner: CaptionerName = None,
    model: ModelName = None,
    precision: Annotated[
        str,
        typer.Option("--precision", help="Of the captioner: float32, bfloat16, float16 (on CUDA) or int8 (on CPU)."),
    ] = "float32",
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Recall@1 at IoU 0.5 of phrases on Flickr30k Entities, or of expressions on RefCOCO, RefCOCO+ and RefCOCOg.

    No library takes part, but that --by patches and page use its encoder unless --model names one. Exit code 3 when
    records or pictures were left out: the figures are then of the rest.
    """
    settings = read_settings(model=model, captioner=captioner, threads=threads)
    _check(by, captioner, model)
    read = _read(entities, ids or [], refs, instances, split)
    name, point = _pointer(by, settings, precision)
    found = point_at_all(read.phrases, pictures, point, decode_limits(settings), settings.decoders, report=err().print)
    skipped, figures = [*read.skipped, *found.skipped], found.figures()
    if json:
        about: dict[str, Any] = {"model": name, "by": by, "method": METHOD, "boxless": read.boxless}
        print_json({**about, "splits": figures, "left_out": [asdict(record) for record in skipped]})
    else:
        _print(name, figures, read.boxless)
    _complain(skipped)
    if not figures:
        return exit_codes.ERROR
    return exit_codes.PARTIAL if skipped else exit_codes.OK


def _check(by: str, captioner: str | None, model: str | None) -> None:
    if (model if by == "captioner" else captioner) is not None:
        raise SettingsError(
            f"--by {by} has no use for --{'model' if by == 'captioner' else 'captioner'}",
            remedy="--captioner points --by captioner, --model --by patches and --by page.",
        )


def _read(
    entities: Path | None, ids: list[Path], refs: Path | None, instances: Path | None, split: str | None
) -> GroundedSet:
    if entities is not None and refs is None and instances is None and split is None:
        return read_entities(entities, ids)
    if refs is not None and instances is not None and entities is None and not ids:
        return read_refcoco(refs, instances, split)
    raise SettingsError(
        "one set is measured at a time",
        remedy="Give --entities FOLDER (and --ids FILE), or --refs FILE with --instances FILE (and --split NAME).",
    )


def _pointer(by: str, settings: Settings, precision: str) -> tuple[str, Pointer]:
    if by != "captioner":
        encoder = encoder_at_hand(settings)
        return encoder.facts.name, by_patches(encoder) if by == "patches" else by_page(encoder)
    writer = load_captioner(
        settings.captioner or DEFAULT_CAPTIONER, threads=settings.compute_threads, precision=precision
    )
    return writer.facts.name, by_captioner(writer)


def _print(name: str, figures: dict[str, BoxFigures], boxless: int) -> None:
    columns = ("any_box", "merged_box", "pointed")
    rows = {split: [getattr(one, column) for column in columns] for split, one in figures.items()}
    titles = [column.replace("_", " ") for column in columns]
    out().print(f"{name}, recall@1 at IoU 0.5, %\n{figure_table(titles, rows)}")
    if boxless:
        out().print(f"Phrases without a box in the set: {boxless}, not asked.")
    out().print(METHOD)


def _complain(skipped: list[SkippedRecord]) -> None:
    for record in skipped[:10]:
        err().print(f"  left out: {printable(record.where)}: {printable(record.reason)}")
    if skipped:
        err().print(f"{len(skipped)} records were left out; the figures are of the rest")
