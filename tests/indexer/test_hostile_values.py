"""EXIF, file facts, annotation records of every kind: nothing stops a run, the good goes in, the rest is named."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from indexer.importers import import_annotations
from indexer.isolate import in_parts
from indexer.pipeline import IndexOptions, index_paths
from indexer.writer import DecodedFile, Writer
from search.db.images import FileFact
from search.db.limits import FIRST_INSTANT, LAST_INSTANT
from search.db.roots import root_for
from search.db.schema import Caption, File, Image, Model, TextBody
from search.library import Library
from search.maintenance import verify
from search.service import SearchService
from tests.drawing import examples
from tests.indexer.hostile import TEXTS, exif_blocks, picture_with, spoiled
from vision.encoders.base import Encoder
from vision.images import Decoded, DecodeRequest, DecoderPool

Draw = Callable[..., Path]
NUMBERS = itertools.count(1)
ONE_CHILD = IndexOptions(decode_workers=1)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(workers=1) as pool:
        yield pool


@pytest.fixture
def indexed(library: Library, encoder: Encoder, draw: Draw, pictures: Path) -> Library:
    draw("a.png", "red", (48, 32))
    draw("b.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    return library


def active(library: Library) -> Model:
    with library.read() as session:
        model = library.active_model(session)
        assert model is not None
        session.expunge(model)
    return model


WIDE = st.integers(-(2**70), 2**70)


@examples(12)
@given(
    exifs=st.lists(st.tuples(exif_blocks(), st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF"])), min_size=1, max_size=8),
    times=st.tuples(WIDE, WIDE),
)
def test_no_exif_block_and_no_file_time_keeps_a_picture_out(
    indexed: Library, encoder: Encoder, pool: DecoderPool, exifs: list[tuple[bytes, str]], times: tuple[int, int]
) -> None:
    writer = Writer(indexed, active(indexed), encoder)
    with indexed.write() as session:
        root_id = root_for(session, "/exif").id
    batch: list[DecodedFile] = []
    for exif, form in exifs:
        number = next(NUMBERS)
        try:
            data = picture_with(exif, form, number)
        except Exception:  # Pillow reads a block before it writes it into a TIFF, and may refuse to
            continue
        path = f"/exif/{number}"
        request = DecodeRequest(path, encoder.facts.preprocessing, preview_px=16, data=data)
        answer = pool.decode(request)
        assert isinstance(answer, Decoded), (exif, answer)
        batch.append(DecodedFile(FileFact(path, len(data), times[0], "1", times[1]), root_id, answer))
    left_out: list[object] = []
    fresh: list[int] = []
    in_parts(
        batch,
        lambda items: fresh.append(writer.write_pictures(writer.embed_pictures(items))),
        lambda *left: left_out.append(left),
    )
    assert left_out == []
    with indexed.read() as session:
        paths = [item.fact.path for item in batch]
        taken = session.execute(
            select(Image.taken_at, Image.taken_offset_min)
            .join(File, File.image_id == Image.id)
            .where(File.path.in_(paths))
        ).all()
    assert len(taken) == len(batch)
    for moment, offset in taken:
        assert moment is None or FIRST_INSTANT <= moment <= LAST_INSTANT
        assert offset is None or (moment is not None and -12 * 60 <= offset <= 14 * 60)


ABSURD = [
    # EXIF date, offset, modification time in seconds
    ("0001:01:01 00:00:00", "+05:00", 0),
    ("9999:12:31 23:59:59", "-11:00", 2**34),
    ("2024:06:01 12:00:00", "+99:99", -(2**33)),
    ("2024:06:01 12:00:00", "+23:59", 2**31),
    ("0000:00:00 00:00:00", "+02:00", 9_223_372_037),
]


def test_a_folder_of_absurd_dates_goes_in_whole(library: Library, encoder: Encoder, draw: Draw, pictures: Path) -> None:
    from PIL import Image as Pictures

    draw("good.png", "red", (30, 20))
    for number, (date, offset, modified) in enumerate(ABSURD):
        exif = Pictures.Exif()
        exif.get_ifd(0x8769).update({0x9003: date, 0x9011: offset})
        path = pictures / f"{number}.jpg"
        Pictures.new("RGB", (40 + number, 20), "blue").save(path, exif=exif)
        os.utime(path, (modified, modified))
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.refused) == (1 + len(ABSURD), [])
    assert index_paths(library, encoder, [pictures], ONE_CHILD).unchanged == 1 + len(ABSURD)
    service = SearchService(library, encoder)
    details = [service.image(hit.image_id) for hit in service.recent().hits]
    dates = {Path(detail.files[0].path).stem: detail.taken_at for detail in details}
    assert {name for name, date in dates.items() if date is not None} == {"2", "3"}
    assert {date.isoformat() for date in dates.values() if date} == {"2024-06-01T12:00:00"}
    assert verify(library).findings == []


def test_a_path_too_long_for_the_database_costs_that_picture(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("good.png")
    deep = pictures
    folder = os.open(pictures, os.O_RDONLY)
    for number in range(14):
        name = f"{number:02}" + "δ" * 100
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder, deep = inner, deep / name
    with open(pictures / "good.png", "rb") as source:
        copy = os.open("far.png", os.O_WRONLY | os.O_CREAT, dir_fd=folder)
        os.write(copy, source.read() + b"another")
        os.close(copy)
    os.close(folder)
    for _ in range(2):
        report = index_paths(library, encoder, [pictures], ONE_CHILD)
        assert [file.reason.partition(":")[0] for file in report.refused] == ["path_too_long"]
    assert (report.unchanged, verify(library).findings) == (1, [])


LINE = {
    "file": "a.png", "width": 48, "height": 32,
    "captions": [
        {"text": "Two dogs", "language": "en", "phrases": [{"span": [0, 8], "boxes": [[0, 0, 0.5, 1]], "score": 0.9}]}
    ],
    "regions": [{"phrase": "grass", "box": [0, 0.5, 1, 1], "score": 0.5}],
}  # fmt: skip
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 48, "height": 32}],
    "categories": [{"id": 3, "name": "dog"}],
    "annotations": [{"image_id": 1, "category_id": 3, "bbox": [1, 1, 9, 9]}, {"image_id": 1, "caption": "A dog"}],
}
PAIR = {
    "file": "a.png", "width": 48, "height": 32,
    "caption": "A dog", "phrase": "dog", "span": [2, 5], "bbox": [0, 0, 9, 9]
}  # fmt: skip


def imported(library: Library, encoder: Encoder, path: Path, good: list[str]) -> None:
    """Import a file, and make sure that all captions that must go in are in."""
    report = import_annotations(library, encoder, [path])
    for record in report.skipped:
        assert record.code in {"malformed", "no_such_image", "ambiguous", "other_shape"}, record
        assert record.reason
        json.dumps([record.where, record.reason], ensure_ascii=False).encode()
    with library.read() as session:
        there = session.scalars(select(TextBody.body).join(Caption).where(TextBody.body.in_(good))).all()
    assert sorted(there) == sorted(good)


@examples(15)
@given(st.lists(spoiled(LINE) | TEXTS, max_size=6))
def test_no_line_of_annotations_keeps_the_next_from_being_read(
    indexed: Library, encoder: Encoder, tmp_path: Path, lines: list[Any]
) -> None:
    good = [f"good {next(NUMBERS)}" for _ in range(len(lines) + 1)]
    written = [json.dumps({"file": "b.png", "captions": [{"text": good[0]}]})]
    for line, text in zip(lines, good[1:], strict=True):
        written += [json.dumps(line), json.dumps({"file": "b.png", "captions": [{"text": text}]})]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(written))
    imported(indexed, encoder, path, good)


@examples(15)
@given(spoiled(COCO))
def test_no_record_of_a_coco_file_keeps_the_others_out(
    indexed: Library, encoder: Encoder, tmp_path: Path, spoilt: Any
) -> None:
    good = f"good {next(NUMBERS)}"
    parts = spoilt if isinstance(spoilt, dict) else {}
    listed = {key: value if isinstance(value, list) else [] for key, value in parts.items() if key in COCO}
    document = {
        "images": [*listed.get("images", []), {"id": 99, "file_name": "b.png"}],
        "categories": listed.get("categories", []),
        "annotations": [*listed.get("annotations", []), {"image_id": 99, "caption": good}],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    imported(indexed, encoder, path, [good])


@examples(15)
@given(st.lists(spoiled(PAIR), max_size=5))
def test_no_grounding_pair_keeps_the_others_out(
    indexed: Library, encoder: Encoder, tmp_path: Path, pairs: list[Any]
) -> None:
    good = f"A dog {next(NUMBERS)}"
    path = tmp_path / "a.json"
    path.write_text(json.dumps([*pairs, {**PAIR, "file": "b.png", "width": 50, "height": 30, "caption": good}]))
    imported(indexed, encoder, path, [good])


@pytest.mark.parametrize(
    "deep", ["[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000, "9" * 9000, "-" + "9" * 9000]
)
def test_a_value_beyond_all_reason_costs_its_record(
    indexed: Library, encoder: Encoder, tmp_path: Path, deep: str
) -> None:
    good = [f"good {next(NUMBERS)}" for _ in range(2)]
    path = tmp_path / "a.json"
    images = f'[{{"id": 1, "file_name": "b.png"}}, {{"id": 2, "file_name": "a.png", "width": {deep}, "height": 3}}]'
    first = f'{{"image_id": 1, "caption": "{good[0]}", "odd": {deep}}}'
    second = f'{{"image_id": {deep}, "caption": "x"}}'
    path.write_text(f'{{"images": {images}, "annotations": [{first}, {second}]}}')
    imported(indexed, encoder, path, good[:1])
    lines = tmp_path / "a.jsonl"
    lines.write_text(f'{{"file": {deep}}}\n{{"file": "b.png", "captions": [{{"text": "{good[1]}"}}]}}')
    imported(indexed, encoder, lines, good[1:])
