"""`deixis watch` and `serve --watch` as processes: killed, steered, supervised, orphaned."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from deixis.cli import run
from deixis.supervised import supervised
from indexer.worker import work
from search.db.schema import File
from search.jobs.rows import JobInfo, ask, list_jobs
from search.library import Library

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _reached_from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    draw(folder, "red")
    return folder


@pytest.fixture
def library(home: Path, pictures: Path) -> Iterator[Library]:
    assert run(["index", str(pictures), "--model", "colour", "--quiet", "--home", str(home)]) == 0
    with Library.open(home) as opened:
        yield opened


@pytest.fixture
def start(home: Path, library: Library) -> Iterator[Start]:
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "deixis", *arguments, "--home", str(home), "--threads", "1"]
        begun.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def draw(folder: Path, colour: str) -> None:
    Image.new("RGB", (40 + len(list(folder.iterdir())), 30), colour).save(folder / f"{colour}.png")


def shown(library: Library) -> set[str]:
    with library.read() as session:
        return {Path(path).stem for path in session.scalars(select(File.path).where(File.state == "indexed"))}


def until(true: Callable[[], bool], what: Callable[[], object] = lambda: None) -> None:
    ends = time.monotonic() + 90
    while not true():
        assert time.monotonic() < ends, what()
        time.sleep(0.05)


def job(library: Library) -> JobInfo | None:
    return next((one for one in list_jobs(library) if one.kind == "watch"), None)


def state(library: Library) -> str:
    """Of the job that watches."""
    found = job(library)
    if found is None:
        return "none"
    return "lost" if found.lost else found.state


def watches(library: Library) -> None:
    until(lambda: (found := job(library)) is not None and found.state == "running" and found.progress is not None)


def bursts(library: Library) -> int:
    """How often it has found something; 0 within a burst, too."""
    found = job(library)
    progress = found.progress if found is not None else None
    return progress["done"] if progress is not None and progress["stage"] == "watching" else 0


def pid(library: Library) -> int:
    found = job(library)
    assert found is not None
    number = re.match(r"pid (\d+) on", found.worker or "")
    assert number is not None
    return int(number[1])


def lives(number: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_one_that_was_killed_catches_up_and_is_the_same_job(library: Library, pictures: Path, start: Start) -> None:
    first = start("watch")
    watches(library)
    first.kill()
    first.communicate()
    until(lambda: state(library) == "lost")
    assert work(library, until_empty=True).done == 0, "no worker is to watch for ever"
    draw(pictures, "blue")
    (pictures / "red.png").unlink()
    second = start("watch", "--scan-every", "30")
    until(lambda: shown(library) == {"blue"})
    (found,) = [one for one in list_jobs(library) if one.kind == "watch"]
    assert (found.state, found.attempts) == ("running", 2)
    third = start("watch")
    _, said = third.communicate(timeout=90)
    assert (third.returncode, f"pid {second.pid}" in said) == (1, True)
    assert state(library) == "running"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_says_what_it_has_done(
    library: Library, pictures: Path, start: Start, number: signal.Signals
) -> None:
    process = start("watch")
    draw(pictures, "blue")
    until(lambda: bursts(library) == 1)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "watch: 1 new or changed" in said
    assert "1 pictures came in while it watched" in said
    assert "Traceback" not in said
    assert state(library) == "paused"


def test_it_is_paused_resumed_and_cancelled_through_its_job(library: Library, pictures: Path, start: Start) -> None:
    process = start("watch")
    watches(library)
    number = job(library).id  # type: ignore[union-attr]
    ask(library, number, "pause")
    until(lambda: state(library) == "paused")
    draw(pictures, "blue")
    with library.exclusive():
        assert process.poll() is None
    ask(library, number, "resume")
    until(lambda: shown(library) == {"red", "blue"})
    assert work(library, until_empty=True).done == 0, "only the process itself takes it up again"
    ask(library, number, "cancel")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert state(library) == "cancelled"
    second = start("watch")
    until(lambda: state(library) == "running")
    ask(library, job(library).id, "pause")  # type: ignore[union-attr]
    until(lambda: state(library) == "paused")
    ask(library, job(library).id, "cancel")  # type: ignore[union-attr]
    second.communicate(timeout=60)
    assert second.returncode == 0


def test_it_ends_when_its_parent_does(library: Library, home: Path) -> None:
    script = f'"{sys.executable}" -m deixis watch --home "{home}" --parent $$ 2>/dev/null & read line'
    parent = subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE)
    watches(library)
    number = pid(library)
    assert lives(number)
    parent.kill()
    parent.communicate()
    until(lambda: not lives(number))
    assert state(library) == "paused"


def test_a_supervised_one_is_begun_again_and_ends_with_the_block(library: Library, home: Path, pictures: Path) -> None:
    said: list[str] = []
    environ = {"DEIXIS_HOME": str(home), "DEIXIS_THREADS": "1"}
    with supervised(["watch", "--quiet"], environ, said.append):
        watches(library)
        first = pid(library)
        os.kill(first, signal.SIGKILL)
        until(lambda: state(library) == "running" and pid(library) != first)
        assert said == ["watch: killed by signal 9; it is begun again in 1 s"]
        draw(pictures, "blue")
        until(lambda: shown(library) == {"red", "blue"})
        second = pid(library)
    assert not lives(second)
    assert state(library) == "paused"
    assert len(said) == 1


def test_a_supervised_one_that_was_cancelled_stays_away(library: Library, home: Path) -> None:
    said: list[str] = []
    with supervised(["watch", "--quiet"], {"DEIXIS_HOME": str(home)}, said.append):
        watches(library)
        ask(library, job(library).id, "cancel")  # type: ignore[union-attr]
        until(lambda: bool(said))
    assert said == ["watch: ended as it was asked to"]


def test_one_that_cannot_live_is_tried_with_growing_pauses(tmp_path: Path) -> None:
    said: list[str] = []
    with supervised(["watch", "--quiet"], {"DEIXIS_HOME": str(tmp_path / "none")}, said.append):
        until(lambda: len(said) == 2)
    assert said == [f"watch: ended with code 1; it is begun again in {pause} s" for pause in (1, 2)]


@pytest.fixture
def port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


def found(port: int) -> set[str]:
    """What the pages show."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/search?q=blue&k=50", timeout=60) as answer:
            return {Path(hit["path"]).stem for hit in json.load(answer)["hits"]}
    except OSError:
        return set()


def test_pages_show_new_pictures_and_what_watches_ends_with_the_server(
    library: Library, pictures: Path, start: Start, port: int
) -> None:
    server = start("serve", "--watch", "--port", str(port))
    until(lambda: found(port) == {"red"})
    watches(library)
    draw(pictures, "blue")
    until(lambda: found(port) == {"red", "blue"}, lambda: found(port))
    (pictures / "red.png").unlink()
    until(lambda: found(port) == {"blue"}, lambda: found(port))
    number = pid(library)
    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=90)
    assert server.returncode == 0
    assert "watch: 1 new or changed" in said
    assert "Traceback" not in said
    assert not lives(number)
    assert state(library) == "paused"


def test_a_server_that_is_killed_leaves_nobody_who_watches(library: Library, start: Start, port: int) -> None:
    server = start("serve", "--watch", "--port", str(port))
    until(lambda: found(port) == {"red"})
    watches(library)
    number = pid(library)
    server.kill()
    server.wait()
    until(lambda: not lives(number))
    until(lambda: not found(port), lambda: "its pages are still there")
    assert state(library) == "paused"
