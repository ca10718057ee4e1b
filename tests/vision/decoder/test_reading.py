"""Only regular files are read, once, and nothing else can hold the reader up."""

from __future__ import annotations

import hashlib
import itertools
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vision.decoder.pictures import encoded, upright
from vision.decoder.contract import RefusalError
from vision.decoder.reading import read_once
from vision.images import Decoded, DecodeLimits, DecodeRequest, DecoderPool, Refused


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listening_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def circle(path: Path) -> None:
    path.symlink_to(path)


def beneath_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_bytes(b"x")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (fifo, "not_a_file"),
        (listening_socket, "not_a_file"),
        (Path.mkdir, "not_a_file"),
        (lambda path: path.symlink_to("/dev/zero"), "not_a_file"),
        (lambda path: path.symlink_to("/dev/tty"), "not_a_file"),
        (lambda path: path.symlink_to("nowhere"), "not_found"),
        (circle, "not_found"),
        (beneath_a_file, "not_found"),
        (lambda path: None, "not_found"),
        (Path.touch, "empty"),
        (lambda path: path.symlink_to("/proc/self/status"), "empty"),
    ],
    ids=[
        "pipe", "socket", "folder", "endless device", "terminal", "dangling link", "circular link", "beneath a file",
        "vanished", "empty file", "a file that says it is empty",
    ],
)  # fmt: skip
def test_what_is_not_a_readable_file_is_refused_without_waiting(
    pool: DecoderPool, tmp_path: Path, make: Callable[[Path], None], code: str
) -> None:
    path = tmp_path / "folder" / "picture.jpg"
    path.parent.mkdir()
    make(path)
    answer = pool.decode(DecodeRequest(str(path)))
    assert isinstance(answer, Refused)
    assert (answer.path, answer.code) == (str(path), code)


def test_a_file_of_somebody_else_is_refused(pool: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(upright(), "PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    answer = pool.decode(DecodeRequest(str(path)))
    assert isinstance(answer, Refused)
    assert answer.code == "permission_denied"


def test_a_file_that_is_being_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "download.tiff"
    path.write_bytes(bytes(16 << 20))
    done = threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            while not done.is_set():
                file.write(b"more")

    def codes() -> Iterator[str]:
        while True:
            with pytest.raises(RefusalError) as caught:
                read_once(os.fsencode(path), 1 << 30)
                raise RefusalError("read", "it may be that no write fell into the reading")
            yield caught.value.code

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert "changed_while_reading" in itertools.islice(codes(), 200)
    finally:
        done.set()
        writer.join()
    assert read_once(os.fsencode(path), 1 << 30) == path.read_bytes()


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.tiff"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # sparse: a terabyte that takes no room
    with DecoderPool(DecodeLimits(timeout_s=20)) as pool:
        answer = pool.decode(DecodeRequest(str(path)))
    assert isinstance(answer, Refused)
    assert answer.code == "too_large"
    assert "1,099,511,627,776" in answer.reason


def test_the_limit_on_bytes_holds_for_uploads_too() -> None:
    data = encoded(upright(), "PNG")
    with DecoderPool(DecodeLimits(max_file_bytes=len(data))) as pool:
        assert isinstance(pool.decode(DecodeRequest("upload", data=data)), Decoded)
        refused = pool.decode(DecodeRequest("upload", data=data + b"\x00"))
    assert isinstance(refused, Refused)
    assert refused.code == "too_large"


@pytest.mark.parametrize(
    "name",
    [b"plain.png", "Grüße 🐻.png".encode(), b"not\xffutf-8.png", b"line\nbreak.png", b"-rf.png", b"a" * 251 + b".png"],
)
def test_any_name_that_a_file_can_have_is_read(pool: DecoderPool, tmp_path: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    data = encoded(upright(), "PNG")
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError:
        pytest.skip("this file system does not take such a name")
    answer = pool.decode(DecodeRequest(os.fsdecode(path)))
    assert isinstance(answer, Decoded)
    assert os.fsencode(answer.path) == path
    assert answer.sha256 == hashlib.sha256(data).hexdigest()
    assert answer.size_bytes == len(data)


def test_a_relative_path_means_the_callers_folder(
    pool: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here.png").write_bytes(encoded(upright(), "PNG"))
    monkeypatch.chdir(tmp_path)
    answer = pool.decode(DecodeRequest("here.png"))
    assert isinstance(answer, Decoded)
    assert answer.path == "here.png"


def test_reading_leaves_the_original_as_it_was(pool: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "original.png"
    path.write_bytes(encoded(upright(), "PNG"))
    path.chmod(0o444)
    before = path.stat()
    pool.decode(DecodeRequest(str(path), preview_px=16))
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)
    assert [entry.name for entry in tmp_path.iterdir()] == ["original.png"]
