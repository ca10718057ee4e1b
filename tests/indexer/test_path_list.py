"""Lists of paths: lines or NUL, from files or pipes, with names that only a bad neighbour would choose."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import run
from indexer.path_list import read_path_list

HOSTILE = ["line\nbreak.png", os.fsdecode(b"caf\xe9 \xff.png"), " blanks .png", "-dash.png", "tab\t'\".png", "#x.png"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, name in enumerate(HOSTILE):
        file = io.BytesIO()
        Image.new("RGB", (40 + number, 30), "red").save(file, "PNG")
        (folder / name).write_bytes(file.getvalue())
    return folder


def test_lines_are_paths_from_the_folder_of_the_list(pictures: Path) -> None:
    data = b"\n -nothing-\r\n#x.png\r\n./#x.png\n caf\xe9\n" + os.fsencode(pictures / "-dash.png") + b"\n../pictures\n"
    found = read_path_list(data, str(pictures))
    assert found.roots == [str(pictures / "#x.png"), str(pictures / "-dash.png"), str(pictures)]
    assert [(Path(one.path).name, one.reason.partition(":")[0]) for one in found.refused] == [
        (" -nothing-", "not_found"), (os.fsdecode(b" caf\xe9"), "not_found"),
    ]  # fmt: skip


def test_nul_divides_every_name_there_is(pictures: Path) -> None:
    data = b"\0".join(os.fsencode(name) for name in HOSTILE) + b"\0"
    found = read_path_list(data, str(pictures), nul=True)
    assert found.roots == [str(pictures / name) for name in HOSTILE]
    assert found.refused == []


def test_a_missing_line_is_refused_and_the_others_go_in(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("pictures/#x.png\nnowhere/a.png\n" + "x" * 5000 + "\n")
    home = ["--home", str(tmp_path / "home"), "--quiet", "--json"]
    assert run(["index", "--from-list", str(tmp_path / "list.txt"), "--model", "colour", *home]) == 3
    report = json.loads(capsys.readouterr().out)
    assert report["embedded"] == 1
    assert [one["reason"].partition(":")[0] for one in report["refused"]] == ["not_found", "not_found"]
    assert run(["index", *home]) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == 1


def test_a_list_that_names_nothing_does_not_stand_for_everything(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("nowhere\n")
    home = ["--home", str(tmp_path / "home"), "--quiet", "--json", "--model", "colour"]
    assert run(["index", "--from-list", str(tmp_path / "list.txt"), *home]) == 3
    assert not (tmp_path / "home").exists()
    assert run(["index", str(pictures), *home]) == 0
    (tmp_path / "list.txt").write_text("\n")
    capsys.readouterr()
    assert run(["index", "--from-list", str(tmp_path / "list.txt"), *home]) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == 0
    assert run(["index", "--from-list", str(tmp_path / "none.txt"), *home]) == 1


def test_names_come_through_a_pipe(pictures: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deixis", "index", "--from-list", "-", "-0", "--json", "--model", "colour"]
    data = b"\0".join(os.fsencode(name) for name in HOSTILE)
    environment = os.environ | {"DEIXIS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=pictures, input=data, capture_output=True, check=True, env=environment)
    assert json.loads(done.stdout)["embedded"] == len(HOSTILE)


def test_urls_are_refused_until_a_setting_allows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:9/a.png\n")
    command = [
        "index",
        "--from-urls",
        str(tmp_path / "urls.txt"),
        "--home",
        str(tmp_path / "home"),
        "--model",
        "colour",
    ]
    assert run(command) == 1
    assert "DEIXIS_FETCH_URLS=1" in capsys.readouterr().err
    monkeypatch.setenv("DEIXIS_FETCH_URLS", "1")
    assert run([*command, "--json", "--quiet"]) == 3
    assert json.loads(capsys.readouterr().out)["refused"][0]["reason"].startswith("forbidden_address")
    monkeypatch.setenv("DEIXIS_URL_ALLOW", "nonsense")
    assert run(command) == 1
