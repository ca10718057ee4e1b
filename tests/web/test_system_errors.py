"""What the system refuses is told over HTTP as such: never a 500, with a remedy, with Retry-After where it helps."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from search.settings import Settings
from vision.faults import Fault
from web.app import create_app
from web.errors import FAULT_KINDS, PROBLEM_JSON, TYPE_PREFIX

REFUSALS = [
    (errno.ENOSPC, 507, "disk-full", False),
    (errno.EROFS, 503, "read-only", False),
    (errno.EACCES, 503, "no-permission", False),
    (errno.EIO, 503, "io-error", True),
    (errno.EMFILE, 503, "too-many-open", True),
    (errno.ENOMEM, 503, "out-of-memory", True),
    (errno.ECONNREFUSED, 503, "unreachable", True),
    (errno.ESTALE, 503, "storage-gone", True),
    (errno.ENAMETOOLONG, 503, "name-too-long", False),
    (errno.EDOM, 503, "system-error", True),
]


def test_every_fault_has_a_status_that_does_not_blame_the_server_s_code() -> None:
    assert set(FAULT_KINDS) == set(Fault)
    assert {kind.status for kind in FAULT_KINDS.values()} == {503, 507}


@pytest.mark.parametrize(("number", "status", "slug", "retry"), REFUSALS)
def test_a_refusal_of_the_system_has_its_status(
    number: int, status: int, slug: str, retry: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(Settings(home=tmp_path / "home"))

    @app.get("/api/v1/broken")
    @app.get("/broken")
    def broken() -> None:
        raise OSError(number, os.strerror(number), "/a/b")

    with TestClient(app, base_url="http://localhost") as client, caplog.at_level(logging.WARNING, "web.errors"):
        answer = client.get("/api/v1/broken")
        page = client.get("/broken", headers={"accept": "text/html"})
    assert (answer.status_code, answer.json()["type"]) == (status, TYPE_PREFIX + slug)
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert ("retry-after" in answer.headers) is retry
    assert answer.json()["remedy"]
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert "Traceback" not in caplog.text


def test_a_preview_that_cannot_be_kept_is_shown_all_the_same(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    shutil.rmtree(copy / "previews", ignore_errors=True)
    (copy / "previews").write_bytes(b"a file where the folder should be: nothing can be written below it")
    with TestClient(create_app(Settings(home=copy, threads=1)), base_url="http://localhost") as client:
        hit = client.get("/api/v1/search?q=red&k=1").json()["hits"][0]
        for name in ("gallery", "page"):
            answer = client.get(f"/media/{hit['image_id']}/{name}")
            assert (answer.status_code, answer.content[:4]) == (200, b"\xff\xd8\xff\xe0")
