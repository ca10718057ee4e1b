"""`serve` starts and answers whatever the disk refuses: it needs to write nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.faults.hooks import MKDIR, OPEN, RENAME, SYNC, UNLINK, WRITE

ROOT = Path(__file__).resolve().parents[2]
CHANGES = WRITE | SYNC | RENAME | UNLINK | MKDIR


@pytest.mark.parametrize(
    ("operations", "code", "number", "works"),
    [(CHANGES, errno.ENOSPC, 1, True), (CHANGES, errno.EROFS, 1, True), (OPEN, errno.EIO, 4, False)],
)
def test_a_server_on_a_refusing_disk_answers_and_never_with_a_500(
    operations: int, code: int, number: int, works: bool, shim: Path | None, captioned: Path, tmp_path: Path
) -> None:
    if shim is None:
        pytest.skip("needs a C compiler")
    home = tmp_path / "home"
    shutil.copytree(captioned, home)
    shutil.rmtree(home / "previews")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DEIXIS_")}
    environ |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DEIXIS_DECODE_WORKERS": "1", "LD_PRELOAD": str(shim)}
    environ |= {"FAULT_BELOW": str(home), "FAULT_OPERATIONS": str(operations), "FAULT_ERRNO": str(code)}
    environ |= {"FAULT_NUMBER": str(number), "FAULT_LASTING": "1", "DEIXIS_HOME": str(home)}
    server = subprocess.Popen(
        [sys.executable, "-m", "deixis", "serve", "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environ,
    )
    assert server.stderr is not None
    said = ""
    for line in server.stderr:  # to the end if it does not start
        said += line
        if "answers on" in line:
            break
    statuses = [asked(port, path)[0] for path in ("/", "/?q=red", "/api/v1/images/1", "/readyz", "/media/1/page")]
    status, body = asked(port, "/api/v1/search?q=red&k=1")
    server.terminate()
    said += server.stderr.read()
    server.stderr.close()
    assert server.wait(timeout=60) == 0, said
    assert "Traceback" not in said
    assert {*statuses, status} <= ({200} if works else {200, 503, 507}), (statuses, body, said)
    if works:
        assert json.loads(body)["hits"][0]["path"].endswith("red.png")


def asked(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of one answer."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()
