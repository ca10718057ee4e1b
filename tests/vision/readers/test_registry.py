"""A reader is a preset or a folder; what is missing or does not fit is said with what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.vision.readers.conftest import Write
from vision.errors import ModelError, ModelMissingError
from vision.readers.base import Reader
from vision.readers.registry import installed_reader, load_reader


@pytest.fixture
def folder(reader: Reader, tmp_path: Path) -> Path:
    """A folder as a person fills it."""
    graphs = installed_reader("rapidocr")
    assert graphs is not None
    made = tmp_path / "mine"
    made.mkdir()
    for pattern, name in (("*_det_*.onnx", "detection.onnx"), ("*_rec_*.onnx", "recognition.onnx")):
        (made / name).symlink_to(next(graphs.glob(pattern)))
    return made


def test_graphs_of_a_folder_read_as_those_of_the_package(folder: Path, reader: Reader, write: Write) -> None:
    own = load_reader(str(folder))
    assert own.facts.name == "mine"
    assert own.facts.identity == reader.facts.identity
    picture = write(("Kitchen", (60, 100)))
    assert own.read([picture]) == reader.read([picture])


def test_a_dictionary_beside_the_graph_is_its_alphabet(folder: Path, write: Write) -> None:
    own = load_reader(str(folder))
    letters = own._alphabet[1:-1]  # type: ignore[attr-defined]  # what a person would write into the file
    (folder / "dictionary.txt").write_text("\n".join(letters).replace("K", "Q") + "\n", encoding="utf-8")
    changed = load_reader(str(folder))
    assert changed.facts.identity != own.facts.identity
    (reading,) = changed.read([write(("Kitchen", (60, 100)))])
    assert [line.text for line in reading.lines] == ["Qitchen"]


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda folder: (folder / "detection.onnx").unlink(), ModelMissingError, "no detection.onnx"),
        (lambda folder: (folder / "recognition.onnx").unlink(), ModelMissingError, "no recognition.onnx"),
        (lambda folder: (folder / "dictionary.txt").write_text("a\nb\n"), ModelError, "its dictionary has 4"),
        (lambda folder: (folder / "dictionary.txt").write_bytes(b"\xff\xfe\xff"), ModelError, "cannot be read"),
        (lambda folder: (folder / "dictionary.txt").write_bytes(b"x" * 5_000_000), ModelError, "too long"),
    ],
)
def test_a_folder_that_is_not_whole_is_named(folder: Path, spoil: object, error: type[Exception], said: str) -> None:
    spoil(folder)  # type: ignore[operator]  # of the table
    with pytest.raises(error, match=said) as caught:
        load_reader(str(folder))
    assert caught.value.remedy  # type: ignore[attr-defined]


def test_a_damaged_graph_is_named(folder: Path) -> None:
    (folder / "detection.onnx").unlink()
    (folder / "detection.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"detection\.onnx"):
        load_reader(str(folder))


@pytest.mark.parametrize("package", ["rapidocr", "cv2"])
def test_without_the_extra_the_line_that_installs_it_is_said(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelMissingError) as caught:
        load_reader("rapidocr")
    assert "pip install 'deixis[ocr]'" in caught.value.remedy


def test_a_model_of_another_kind_is_named_as_such() -> None:
    with pytest.raises(ModelMissingError, match="captioners"):
        load_reader("kosmos2")
    with pytest.raises(ModelMissingError, match="no such model folder"):
        load_reader("/nowhere/at/all")
    with pytest.raises(ModelError, match="threads"):
        load_reader("rapidocr", threads=0)
