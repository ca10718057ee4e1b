"""`import` ties annotations to the pictures they mean, once, and says what it could not tie."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.importers import import_annotations
from indexer.pipeline import IndexOptions, index_paths
from search.errors import ImportFormatError, LibraryEmptyError
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import Encoder

Draw = Callable[..., Path]
Annotate = Callable[..., Path]


@pytest.fixture
def annotate(tmp_path: Path) -> Annotate:
    def write(*records: dict[str, Any]) -> Path:
        path = tmp_path / "annotations.jsonl"
        path.write_text("\n".join(json.dumps(record) for record in records))
        return path

    return write


@pytest.fixture
def indexed(library: Library, encoder: Encoder, draw: Draw, pictures: Path) -> Library:
    draw("one/a.png", "red", (48, 32))
    draw("two/b.png", "blue", (50, 30))
    draw("two/a.png", "green", (60, 40))
    index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1))
    return library


def test_captions_and_boxes_are_imported_searchable_and_shown(
    indexed: Library, encoder: Encoder, annotate: Annotate
) -> None:
    file = annotate(
        {
            "file": "b.png",
            "captions": [
                {"text": "Olga's kayak", "language": "en", "phrases": [{"span": [7, 12], "boxes": [[0, 0, 0.5, 1]]}]}
            ],
            "regions": [{"phrase": "paddle", "box": [0.5, 0.5, 1, 1]}],
        }
    )
    report = import_annotations(indexed, encoder, [file])
    assert (report.images, report.captions, report.regions, report.texts_embedded) == (1, 1, 2, 3)
    service = SearchService(indexed, encoder)
    hit = service.search(SearchRequest(text="kayak", k=1)).hits[0]
    assert hit.path.endswith("two/b.png")
    assert hit.parts["words"] > 0
    assert [(region.phrase, region.box.as_xyxy()) for region in hit.regions] == [("kayak", (0.0, 0.0, 0.5, 1.0))]
    detail = service.image(hit.image_id)
    (caption,) = detail.captions
    assert (caption.text, caption.language, caption.regions[0].phrase) == ("Olga's kayak", "en", "kayak")
    assert [region.phrase for region in detail.regions] == ["paddle"]
    assert verify(indexed).findings == []


def test_importing_twice_changes_nothing(indexed: Library, encoder: Encoder, annotate: Annotate) -> None:
    file = annotate({"file": "b.png", "captions": [{"text": "a"}], "regions": [{"phrase": "x", "box": [0, 0, 1, 1]}]})
    import_annotations(indexed, encoder, [file])
    report = import_annotations(indexed, encoder, [file])
    assert (report.captions, report.regions, report.already_there, report.texts_embedded) == (0, 0, 2, 0)
    assert verify(indexed).findings == []


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"file": "nowhere.png", "captions": [{"text": "x"}]}, "no_such_image"),
        ({"file": "three/b.png", "captions": [{"text": "x"}]}, "no_such_image"),
        ({"file": "../two/b.png", "captions": [{"text": "x"}]}, "no_such_image"),
        ({"file": "a.png", "captions": [{"text": "x"}]}, "ambiguous"),
        (
            {"file": "b.png", "width": 30, "height": 50, "regions": [{"phrase": "x", "box": [0, 0, 1, 1]}]},
            "other_shape",
        ),
    ],
)
def test_what_cannot_be_tied_to_one_picture_is_skipped_with_its_reason(
    indexed: Library, encoder: Encoder, annotate: Annotate, record: dict[str, Any], code: str
) -> None:
    report = import_annotations(indexed, encoder, [annotate(record)])
    assert [skipped.code for skipped in report.skipped] == [code]
    assert (report.captions, report.regions) == (0, 0)


def test_more_of_the_path_tells_pictures_of_one_name_apart(
    indexed: Library, encoder: Encoder, annotate: Annotate
) -> None:
    report = import_annotations(indexed, encoder, [annotate({"file": "two\\a.png", "captions": [{"text": "green"}]})])
    assert (report.captions, report.skipped) == (1, [])


NFD = "Cafe\u0301"
NFC = "Caf\u00e9"


@pytest.mark.parametrize(
    ("on_disk", "written"),
    [
        (f"{NFD}.png", f"{NFC}.png"),
        (f"{NFC}.png", f"{NFD}.png"),
        ("IMG_1.PNG", "img_1.png"),
        (f"Urlaub/{NFD} STRASSE.png", f"urlaub\\{NFC} stra\u00dfe.PNG"),
        (f"Urlaub/{NFD}/IMG_1.png", f"URLAUB/{NFC}/img_1.png"),
    ],
)
def test_a_name_in_other_case_or_with_other_accents_finds_the_one_picture_that_it_can_mean(
    library: Library, encoder: Encoder, annotate: Annotate, draw: Draw, pictures: Path, on_disk: str, written: str
) -> None:
    draw(on_disk, "red", (48, 32))
    draw("other/img_2.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1))
    report = import_annotations(library, encoder, [annotate({"file": written, "captions": [{"text": "x"}]})])
    assert (report.captions, report.skipped) == (1, [])


def test_a_name_as_it_is_written_comes_before_names_that_are_only_alike(
    library: Library, encoder: Encoder, annotate: Annotate, draw: Draw, pictures: Path
) -> None:
    for width, name in enumerate(("A.png", "a.PNG", f"{NFC}.png", f"{NFD}.png"), start=40):
        draw(name, "red", (width, 30))
    index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1))
    names = ("A.png", f"{NFD}.png", "a.png", f"{NFC}.PNG")
    report = import_annotations(
        library, encoder, [annotate(*({"file": name, "captions": [{"text": f"is {name}"}]} for name in names))]
    )
    assert report.captions == 2
    assert [(skipped.code, skipped.reason[:20]) for skipped in report.skipped] == [
        ("ambiguous", "2 different pictures")
    ] * 2
    service = SearchService(library, encoder)
    for name in names[:2]:
        (hit,) = (hit for hit in service.recent().hits if hit.path.endswith("/" + name))
        assert [caption.text for caption in service.image(hit.image_id).captions] == [f"is {name}"]


def test_a_caption_survives_boxes_of_another_shape(indexed: Library, encoder: Encoder, annotate: Annotate) -> None:
    phrase = {"span": [0, 1], "boxes": [[0, 0, 1, 1]]}
    record = {"file": "b.png", "width": 30, "height": 50, "captions": [{"text": "x", "phrases": [phrase]}]}
    report = import_annotations(indexed, encoder, [annotate(record)])
    assert (report.captions, report.regions) == (1, 0)


def test_a_box_drawn_on_a_smaller_copy_fits(indexed: Library, encoder: Encoder, annotate: Annotate) -> None:
    record = {"file": "b.png", "width": 25, "height": 15, "regions": [{"phrase": "x", "box": [0, 0, 1, 1]}]}
    assert import_annotations(indexed, encoder, [annotate(record)]).regions == 1


def test_a_file_that_cannot_be_read_keeps_all_files_out(
    indexed: Library, encoder: Encoder, annotate: Annotate, tmp_path: Path
) -> None:
    good = annotate({"file": "b.png", "captions": [{"text": "x"}]})
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    with pytest.raises(ImportFormatError):
        import_annotations(indexed, encoder, [good, bad])
    assert SearchService(indexed, encoder).status().captions == 0


def test_an_empty_library_says_what_to_do_first(library: Library, encoder: Encoder, annotate: Annotate) -> None:
    with pytest.raises(LibraryEmptyError):
        import_annotations(library, encoder, [annotate({"file": "b.png"})])
