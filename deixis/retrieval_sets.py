"""What `deixis eval retrieval` asks a library: files of captions, tied to its pictures, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from indexer.annotations.naming import find_picture
from indexer.annotations.reading import read_annotations
from indexer.layouts.eccv_caption import read_numbered, read_positives
from indexer.layouts.sugarcrepe import read_pairs
from indexer.report import SkippedRecord
from search.db.schema import Embedding
from search.errors import ImportFormatError
from search.evaluation.fusion import Asking, Measured, measure_fusion
from search.evaluation.positives import PositiveFigures, chosen, positive_figures
from search.evaluation.ranking import Figure
from search.evaluation.retrieval import RetrievalFigures, image_to_text, text_to_image
from search.library import Library
from vision.encoders.base import Encoder

Vectors: TypeAlias = NDArray[np.float32]


@dataclass(slots=True)
class Captions:
    """Captions of indexed pictures.

    Attributes:
        texts: every caption.
        owners: for each caption the row of its picture.
        image_ids: of the pictures.
        skipped: records that are malformed, or whose picture is not indexed.
    """

    texts: list[str] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    image_ids: list[int] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)


def read_captions(library: Library, path: Path, split: str | None, language: str | None) -> Captions:
    """Read the captions of indexed pictures.

    Raises:
        ImportFormatError: it is no annotation file, or none of its pictures is indexed.
    """
    annotations = read_annotations(path, split)
    found = Captions(skipped=list(annotations.skipped))
    told = {
        record.file: [one.text for one in record.captions if language in (None, one.language)]
        for record in annotations.pictures.values()
    }
    ids = _indexed(library, path.name, [file for file, texts in told.items() if texts], found.skipped)
    rows: dict[int, int] = {}
    for file, image_id in ids.items():
        row = rows.setdefault(image_id, len(rows))
        found.owners += [row] * len(told[file])
        found.texts += told[file]
    found.image_ids = list(rows)
    if not found.texts:
        raise _nothing(path)
    return found


def both_directions(library: Library, encoder: Encoder, captions: Captions) -> dict[str, RetrievalFigures]:
    """R@1, R@5, R@10 and the median rank by bare cosines."""
    images, texts = image_vectors(library, captions.image_ids), encoder.encode_text(captions.texts)
    return {
        "text→image": text_to_image(texts, images, captions.owners),
        "image→text": image_to_text(texts, images, captions.owners),
    }


def by_search(library: Library, encoder: Encoder, captions: Captions, report: Callable[[str], None]) -> Measured:
    """Recall of the search itself; captions that it refuses are added to what was skipped.

    Args:
        report: receives how far it is.
    """
    rows = zip(captions.texts, captions.owners, strict=True)
    asked = [Asking(text, captions.image_ids[row]) for text, row in rows]
    measured = measure_fusion(library, encoder, asked, report=report)
    captions.skipped += [SkippedRecord("a query", "refused", reason) for reason in measured.refused]
    return measured


def with_positives(
    library: Library, encoder: Encoder, path: Path, split: str | None, positives: Sequence[Path]
) -> tuple[dict[str, PositiveFigures], list[SkippedRecord]]:
    """ECCV Caption over the indexed pictures of a captions file.

    Returns:
        The figures of each direction that the files give, and what was left out.

    Raises:
        ImportFormatError: a file is not what its layout says, or no query is left.
    """
    numbered, known = read_numbered(path, split), read_positives(positives)
    skipped = [*numbered.skipped, *known.skipped]
    files = {file: image_id for image_id, file in numbered.files.items()}
    indexed = _indexed(library, path.name, list(files), skipped)
    pictures = {files[file]: row for row, file in enumerate(indexed)}
    held = {one: text for one, (image_id, text) in numbered.captions.items() if image_id in pictures}
    captions = {caption_id: row for row, caption_id in enumerate(held)}
    images = image_vectors(library, list(indexed.values()))
    texts = encoder.encode_text(list(held.values()))
    found: dict[str, PositiveFigures] = {}
    for name, right, asks, asked, answers in (
        ("text→image", known.images, captions, texts, pictures),
        ("image→text", known.captions, pictures, images, captions),
    ):
        queries = _queries(name, right, asks, answers, skipped)
        if queries:
            rows = np.array([asks[one] for one in queries], np.int64)
            found[name] = positive_figures(asked[rows], images if asks is captions else texts, list(queries.values()))
    if not found:
        raise _nothing(path)
    return found, skipped


def true_or_false(
    library: Library, encoder: Encoder, paths: Sequence[Path]
) -> tuple[dict[str, Figure], list[SkippedRecord]]:
    """SugarCrepe over indexed pictures: the figures by category, and what was left out.

    Raises:
        ImportFormatError: a file is not what its layout says, or none of its pictures is indexed.
    """
    read = read_pairs(paths)
    skipped = list(read.skipped)
    name = ", ".join(path.name for path in paths)
    ids = _indexed(library, name, list(dict.fromkeys(pair.file for pair in read.pairs)), skipped)
    pairs = [pair for pair in read.pairs if pair.file in ids]
    if not pairs:
        raise _nothing(paths[0])
    images = image_vectors(library, [ids[pair.file] for pair in pairs])
    captions = encoder.encode_text([pair.caption for pair in pairs])
    negatives = encoder.encode_text([pair.negative for pair in pairs])
    return chosen(images, captions, negatives, [pair.category for pair in pairs]), skipped


def image_vectors(library: Library, image_ids: Sequence[int]) -> Vectors:
    """`(n, dim)` float32: the stored vectors of indexed pictures."""
    with library.read() as session:
        active = library.active_model(session)
        assert active is not None  # whoever loaded the library's encoder has checked it
        query = select(Embedding.image_id, Embedding.id).where(Embedding.model_id == active.id)
        ids = dict(session.execute(query).all())
    return library.vectors.fetch([ids[image_id] for image_id in image_ids])


def _queries(
    name: str,
    right: Mapping[int, frozenset[int]],
    asks: Mapping[int, int],
    answers: Mapping[int, int],
    skipped: list[SkippedRecord],
) -> dict[int, NDArray[np.int64]]:
    """For each query the rows of its right answers, those that are here."""
    found: dict[int, NDArray[np.int64]] = {}
    missing = 0
    for one, ids in right.items():
        rows = sorted(answers[other] for other in ids if other in answers)
        if one not in asks or not rows:
            skipped.append(SkippedRecord(f"{name} {one}", "no_such_image", "the query or all that fits it is not here"))
            continue
        found[one] = np.array(rows, np.int64)
        missing += len(ids) - len(rows)
    if missing:
        reason = f"{missing} right answers are not here; the figures are of the rest"
        skipped.append(SkippedRecord(name, "no_such_image", reason))
    return found


def _indexed(library: Library, name: str, files: Sequence[str], skipped: list[SkippedRecord]) -> dict[str, int]:
    """Picture id by file name; names that lead to no picture, or to several, are skipped."""
    found: dict[str, int] = {}
    with library.read() as session:
        for file in files:
            target = find_picture(session, file)
            if isinstance(target, SkippedRecord):
                skipped.append(SkippedRecord(f"{name}: {file}", target.code, target.reason))
            else:
                found[file] = target.image_id
    return found


def _nothing(path: Path) -> ImportFormatError:
    return ImportFormatError(
        f"{path}: none of its captions belongs to an indexed picture",
        remedy="Index the pictures first: deixis index FOLDER",
    )
