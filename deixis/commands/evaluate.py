"""`deixis eval`: measured quality on pictures whose captions are known."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from sqlalchemy import select

from deixis import exit_codes
from deixis.context import library_encoder, open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json, LibraryModelName, Threads, complete_captioner, complete_encoder
from deixis.output import err, out, print_json
from indexer.annotations.naming import find_picture
from indexer.annotations.reading import read_annotations
from indexer.annotations.records import Annotations
from indexer.report import SkippedRecord
from search.db.schema import Embedding
from search.encoder import EncoderWish, new_encoder
from search.errors import ImportFormatError
from search.evaluation.retrieval import RetrievalFigures, image_to_text, text_to_image
from search.library import Library
from storybook.evaluate_captioner import evaluate_captioner
from storybook.evaluate_encoder import evaluate_encoder
from vision.grounding.registry import load_captioner

METHOD = (
    "Cosine of the encoder's own vectors, exact; captions and boxes in the library take no part. "
    "Ties count in the query's favour (rank = 1 + answers that score strictly higher); "
    "percentages are rounded to one decimal for display only, the JSON holds them unrounded."
)


def retrieval(
    captions: Annotated[
        Path, typer.Option("--captions", help="COCO captions, Karpathy's splits, XM3600, or Deixis JSON lines.")
    ],
    split: Annotated[str | None, typer.Option("--split", help="Of Karpathy's splits: val, test, …")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Only captions of this language.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Text→image and image→text R@1, R@5, R@10 and median rank, with 95 % intervals.

    COCO 5k and Flickr30k 1k as papers report them: index the split's pictures, then --split test; XM3600: --language.

    Exit code 3 when captions were left out because their picture is not indexed: the figures are then of the rest.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    with open_library(settings) as library:
        encoder = library_encoder(settings, library)
        owners, texts, image_ids, skipped = _pairs(library, read_annotations(captions, split), captions.name, language)
        if not texts:
            raise ImportFormatError(
                f"{captions}: none of its captions belongs to an indexed picture",
                remedy="Index the pictures first: deixis index FOLDER",
            )
        images = _image_vectors(library, image_ids)
        text_vectors = encoder.encode_text(texts)
    figures = {
        "text→image": text_to_image(text_vectors, images, owners),
        "image→text": image_to_text(text_vectors, images, owners),
    }
    if json:
        print_json(_document(figures, encoder.facts.name, skipped))
    else:
        _print(figures, encoder.facts.name)
        for record in skipped[:10]:
            err().print(f"  left out: {record.where}: {record.reason}")
        if skipped:
            err().print(f"{len(skipped)} records were left out; the figures are of the rest")
    return exit_codes.PARTIAL if skipped else exit_codes.OK


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


def _pairs(
    library: Library, annotations: Annotations, name: str, language: str | None
) -> tuple[list[int], list[str], list[int], list[SkippedRecord]]:
    skipped = list(annotations.skipped)
    rows: dict[int, int] = {}
    owners: list[int] = []
    texts: list[str] = []
    with library.read() as session:
        for record in annotations.pictures.values():
            told = [one for one in record.captions if language in (None, one.language)]
            if not told:
                continue
            target = find_picture(session, record.file)
            if isinstance(target, SkippedRecord):
                skipped.append(SkippedRecord(f"{name}: {record.file}", target.code, target.reason))
                continue
            row = rows.setdefault(target.image_id, len(rows))
            for caption in told:
                owners.append(row)
                texts.append(caption.text)
    return owners, texts, list(rows), skipped


def _image_vectors(library: Library, image_ids: list[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    with library.read() as session:
        active = library.active_model(session)
        assert active is not None  # library_encoder has checked it
        query = select(Embedding.image_id, Embedding.id).where(Embedding.model_id == active.id)
        ids = dict(session.execute(query).all())
    return library.vectors.fetch([ids[image_id] for image_id in image_ids])


def _document(figures: dict[str, RetrievalFigures], model: str, skipped: list[SkippedRecord]) -> dict[str, Any]:
    return {
        "model": model,
        "method": METHOD,
        **{direction.replace("→", "_to_"): asdict(some) for direction, some in figures.items()},
        "left_out": [asdict(record) for record in skipped],
    }


def _print(figures: dict[str, RetrievalFigures], model: str) -> None:
    console = out()
    first = next(iter(figures.values()))
    console.print(f"{model}: {first.queries} captions, {first.answers} pictures")
    for direction, some in figures.items():
        recalls = ", ".join(
            f"R@{k} {value:.1f} [{some.intervals_at[k][0]:.1f}, {some.intervals_at[k][1]:.1f}]"
            for k, value in some.recall_at.items()
        )
        console.print(f"{direction}  {recalls}, median rank {some.median_rank:g}")
    console.print(METHOD)
