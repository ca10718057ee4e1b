"""What was left out says nothing: the same hits, scores and boxes as in a library in which it was never written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.cli import run
from search.db.images import display_name
from search.db.schema import File
from search.encoder import EncoderWish, own_encoder
from search.evaluation.fusion import Asking, measure_fusion
from search.library import Library
from search.query.tree import Words
from search.query.unsaid import without_pictures, without_text
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import Encoder

COLOURS = ("red", "green", "blue", "yellow", "white", "black", "orange", "purple", "cyan", "pink", "brown", "grey")
SILENT = COLOURS[::2]
WORDS = ("kayak", "barn", "tent", "wall", "gate", "boat")


def record(number: int) -> dict[str, Any]:
    """Two captions; the first with a boxed phrase of its own, the second with one that another picture has too."""
    thing, colour = WORDS[number // 2], COLOURS[number]
    first, second = f"a {colour} {thing} near lake {number}", f"somebody painted the {thing}"
    boxed = [
        {"text": first, "phrases": [{"span": [0, 3 + len(colour) + len(thing)], "boxes": [[0, 0, 0.5, 1]]}]},
        {"text": second, "phrases": [{"span": [17, len(second)], "boxes": [[0.5, 0, 1, 1]]}]},
    ]
    return {"file": f"{colour}.png", "captions": boxed}


@dataclass
class Made:
    library: Library
    encoder: Encoder
    ids: dict[str, int]

    def found(self, service: SearchService, text: str) -> list[Any]:
        names = {image_id: name for name, image_id in self.ids.items()}
        hits = service.search(SearchRequest(tree=Words(text), k=12)).hits
        return [
            (names[hit.image_id], round(hit.score, 3), [region.box for region in hit.regions], hit.caption is not None)
            for hit in hits
        ]


def make(place: Path, records: list[dict[str, Any]]) -> Made:
    for width, colour in enumerate(COLOURS, start=40):
        Image.new("RGB", (width, 30), colour).save(place / f"{colour}.png")
    (place / "notes.jsonl").write_text("\n".join(map(json.dumps, records)))
    home = ["--home", str(place / "home"), "--quiet"]
    assert run(["index", str(place), "--model", "colour", *home]) == 0
    assert run(["import", str(place / "notes.jsonl"), *home]) == 0
    library = Library.open(place / "home")
    with library.read() as session:
        ids = {display_name(name): image_id for name, image_id in session.query(File.name, File.image_id)}
    return Made(library, own_encoder(library, EncoderWish(threads=1)), ids)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    found = make(tmp_path_factory.mktemp("all"), [record(number) for number in range(len(COLOURS))])
    yield found
    found.library.close()


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    spoken = [record(number) for number, colour in enumerate(COLOURS) if colour not in SILENT]
    found = make(tmp_path_factory.mktemp("half"), spoken)
    yield found
    found.library.close()


@pytest.mark.parametrize(
    "text", ["a red kayak near lake 0", "a green kayak", "somebody painted the barn", "the tent", "blue", "a lake"]
)
def test_pictures_whose_texts_are_taken_away_are_found_as_if_nothing_had_been_written(
    text: str, made: Made, half: Made
) -> None:
    silent = [made.ids[f"{colour}.png"] for colour in SILENT]
    service = SearchService(
        made.library, made.encoder, view=lambda session, snapshot: without_pictures(session, snapshot, silent)
    )
    found = made.found(service, text)
    assert found == half.found(SearchService(half.library, half.encoder), text)
    assert found != made.found(SearchService(made.library, made.encoder), text)


def test_a_caption_that_is_left_out_takes_its_own_phrases_along_and_no_others(made: Made) -> None:
    text = "a red kayak near lake 0"
    held = _id_of(made, text)
    plain = made.found(SearchService(made.library, made.encoder), text)
    service = SearchService(
        made.library, made.encoder, view=lambda session, snapshot: without_text(session, snapshot, held)
    )
    seen = []

    def look(session: Any, snapshot: Any) -> Any:
        less = without_text(session, snapshot, held)
        row = less.catalogue.rows_of_images(_array(made.ids["red.png"]))
        before, after = snapshot.catalogue.docs_of(row)[1].tolist(), less.catalogue.docs_of(row)[1].tolist()
        seen.append({int(snapshot.catalogue.doc_id[one]) for one in set(before) - set(after)})
        return less

    SearchService(made.library, made.encoder, view=look).search(SearchRequest(tree=Words(text)))
    assert seen == [{held, _id_of(made, "a red kayak")}]
    assert plain[0][0] == "red.png"
    assert {name: score for name, score, *_ in made.found(service, text)}["red.png"] < plain[0][1]


def test_a_text_that_the_library_does_not_hold_changes_nothing(made: Made) -> None:
    service = SearchService(
        made.library, made.encoder, view=lambda session, snapshot: without_text(session, snapshot, 10**9)
    )
    assert made.found(service, "a red kayak") == made.found(SearchService(made.library, made.encoder), "a red kayak")


def test_captions_are_asked_beside_the_look_alone(made: Made) -> None:
    asked = [Asking(one["text"], made.ids[record(n)["file"]]) for n in range(12) for one in record(n)["captions"]]
    found = measure_fusion(made.library, made.encoder, [*asked, Asking("!", made.ids["red.png"])], halves=2)
    assert found.held == 24
    assert found.captioned.pictures == 12
    assert found.captioned.fused[1].n == found.captioned.alone[1].n == found.captioned.gain[1].n == 25
    assert found.uncaptioned.fused[1].n >= 24
    assert found.captioned.fused[10].value >= found.captioned.fused[1].value
    gain = found.captioned.gain[5]
    assert gain.low <= gain.value <= gain.high
    assert gain.value == pytest.approx(found.captioned.fused[5].value - found.captioned.alone[5].value)


def test_a_library_that_loses_all_its_texts_is_searched_by_look(made: Made) -> None:
    service = SearchService(
        made.library,
        made.encoder,
        view=lambda session, snapshot: without_pictures(session, snapshot, list(made.ids.values())),
    )
    hits = service.search(SearchRequest(text="red", k=12)).hits
    assert len(hits) == 12
    assert not any(hit.regions or hit.caption for hit in hits)


def _id_of(made: Made, text: str) -> int:
    from search.evaluation.fusion import _text_ids

    with made.library.read() as session:
        return _text_ids(session, [text])[text]


def _array(one: int) -> Any:
    import numpy as np

    return np.array([one], np.int64)
