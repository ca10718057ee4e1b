"""Previews are named by content, written whole, and by no other names."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.previews import GALLERY_PX, PreviewStore

SHA = "ab" * 32


def test_what_is_put_is_got_and_no_temporary_file_stays(tmp_path: Path) -> None:
    store = PreviewStore(tmp_path)
    assert store.get(SHA, GALLERY_PX) is None
    path = store.put(SHA, GALLERY_PX, b"webp")
    assert store.get(SHA, GALLERY_PX) == path
    assert [file.name for file in path.parent.iterdir()] == [f"{SHA}-{GALLERY_PX}.webp"]
    store.put(SHA, GALLERY_PX, b"again")
    assert path.read_bytes() == b"again"


@pytest.mark.parametrize(("sha256", "size_px"), [("../" + "a" * 61, 512), ("AB" * 32, 512), ("ab", 512), (SHA, 513)])
def test_names_that_could_leave_the_folder_are_refused(tmp_path: Path, sha256: str, size_px: int) -> None:
    with pytest.raises(ValueError, match="not"):
        PreviewStore(tmp_path).path(sha256, size_px)
