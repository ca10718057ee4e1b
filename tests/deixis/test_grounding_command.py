"""`deixis eval grounding`: who is asked for what, and what cannot be asked."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.cli import run
from deixis.grounding_sets import Shown, by_captioner, point_at_all
from indexer.layouts.grounded import GroundedPhrase
from vision.grounding.errors import PromptError
from vision.images import DecodeLimits
from vision.types import Box, Region, RgbImage

LEFT, WHOLE = Box(0, 0, 0.5, 1), Box(0, 0, 1, 1)


def phrase(file: str, words: str, sentence: str | None = None, size_wh: tuple[int, int] = (40, 30)) -> GroundedPhrase:
    return GroundedPhrase(f"{words}!", "test", file, size_wh, words, sentence, (LEFT,))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30), "red").save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


def asked(phrases: Sequence[GroundedPhrase], pictures: Path, point: Any) -> Any:
    return point_at_all(phrases, pictures, point, DecodeLimits(), 1, lambda _: None)


def test_what_cannot_be_asked_is_left_out_and_named(pictures: Path) -> None:
    def point(some: Sequence[Shown]) -> list[Box | None]:
        if any(one.phrase == "bad" for _, one in some):
            raise PromptError("holds a tag")
        return [LEFT if one.phrase == "left" else None for _, one in some]

    phrases = [phrase("a.png", "left"), phrase("a.png", "bad"), phrase("a.png", "other", size_wh=(30, 40))]
    phrases += [
        phrase("b.png", "left"),
        phrase("b.png", "none"),
        phrase("broken.png", "left"),
        phrase("no.png", "left"),
    ]
    found = asked(phrases, pictures, point)
    figures = found.figures()["test"]
    assert (figures.any_box.n, figures.any_box.value) == (3, pytest.approx(200 / 3))
    assert [answer.picture for _, answer in found.answers] == [0, 1, 1]
    assert sorted(one.where.split()[0] for one in found.skipped) == ["a.png", "a.png", "broken.png", "no.png"]


class _Told:
    """A captioner that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def ground(self, images: Sequence[RgbImage], phrases: Any, *, sentences: Any, decoding: Any) -> Any:
        self.heard += zip(phrases, sentences, strict=True)
        return [(Region("x", LEFT), Region("x", WHOLE)) for _ in images]

    def refer(self, images: Sequence[RgbImage], expressions: Any, *, decoding: Any) -> Any:
        self.heard += expressions
        return [() for _ in images]


def test_a_captioner_reads_the_sentence_where_there_is_one_and_its_first_box_counts(pictures: Path) -> None:
    told = _Told()
    phrases = [phrase("a.png", "the dog"), phrase("a.png", "a cat", "Here is a cat ."), phrase("b.png", "the tree")]
    found = asked(phrases, pictures, by_captioner(told))  # type: ignore[arg-type]  # of its methods, two
    assert told.heard == [(["a cat"], "Here is a cat ."), "the dog", "the tree"]
    assert [answer.given for _, answer in found.answers] == [None, LEFT, None]


def test_the_table_has_a_row_for_each_split(
    made_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = shutil.copytree(made_home.parent / "entities", tmp_path / "entities")
    (place / "test.txt").write_text("1\n2\n")
    line = ["--entities", str(place), "--ids", str(place / "test.txt"), "--pictures", str(place)]
    assert run(["eval", "grounding", *line, "--by", "patches", "--model", "storybook-encoder"]) == 3
    shown = capsys.readouterr()
    for word in ("test", "any box", "merged box", "Phrases without a box in the set: 1", "IoU"):
        assert word in shown.out
    assert "2.xml" in shown.err


@pytest.mark.parametrize("by", ["patches", "page"])
def test_refs_are_pointed_at_by_an_encoder(
    by: str, made_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = {"id": 1, "file_name": "1.jpg", "width": 40, "height": 30}
    annotation = {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 30]}
    (tmp_path / "instances.json").write_text(json.dumps({"images": [image], "annotations": [annotation]}))
    refs = [
        {"ann_id": 2, "split": split, "sentences": [{"sent": "the red one"}]} for split in ("val", "testB", "train")
    ]
    (tmp_path / "refs.p").write_bytes(pickle.dumps(refs))
    line = ["--refs", str(tmp_path / "refs.p"), "--instances", str(tmp_path / "instances.json")]
    line += ["--pictures", str(made_home.parent / "entities"), "--by", by, "--model", "storybook-encoder"]
    assert run(["eval", "grounding", *line, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["by"] == by
    assert {name: split["any_box"]["n"] for name, split in found["splits"].items()} == {"val": 1, "testB": 1}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "one set is measured at a time"),
        (["--refs", "x.p"], "one set is measured at a time"),
        (["--entities", "x", "--refs", "x.p", "--instances", "y.json"], "one set is measured at a time"),
        (["--entities", "nowhere"], "Name the folder that holds"),
        (["--entities", "{entities}", "--model", "colour"], "--by captioner has no use for --model"),
        (["--entities", "{entities}", "--by", "patches", "--captioner", "x"], "has no use for --captioner"),
        (["--entities", "{entities}", "--by", "patches", "--model", "colour"], "has no heat maps"),
    ],
)
def test_what_cannot_be_measured_is_1_with_a_remedy(
    arguments: list[str], told: str, made_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [one.format(entities=made_home.parent / "entities") for one in arguments]
    assert run(["eval", "grounding", "--pictures", str(made_home.parent), *filled]) == 1
    assert told in capsys.readouterr().err
