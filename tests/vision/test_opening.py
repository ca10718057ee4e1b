"""Only regular files are opened, and nothing waits for what is none."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from vision.opening import NotAFileError, open_regular


def test_a_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"content"


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "device", "link to a pipe"])
def test_what_is_no_file_is_refused_without_waiting(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "socket":
            listening.bind(str(path))
        elif kind == "device":
            path = Path("/dev/null")
        else:
            os.mkfifo(tmp_path / "pipe")
            path.symlink_to("pipe")
        with pytest.raises(NotAFileError) as caught:
            open_regular(path)
    assert caught.value.sentence.startswith("This is a ")
    assert caught.value.errno


def test_a_pipe_that_takes_the_file_s_place_after_the_look_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"x")
    seen = os.stat(path)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(os, "stat", lambda _: seen)  # what the first look saw
    with pytest.raises(NotAFileError):
        open_regular(path)
