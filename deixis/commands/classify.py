"""`deixis classify`: which of your labels fits each picture, without training on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from deixis import exit_codes
from deixis.context import decode_limits, encoder_at_hand, read_settings
from deixis.options import TOP, DatabaseUrl, Home, Json, ModelName, Threads
from deixis.output import err, out, print_json, printable
from search.settings import Settings
from vision.classify import TEMPLATES, Classifier, LabelError, LabelScore
from vision.encoders.base import Encoder
from vision.images import DecodeRequest, DecoderPool, Refused
from vision.originals import original_at

_MEANING = {
    "softmax": "per cent: shares among these labels (softmax), so one of them is taken to be right",
    "sigmoid": "per cent: each label judged alone (sigmoid), so that all or none may fit",
    None: "cosine only: this model does not say what a cosine means as a probability",
}


def classify(
    images: Annotated[list[Path], typer.Argument(help="Picture files.")],
    labels: Annotated[str | None, typer.Option("--labels", help='Separated by commas: "cat,dog".')] = None,
    labels_file: Annotated[Path | None, typer.Option("--labels-file", help="A text file, one label a line.")] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(
            "--template",
            help="A sentence with {} for the label, in the labels' language; may be repeated.",
            show_default=f"{len(TEMPLATES)} English ones",
        ),
    ] = None,
    top: Annotated[int, typer.Option(*TOP, min=1, help="Labels to show of each picture.")] = 5,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: ModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Say which of your labels fits each picture best.

    Nothing is trained: labels are compared with the picture as queries are, by the encoder of your library or the one
    that --model names.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    given = _labels(labels, labels_file)
    encoder = encoder_at_hand(settings)
    classifier = Classifier(encoder, given, templates=template or TEMPLATES)
    if not json:
        out().print(f"{len(given)} labels with {encoder.facts.name}; {_MEANING[classifier.probability]}")
    pictures: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    for path, answer in _scores(images, classifier, encoder, settings):
        name = printable(str(path))
        if isinstance(answer, Refused):
            refused.append({"path": name, "code": answer.code, "reason": printable(answer.reason)})
            err().print(f"{name}: {answer.code}: {printable(answer.reason)}")
            continue
        pictures.append({"path": name, "labels": [asdict(score) for score in answer[:top]]})
        if not json:
            _print(name, answer[:top])
    if json:
        names = {"model": encoder.facts.name, "probability": classifier.probability}
        print_json({**names, "pictures": pictures, "refused": refused})
    if not refused:
        return exit_codes.OK
    return exit_codes.PARTIAL if pictures else exit_codes.ERROR


def _labels(listed: str | None, file: Path | None) -> list[str]:
    if (listed is None) == (file is None):
        raise LabelError("give either --labels or --labels-file", remedy='For example: --labels "cat,dog"')
    if listed is not None:
        return listed.split(",")
    assert file is not None  # one of the two is given
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(
            f"{file}: cannot be read: {error}", remedy="Give a UTF-8 text file with one label a line."
        ) from error


def _scores(
    images: Sequence[Path], classifier: Classifier, encoder: Encoder, settings: Settings
) -> Iterator[tuple[Path, tuple[LabelScore, ...] | Refused]]:
    """Each picture with its ranked labels or the reason why it was refused, in order, one picture in memory."""
    preprocessing = encoder.facts.preprocessing
    with DecoderPool(decode_limits(settings)) as pool:
        for path in images:
            original = original_at(str(path), settings.archive_limits)
            answer = pool.decode(DecodeRequest.of(original, preprocessing))
            if isinstance(answer, Refused):
                yield path, answer
                continue
            assert answer.pixels is not None  # asked for by the preprocessing
            yield path, classifier.rank(encoder.encode_prepared(answer.pixels[None]))[0]


def _print(name: str, scores: Sequence[LabelScore]) -> None:
    console = out()
    console.print(name)
    for score in scores:
        chance = "" if score.probability is None else f"{score.probability:6.1%}  "
        console.print(f"  {chance}{score.similarity:6.3f}  {printable(score.label)}")
