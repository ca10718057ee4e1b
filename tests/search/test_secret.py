"""The secret of a home: made once, for its owner alone, and the same for all processes."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from search import secret as module
from search.errors import LibraryError
from search.secret import SECRET_FILE, secret

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    found = secret(tmp_path)
    assert len(found) == 32
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600
    assert secret(tmp_path) == found == (tmp_path / SECRET_FILE).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]


def test_processes_that_make_it_at_once_have_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from search.secret import secret; print(secret(Path(sys.argv[1])).hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {one.communicate(timeout=60)[0].strip() for one in running}
    assert said == {(tmp_path / SECRET_FILE).read_bytes().hex()}


def test_without_a_home_it_lasts_as_long_as_the_process(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert secret(nowhere) == secret(nowhere)
    assert not nowhere.exists()
    assert secret(tmp_path / "elsewhere") != secret(nowhere)


def test_a_damaged_one_is_said_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).write_bytes(b"short")
    with pytest.raises(LibraryError, match="5 bytes instead of 32"):
        secret(tmp_path)
    assert (tmp_path / SECRET_FILE).read_bytes() == b"short"


def test_one_that_others_can_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / SECRET_FILE).write_bytes(b"x" * module.SECRET_BYTES)
    (tmp_path / SECRET_FILE).chmod(0o644)
    assert secret(tmp_path) == b"x" * 32
    assert "chmod 600" in caplog.text
