"""A home that can be read and not written: of another user, on a read-only mount, on a full disk."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="deixis-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def environment(**more: str) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DEIXIS_")}
    return environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": "/nonexistent", **more}


def deixis(home: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> Ran:
    return subprocess.run(
        [*prefix, sys.executable, "-m", "deixis", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd="/",
        env=environment(DEIXIS_HOME=str(home)),
    )


@pytest.fixture
def home(place: Path) -> Path:
    """A library of three pictures, whose folders anybody may read and enter."""
    pictures = place / "pictures"
    pictures.mkdir()
    for width, colour in enumerate(("red", "green", "blue"), start=40):
        Image.new("RGB", (width, 30), colour).save(pictures / f"{colour}.png")
    made = deixis(place / "home", "index", str(pictures), "--model", "colour")
    assert made.returncode == 0, made.stderr
    for path in (place / "home", *(place / "home").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(place / "home" / "previews")
    return place / "home"


@pytest.fixture
def other(home: Path) -> tuple[str, ...]:
    """A command prefix: what follows runs as a user who may read the home and not write to it."""
    if os.geteuid() != 0:
        for path in (home, *home.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        return ()
    # The interpreter may lie where only root may look; the right to look gives none to write.
    look = "-all,+dac_read_search"
    prefix = (
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *(f"--inh-caps={look}", f"--ambient-caps={look}", "--bounding-set=" + look),
    )
    script = f"import os, sqlalchemy, sys; sys.exit(os.access({str(home)!r}, os.W_OK, effective_ids=True))"
    tried = shutil.which("setpriv") and subprocess.run([*prefix, sys.executable, "-c", script], check=False, cwd="/")
    if not tried or tried.returncode != 0:
        pytest.skip("needs setpriv and the right to become another user")
    return prefix


def test_another_user_searches_and_verifies_and_is_told_why_index_cannot(
    home: Path, place: Path, other: tuple[str, ...]
) -> None:
    def run(*arguments: str) -> Ran:
        return deixis(home, *arguments, prefix=other)

    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    found = run("search", "blue", "-k", "1")
    assert found.returncode == 0, found.stderr
    assert "blue.png" in found.stdout
    assert run("status").returncode == 0
    verified = run("verify")
    assert (verified.returncode, "all agree" in verified.stdout) == (0, True), verified.stderr
    for command in (("index", str(place / "pictures")), ("rebuild",), ("import", str(place / "no.jsonl"))):
        refused = run(*command)
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        assert "defect" not in refused.stderr
        assert (
            command[0] == "import"
            or "may not be written by this user" in refused.stderr
            or ("Permission denied" in refused.stderr)
        )
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_another_user_reads_while_the_owner_writes(home: Path, other: tuple[str, ...]) -> None:
    if not other:
        pytest.skip("needs root, to be two users")
    script = """
import sys
from pathlib import Path
from search.library import Library
from search.db.schema import Root
with Library.open(Path(sys.argv[1])) as library:
    with library.write() as session:
        session.add(Root(path="/new"))
    print("written", flush=True)
    sys.stdin.read()
"""
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "written\n"
        found = deixis(home, "search", "red", "-k", "1", prefix=other)
        assert found.returncode == 0, found.stderr
        assert "red.png" in found.stdout
    assert deixis(home, "status", prefix=other).returncode == 0


def test_another_user_serves_pages_and_pictures(home: Path, other: tuple[str, ...]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [*other, sys.executable, "-m", "deixis", "serve", "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env=environment(DEIXIS_HOME=str(home)),
    )
    with server:
        try:
            assert server.stderr is not None
            assert "answers on" in server.stderr.readline()
            with urlopen(f"http://127.0.0.1:{port}/api/v1/search?q=red&k=1", timeout=60) as answer:
                (hit,) = json.load(answer)["hits"]
            with urlopen(f"http://127.0.0.1:{port}/media/{hit['image_id']}/gallery", timeout=60) as answer:
                assert answer.read(4) == b"\xff\xd8\xff\xe0"
            with urlopen(f"http://127.0.0.1:{port}/?q=red", timeout=60) as answer:
                assert b"red.png" in answer.read()
        finally:
            server.terminate()
    assert not (home / "previews").exists()


def _mounted(kind: str, *inside: str) -> tuple[str, ...]:
    """A command prefix that runs what follows with something mounted, seen by it alone."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare, to mount")
    script = kind + ' && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", script, "sh", *inside)


def _tried(prefix: tuple[str, ...]) -> tuple[str, ...]:
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    return prefix


def test_a_read_only_mount_is_searched_and_verified(home: Path, place: Path) -> None:
    bound = f"mount --bind {home} {home} && mount -o remount,ro,bind {home}"
    prefix = _tried(_mounted(bound))
    found = deixis(home, "search", "green", "-k", "1", prefix=prefix)
    assert found.returncode == 0, found.stderr
    assert "green.png" in found.stdout
    for command in (("status",), ("verify",)):
        done = deixis(home, *command, prefix=prefix)
        assert done.returncode == 0, done.stderr
    refused = deixis(home, "index", str(place / "pictures"), prefix=prefix)
    assert refused.returncode == 1
    assert "mounted read-only" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_home_left_by_a_killed_process_is_read_on_a_read_only_mount(home: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from search.library import Library
from search.db.schema import Root
library = Library.open(Path(sys.argv[1]))
with library.write() as session:
    session.add(Root(path="/new"))
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script, str(home)], check=False, env=environment())
    bound = f"mount --bind {home} {home} && mount -o remount,ro,bind {home}"
    found = deixis(home, "search", "green", "-k", "1", prefix=_tried(_mounted(bound)))
    assert found.returncode == 0, found.stderr
    assert "green.png" in found.stdout


def test_a_full_disk_is_searched_and_index_says_that_it_is_full(home: Path, place: Path) -> None:
    full = place / "full"
    full.mkdir()
    filled = (
        f"mount -t tmpfs -o size=16m none {full} && cp -a {home} {full}/home && "
        f"{{ dd if=/dev/zero of={full}/filler bs=4k status=none 2>/dev/null; true; }}"
    )
    prefix = _tried(_mounted(filled))
    for command in (("search", "green", "-k", "1"), ("status",), ("verify",)):
        done = deixis(full / "home", *command, prefix=prefix)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert command[0] != "search" or "green.png" in done.stdout
    for command in (("index", str(place / "pictures"), "--prune"), ("rebuild",)):
        refused = deixis(full / "home", *command, prefix=prefix)
        assert refused.returncode == 1, (command, refused.stdout)
        assert "Traceback" not in refused.stderr
        assert "full" in refused.stderr or "No space left" in refused.stderr, refused.stderr
