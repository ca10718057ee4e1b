"""A folder's revision is its content: remembered for large files, and never remembered wrongly."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from vision.encoders.folders import content_revision

_ABOVE_THE_LIMIT_BYTES = 65 << 20


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A sparse file large enough for its digest to be remembered."""
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.truncate(_ABOVE_THE_LIMIT_BYTES)
    return path


def _revision(path: Path, notes: Path, *, settled_after_s: float = -1.0) -> str:
    return content_revision(path.parent, [path.name], notes=notes, settled_after_s=settled_after_s)


def test_names_and_contents_make_the_revision_and_absent_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("1")
    one = content_revision(tmp_path, ["a.json", "b.json"])
    assert len(one) == 40
    assert one == content_revision(tmp_path, ["b.json", "a.json", "a.json"])
    (tmp_path / "a.json").rename(tmp_path / "b.json")
    assert content_revision(tmp_path, ["a.json", "b.json"]) != one


def test_a_large_file_is_hashed_once_and_its_digest_read_from_then_on(weights: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    first = _revision(weights, notes)
    (note,) = notes.iterdir()
    assert _revision(weights, notes) == first
    note.write_text("0" * 64)  # only a reader of the note can notice
    assert _revision(weights, notes) != first


def test_a_change_makes_the_remembered_digest_void(weights: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    first = _revision(weights, notes)
    with weights.open("r+b") as file:
        file.write(b"x")
    assert _revision(weights, notes) != first


def test_a_damaged_note_is_written_again(weights: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    first = _revision(weights, notes)
    (note,) = notes.iterdir()
    for damage in ("", "zz" * 32, "é"):
        note.write_text(damage)
        assert _revision(weights, notes) == first


def test_a_file_changed_a_moment_ago_is_not_remembered(weights: Path, tmp_path: Path) -> None:
    _revision(weights, tmp_path / "notes", settled_after_s=3600)
    assert not (tmp_path / "notes").exists()


def test_where_nothing_can_be_written_the_file_is_hashed_and_a_warning_says_so(
    weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "notes").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        assert _revision(weights, tmp_path / "notes") == _revision(weights, tmp_path / "elsewhere")
    assert "hashed at every start" in caplog.text
