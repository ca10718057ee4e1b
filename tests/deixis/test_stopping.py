"""Ctrl-C and SIGTERM at any moment: what was kept is said, the exit code is 130 or 143, and there is no traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from deixis.cli import run
from search.db.driver import DATABASE_FILE
from search.db.schema import Embedding
from search.library import Library
from search.maintenance import verify
from search.service import SearchService

ROOT = Path(__file__).resolve().parents[2]

# The program itself, sending itself a signal when a named function is reached for the n-th time.
STRUCK = """
import importlib, os, signal, sys
number, module, name, times = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
from deixis import __main__ as program
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
inner, count = getattr(owner, last), 0
def struck(*arguments, **options):
    global count
    count += 1
    if count == times:
        os.kill(os.getpid(), number)
    return inner(*arguments, **options)
setattr(owner, last, struck)
sys.argv = ["deixis", *sys.argv[5:]]
program.main()
"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for width in range(40, 52):
        Image.new("RGB", (width, 30), (width * 4, 0, 0)).save(folder / f"{width}.png")
    return folder


def stopped(number: int, where: str, times: int, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    module, _, name = where.partition(":")
    return subprocess.run(
        [sys.executable, "-c", STRUCK, str(number), module, name, str(times), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DEIXIS_HOME": str(home), "OMP_NUM_THREADS": "1"},
    )


# At least so many are kept: stages overlap, and a batch that was begun is finished.
MOMENTS = [
    ("indexer.pipeline:resolve_root", 1, 0),
    ("vision.encoders.colour:ColourEncoder.encode_prepared", 1, 0),
    ("vision.encoders.colour:ColourEncoder.encode_prepared", 2, 5),
    ("indexer.writer:Writer.write_pictures", 3, 10),
    ("search.vectors.segments:write_all", 3, 5),
    ("search.vectors.generations:save_index", 1, 12),
]


@pytest.mark.parametrize(
    ("where", "times", "kept", "number", "code"),
    [*((*moment, signal.SIGINT, 130) for moment in MOMENTS), (*MOMENTS[2], signal.SIGTERM, 143)],
)
def test_a_stopped_index_says_what_it_has_kept_and_goes_on(
    where: str, times: int, kept: int, number: int, code: int, tmp_path: Path, pictures: Path
) -> None:
    home = tmp_path / "home"
    command = ("index", str(pictures), "--model", "colour", "--batch-size", "5", "-q")
    done = stopped(number, where, times, home, *command)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "deixis: stopped; " in done.stderr
    assert _stored(home) >= kept
    if "what was finished is kept" in done.stderr:  # A signal that came before anything was begun, or behind the end.
        assert _stored(home) in (0, 12)
    else:
        told = re.search(r"(\d+) pictures of this run are in the library", done.stderr)
        assert (0 if told is None else int(told[1])) == _stored(home)
    assert run([*command, "--home", str(home)]) == 0
    assert _stored(home) == 12


def _stored(home: Path) -> int:
    if not (home / DATABASE_FILE).exists():
        return 0
    with Library.open(home) as library, library.read() as session:
        return session.scalar(select(func.count()).select_from(Embedding)) or 0


@pytest.mark.parametrize(
    ("command", "where", "times", "kept"),
    [
        (
            ["caption", "--captioner", "storybook-captioner", "--batch-size", "4"],
            "indexer.caption:_write",
            2,
            "captions of this run",
        ),
        (["import", "{notes}"], "indexer.importers:embed_texts", 1, "12 captions and boxes of this run are in"),
    ],
    ids=["caption", "import"],
)
def test_a_stopped_job_says_what_it_has_kept_and_the_next_run_ends_it(
    command: list[str], where: str, times: int, kept: str, tmp_path: Path, pictures: Path
) -> None:
    home = tmp_path / "home"
    notes = tmp_path / "notes.jsonl"
    lines = [
        {"file": path.name, "captions": [{"text": f"a red thing {path.stem} wide"}]}
        for path in sorted(pictures.iterdir())
    ]
    notes.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    assert run(["index", str(pictures), "--model", "colour", "-q", "--home", str(home)]) == 0
    arguments = [part.format(notes=notes) for part in command]
    done = stopped(signal.SIGINT, where, times, home, *arguments, "-q")
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert kept in done.stderr
    assert run([*arguments, "-q", "--home", str(home)]) == 0
    with Library.open(home) as library:
        assert verify(library).findings == []
        assert SearchService(library).status().captions == 12


def test_a_stopped_server_ends_well_and_in_silence(tmp_path: Path, pictures: Path) -> None:
    home = tmp_path / "home"
    assert run(["index", str(pictures), "--model", "colour", "-q", "--home", str(home)]) == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "deixis", "serve", "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DEIXIS_HOME": str(home), "OMP_NUM_THREADS": "1"},
    )
    assert server.stderr is not None
    assert "answers on" in server.stderr.readline()
    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=60)
    assert (server.returncode, "Traceback" in said) == (0, False), said


def test_a_signal_while_modules_are_imported_ends_in_one_line() -> None:
    script = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "deixis.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv = ["deixis", "status"]
from deixis.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (130, "deixis: stopped before anything was begun\n")


def test_an_ignored_signal_stays_ignored() -> None:
    script = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from deixis import stopping
for stage in (stopping.before_work, stopping.during_work, stopping.after_work):
    stage()
    os.kill(os.getpid(), signal.SIGINT)
print("alive")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout) == (0, "alive\n")
