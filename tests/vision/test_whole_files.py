"""A file appears whole or not at all, whatever stops its writer."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vision.whole_files import is_unfinished, remove_unfinished, whole_file, write_whole

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("data", ["", "text é", b"\0bytes" * 100_000])
def test_what_is_written_is_read_and_nothing_else_lies_there(tmp_path: Path, data: str | bytes, lasting: bool) -> None:
    path = tmp_path / ("n" * 250)  # The longest name that a file can have needs no longer one while it is written.
    for _ in range(2):
        write_whole(path, data, lasting=lasting)
        assert path.read_bytes() == (data.encode() if isinstance(data, str) else data)
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_keeps_the_former_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="on purpose"), whole_file(path) as file:
        file.write(b"half")
        raise RuntimeError("on purpose")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "note" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EISDIR))):
        write_whole(tmp_path / "note", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_the_rights_are_those_asked_for(tmp_path: Path) -> None:
    write_whole(tmp_path / "private", "x", mode=0o600)
    assert (tmp_path / "private").stat().st_mode & 0o077 == 0


def test_kills_while_writing_leave_the_former_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "note"
    write_whole(path, "0" * 300_000)
    script = (
        "import sys; from pathlib import Path; from vision.whole_files import write_whole\n"
        "print('go', flush=True)\n"
        "while True:\n    for digit in '123456789': write_whole(Path(sys.argv[1]), digit * 300_000)"
    )
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        before = path.stat().st_ino
        while path.stat().st_ino == before:  # It is at work.
            pass
        child.send_signal(signal.SIGKILL)
        child.communicate()
        text = path.read_text()
        assert len(text) == 300_000
        assert len(set(text)) == 1
    assert all(is_unfinished(other) for other in tmp_path.iterdir() if other != path)
    remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_clearing_away_spares_what_a_living_process_writes(tmp_path: Path) -> None:
    with whole_file(tmp_path / "named", lasting=False) as file:
        file.write(b"part")
        remove_unfinished(tmp_path)
        assert not any(is_unfinished(other) for other in tmp_path.iterdir())
    assert (tmp_path / "named").read_bytes() == b"part"
    script = (
        "import sys; from pathlib import Path; from vision.whole_files import remove_unfinished\n"
        "while True: remove_unfinished(Path(sys.argv[1]))"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
    try:
        for number in range(2000):
            write_whole(tmp_path / "named", str(number), lasting=False)
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate()


def test_no_other_place_renames_a_file_into_its_place() -> None:
    """One helper writes every small file: whoever renames or makes temporary names elsewhere has a reason here."""
    reasons = {
        "vision/whole_files.py": "the helper",
        "vision/export/writing.py": "whole folders",
        "indexer/export_library.py": "a whole folder",
        "storybook/data.py": "a whole folder",
    }
    found = set()
    for room in ("vision", "search", "indexer", "web", "storybook", "deixis"):
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if re.search(r"os\.replace\(|\.rename\(|mkstemp|NamedTemporaryFile|unfinished\.replace\(", text):
                found.add(str(path.relative_to(ROOT)))
    assert found == set(reasons), found
