"""The digest of a file: the same as of its bytes, and none, at once, of what is no file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from indexer.places import PathError, resolve_root
from search.db.limits import MAX_PATH_BYTES
from vision.archives.reading import MemberReader
from vision.originals import Original


def _sha256(path: Path) -> str | None:
    return Original.of(str(path), None).sha256(MemberReader())


def test_it_is_the_digest_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert _sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_pipe_that_has_taken_a_files_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    assert _sha256(tmp_path / "a") is None
    assert _sha256(tmp_path) is None
    assert _sha256(tmp_path / "nothing") is None


@pytest.mark.parametrize("path", ["a\0b", "a\ud800b", "x" * MAX_PATH_BYTES])
def test_a_root_that_cannot_be_a_path_is_an_error_with_a_remedy(tmp_path: Path, path: str) -> None:
    with pytest.raises(PathError) as caught:
        resolve_root(f"{tmp_path}/{path}")
    assert caught.value.remedy
