"""Lists of paths and URLs that are left to a worker: read when they are given, held against the disk when it runs."""

from __future__ import annotations

import io
import json
import os
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from deixis import exit_codes
from deixis.cli import run
from indexer.fetching import FetchLimits
from indexer.jobs.kinds import IndexJob, arguments_of, form_of
from indexer.options import IndexOptions
from indexer.roots import RuleChange
from indexer.worker import work
from search.db.schema import File
from search.encoder import EncoderWish
from search.jobs.queue import Queue
from search.jobs.rows import show_job
from search.library import Library
from vision.archives.member import ArchiveLimits

NAMES = ["a.png", "line\nbreak.png", os.fsdecode(b"caf\xe9 \xff.png"), "gone.png"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for number, name in enumerate(NAMES):
        with open(made / name, "wb") as file:
            Image.new("RGB", (40 + number, 30), "red").save(file, "PNG")
    return made


def states(library: Library) -> dict[str, str]:
    with library.read() as session:
        return dict(session.execute(select(File.path, File.state)).all())


def test_what_lists_name_survives_the_queue(folder: Path) -> None:
    options = IndexOptions(
        rules=RuleChange(archives=True),
        archives=ArchiveLimits(max_members=7),
        listed=tuple(str(folder / name) for name in NAMES),
        urls=("http://example.org/a.png",),
        fetching=FetchLimits(9, 1.5, (ip_network("127.0.0.1/32"), ip_network("fd00::/8"))),
    )
    asked = IndexJob((), options, EncoderWish("colour"))
    assert form_of("index", json.loads(json.dumps(arguments_of(asked)))) == asked


def test_a_queued_list_loses_only_what_is_gone_when_its_turn_comes(library: Library, folder: Path) -> None:
    options = IndexOptions(batch_size=2, decode_workers=1, listed=tuple(str(folder / name) for name in NAMES))
    form = IndexJob((), options, EncoderWish("colour"))
    number = Queue(library).add(form.KIND, form.lane, arguments_of(form))
    (folder / "gone.png").unlink()
    assert work(library, until_empty=True).done == 1
    report = show_job(library, number).report
    assert report is not None
    assert [one["reason"].partition(":")[0] for one in report["refused"]] == ["not_found"]
    assert states(library) == {str(folder / name): "indexed" for name in NAMES[:3]}
    for name in NAMES[:3]:
        (folder / name).unlink()
    Image.new("RGB", (9, 9)).save(folder / "unasked.png")
    number = Queue(library).add(form.KIND, form.lane, arguments_of(form))
    assert work(library, until_empty=True).done == 1, "of a list nothing may be left, and it stands for nothing else"
    assert set(states(library).values()) == {"indexed"}


def test_a_list_from_a_pipe_is_read_before_the_job_waits(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = b"\0".join(os.fsencode(name) for name in [*NAMES, "never.png"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    monkeypatch.chdir(folder)
    home = ["--home", str(tmp_path / "home")]
    asked = ["index", "--from-list", "-", "-0", "--model", "colour", "--queue", "--json", *home]
    assert run(asked) == exit_codes.PARTIAL
    told = capsys.readouterr()
    assert json.loads(told.out) == {"job": 1}
    assert "never.png: not_found" in told.err
    monkeypatch.chdir(tmp_path)
    with Library.open(tmp_path / "home") as library:
        assert work(library, until_empty=True).done == 1
        assert states(library) == {str(folder / name): "indexed" for name in NAMES}


def test_a_list_of_urls_is_left_to_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:9/a.png\n")
    asked = ["index", "--from-urls", str(tmp_path / "urls.txt"), "--model", "colour", "--queue"]
    asked += ["--home", str(tmp_path / "home")]
    assert run(asked) == exit_codes.ERROR, "where fetching is off nothing is queued"
    monkeypatch.setenv("DEIXIS_FETCH_URLS", "1")
    assert run(asked) == exit_codes.OK
    (tmp_path / "urls.txt").unlink()
    capsys.readouterr()
    with Library.open(tmp_path / "home") as library:
        assert work(library, until_empty=True).done == 1
        report = show_job(library, 1).report
    assert report is not None
    assert report["refused"][0]["reason"].startswith("forbidden_address")
