"""`deixis doctor` finds what is wrong, says how to mend it, and never faints."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.cli import run
from deixis.examination import Asked, examine
from vision.encoders.builtin import built_in_folder


def _spoil_form(home: Path) -> None:
    with sqlite3.connect(home / "deixis.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


def _spoil_mark(home: Path) -> None:
    (home / "library.json").write_text('{"uid": "another"}')


def _spoil_file(home: Path) -> None:
    (home / "deixis.db").write_bytes(b"not a database at all" * 1000)
    for name in ("deixis.db-wal", "deixis.db-shm"):
        (home / name).unlink(missing_ok=True)


def _spoil_home(home: Path) -> None:
    shutil.rmtree(home)
    home.write_text("a file")


def test_all_is_well_where_it_is(colour_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--thorough"]) == 0
    said = capsys.readouterr().out
    assert said.endswith("all is well\n")
    for part in ("deixis ", "Python 3", "torch ", "GB free", "write-ahead log", "colour, colour, in colour", "threads"):
        assert part in said


@pytest.mark.parametrize(
    ("spoil", "message", "remedy"),
    [
        (_spoil_form, "written by a newer version", "Update Deixis"),
        (_spoil_mark, "belong to different libraries", "DEIXIS_HOME"),
        (_spoil_file, "is damaged", "backup"),
        (_spoil_home, "is no folder", "--home"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(
    spoil: Callable[[Path], None], message: str, remedy: str, colour_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(colour_home)
    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert message in said
    assert remedy in said.partition(message)[2]
    assert "Traceback" not in said


def test_a_missing_encoder_is_found(
    colour_home: Path, made_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shutil.copytree(built_in_folder("storybook-encoder"), tmp_path / "mine")
    assert run(["index", str(made_home.parent / "pictures"), "--model", str(model), "--replace-model", "--quiet"]) == 0
    assert run(["doctor", "--thorough"]) == 0
    model.rename(tmp_path / "moved")
    capsys.readouterr()
    assert run(["doctor", "--json"]) == 1
    (wrong,) = [check for check in json.loads(capsys.readouterr().out)["checks"] if check["state"] == "wrong"]
    assert "is not there any more" in wrong["said"]
    assert run(["models", "locate", "mine", str(tmp_path / "moved")]) == 0
    assert run(["doctor", "--thorough"]) == 0


def test_without_a_library_there_is_nothing_wrong(tmp_path: Path) -> None:
    checks = examine(Asked(tmp_path / "nowhere", None, thorough=True))
    assert {check.state for check in checks} <= {"ok", "warning"}


@pytest.mark.parametrize(("name", "value"), [("DEIXIS_PORT", "many"), ("DEIXIS_HOEM", "x"), ("DEIXIS_THREADS", "-3")])
def test_a_setting_that_makes_no_sense_is_a_finding(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert run(["doctor"]) == 1
    assert f"WRONG settings: {name}" in capsys.readouterr().out
