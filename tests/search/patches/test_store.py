"""Files of patches: small, sealed, and harmless whatever stands in their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.patches.store import Kept, PatchStore, packed, unpacked
from vision.looks import GRID, WHOLE, WITH_PARTS, Looks

SHA, MODEL = "ab" * 32, "cd" * 32


def some_looks(count: int = WITH_PARTS, dim: int = 24) -> Looks:
    patches = np.random.default_rng(dim).normal(size=(count, GRID, GRID, dim)).astype(np.float32)
    patches /= np.linalg.norm(patches, axis=-1, keepdims=True)
    return Looks(patches, np.tile(np.array([0, 0, 1, 1], np.float32), (count, 1)))


@pytest.mark.parametrize("count", [WHOLE, WITH_PARTS])
@pytest.mark.parametrize("dim", [1, 24, 512])
def test_patches_come_back_with_hardly_a_change(count: int, dim: int) -> None:
    looks = some_looks(count, dim)
    back = unpacked(packed(looks))
    assert back is not None
    assert np.einsum("lrcd,lrcd->lrc", looks.patches, back.patches).min() > 0.9998
    np.testing.assert_array_equal(back.views, looks.views)
    assert packed(back) == packed(looks)  # again and again without a loss


def test_an_empty_vector_divides_by_nothing() -> None:
    looks = some_looks(WHOLE)
    looks.patches[0, 0, 0] = 0
    back = unpacked(packed(looks))
    assert back is not None
    assert np.isfinite(back.patches).all()


def test_any_changed_byte_is_noticed() -> None:
    data = packed(some_looks(WHOLE, 4))
    for place in range(0, len(data), 7):
        assert unpacked(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]) is None
    assert unpacked(data[:-1]) is None
    assert unpacked(data + b"x") is None


@given(st.binary(max_size=400))
def test_foreign_bytes_are_no_patches(data: bytes) -> None:
    assert unpacked(data) is None
    assert unpacked(b"\x89DXPAT\r\n" + data) is None


def test_a_store_knows_its_files_from_others(tmp_path: Path) -> None:
    store = PatchStore(tmp_path)
    assert store.kept() is None
    assert store.read(SHA, MODEL) is None
    assert list(store.files()) == []
    store.keep(Kept(MODEL, WHOLE))
    assert store.kept() == Kept(MODEL, WHOLE)
    size_bytes = store.put(SHA, MODEL, some_looks(WHOLE))
    assert store.path(SHA, MODEL).stat().st_size == size_bytes
    assert store.looks_of(SHA, MODEL) == WHOLE
    assert store.looks_of(SHA, "ef" * 32) == 0
    store.put(SHA, "ef" * 32, some_looks(WHOLE))
    store.put("12" * 32, MODEL, some_looks(WHOLE))
    (tmp_path / "patches" / "ab" / "notes.txt").write_text("mine")
    (tmp_path / "patches" / "loose").write_text("mine")
    assert store.erase_others({SHA}) == 4
    assert [path for path, _, _ in store.files()] == [store.path(SHA, MODEL)]
    store.clear()
    assert not store.folder.exists()
    store.clear()  # twice does no harm


@pytest.mark.parametrize("mark", ["", "[]", "{}", '{"model": "x", "looks": 1}', f'{{"model": "{MODEL}", "looks": 7}}'])
def test_a_mark_that_makes_no_sense_keeps_nothing(tmp_path: Path, mark: str) -> None:
    store = PatchStore(tmp_path)
    store.keep(Kept(MODEL, WHOLE))
    (store.folder / "kept.json").write_text(mark)
    assert store.kept() is None


def test_a_hash_that_is_none_names_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        PatchStore(tmp_path).path("../../etc/passwd", MODEL)
