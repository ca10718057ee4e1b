"""`deixis eval captions`: how near do written captions come to people's?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.caption_sets import (
    PictureFolder,
    References,
    add_written,
    picture_cosines,
    read_references,
    write_captions,
)
from deixis.context import decode_limits, read_settings
from deixis.figures import figure_table
from deixis.options import CaptionerName, Json, Threads
from deixis.output import err, out, print_json, printable
from search.encoder import EncoderWish, new_encoder
from search.errors import SettingsError
from search.evaluation.captioning import caption_figures, clip_score
from search.evaluation.ranking import Figure
from search.settings import Settings
from vision.grounding.presets import DEFAULT_CAPTIONER
from vision.grounding.registry import load_captioner

METHOD = (
    "BLEU-4 of the set, ROUGE-L and CIDEr-D means over pictures, times 100, as the COCO caption server has them but "
    "for words: a simple cut, not the Penn Treebank's, so that published figures compare only roughly. Document "
    "frequencies are those of these references. CLIPScore: 2.5 × max(cosine, 0) by the encoder named, without a "
    "prompt. Intervals are 95 %, bootstrap over pictures."
)


def captions(
    references: Annotated[
        Path, typer.Option("--captions", help="What people wrote: COCO captions, Karpathy's splits, JSON lines.")
    ],
    generated: Annotated[
        Path | None,
        typer.Option(
            "--generated", help="What is measured: COCO results, or a captions file. Else a captioner writes."
        ),
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Of Karpathy's splits: val, test, …")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Only captions of this language.")] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Folder of the pictures, to caption them and for --model.")
    ] = None,
    captioner: CaptionerName = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Encoder for CLIPScore; without it there is none.", show_default=False)
    ] = None,
    precision: Annotated[
        str,
        typer.Option("--precision", help="Of the captioner: float32, bfloat16, float16 (on CUDA) or int8 (on CPU)."),
    ] = "float32",
    threads: Threads = None,
    json: Json = False,
) -> int:
    """BLEU-4, ROUGE-L and CIDEr-D of captions against people's, and CLIPScore where an encoder is named.

    Exit code 3 when pictures or records were left out: the figures are then of the rest.
    """
    _check(generated, pictures, captioner, model)
    settings = read_settings(captioner=captioner, threads=threads)
    found = read_references(references, split, language)
    folder = None if pictures is None else PictureFolder(pictures, decode_limits(settings), settings.decoders)
    name = generated.name if generated is not None else settings.captioner or DEFAULT_CAPTIONER
    if generated is not None:
        add_written(found, generated, references)
    elif folder is not None:
        writer = load_captioner(name, threads=settings.compute_threads, precision=precision)
        write_captions(found, writer, folder, language or "en", err().print)
    figures = _figures(found, model, folder, settings)
    if json:
        left_out = [asdict(record) for record in found.skipped]
        print_json({"captions": name, "method": METHOD, "figures": figures, "left_out": left_out})
    else:
        rows = {_NAMES[key]: [figure] for key, figure in figures.items()}
        out().print(f"{name}\n{figure_table(['× 100'], rows)}\n{METHOD}")
    return _ended(found)


def _ended(found: References) -> int:
    for record in found.skipped[:10]:
        err().print(f"  left out: {printable(record.where)}: {printable(record.reason)}")
    if found.skipped:
        err().print(f"{len(found.skipped)} records were left out; the figures are of the rest")
    if not found.files:
        return exit_codes.ERROR
    return exit_codes.PARTIAL if found.skipped else exit_codes.OK


def _check(generated: Path | None, pictures: Path | None, captioner: str | None, model: str | None) -> None:
    if pictures is None and (generated is None or model is not None):
        raise SettingsError(
            "there are no pictures to look at",
            remedy="Give their folder with --pictures, or captions with --generated.",
        )
    if generated is not None and captioner is not None:
        raise SettingsError(
            "--generated and --captioner contradict each other", remedy="Read captions, or have them written."
        )
    if generated is not None and pictures is not None and model is None:
        raise SettingsError(
            "nothing would look at the pictures", remedy="Name an encoder with --model, or leave --pictures out."
        )


_NAMES = {"bleu_4": "BLEU-4", "rouge_l": "ROUGE-L", "cider_d": "CIDEr-D", "clip_score": "CLIPScore"}


def _figures(
    found: References, model: str | None, folder: PictureFolder | None, settings: Settings
) -> dict[str, Figure]:
    measured = caption_figures(
        [found.written[file] for file in found.files], [found.told[file] for file in found.files]
    )
    figures = {name: getattr(measured, name) for name in ("bleu_4", "rouge_l", "cider_d")}
    if model is not None and folder is not None:
        encoder = new_encoder(EncoderWish.of(settings), model, lasting=False)
        figures["clip_score"] = clip_score(picture_cosines(found, encoder, folder))
    return figures
