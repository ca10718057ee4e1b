"""An export's folder appears whole or not at all, and nobody else's folder is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vision.errors import ModelError
from vision.export.writing import MARK, whole_folder


def _write(out: Path, content: str = "new") -> None:
    facts: dict[str, Any] = {"kind": "encoder"}
    with whole_folder(out, facts) as folder:
        (folder / "graph").write_text(content)
        facts["parity"] = 1


def _one_file(out: Path) -> None:
    out.mkdir(parents=True)
    (out / "holiday.jpg").write_text("mine")


def _a_file(out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("mine")


def _a_dangling_link(out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.symlink_to(out.parent / "nowhere")


def test_a_folder_is_there_with_its_mark_when_it_is_finished(tmp_path: Path) -> None:
    _write(tmp_path / "deep" / "out")
    assert (tmp_path / "deep" / "out" / "graph").read_text() == "new"
    assert json.loads((tmp_path / "deep" / "out" / MARK).read_text()) == {"kind": "encoder", "parity": 1}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "out", {}) as folder:
        (folder / "graph").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_export_is_replaced_as_a_whole_and_survives_a_failure(tmp_path: Path) -> None:
    _write(tmp_path / "out", "old")
    (tmp_path / "out" / "left over").touch()
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "out", {}):
        raise ZeroDivisionError
    assert (tmp_path / "out" / "graph").read_text() == "old"
    _write(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [MARK, "graph"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    _write(tmp_path / "out")
    assert (tmp_path / "out" / "graph").is_file()


@pytest.mark.parametrize("make", [_one_file, _a_file, _a_dangling_link])
def test_what_no_export_has_made_is_left_alone(make: Callable[[Path], None], tmp_path: Path) -> None:
    out = tmp_path / "out"
    make(out)
    with pytest.raises(ModelError, match="no export\nChoose another folder"):
        _write(out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
