"""An index finds what is nearest, exactly, and its file is what was written or refused."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import numpy as np
import pytest
from stock import unit_vectors

from search.errors import CorruptionError, LibraryError
from search.vectors.effort import WANTED, as_near, calibrate, k_recall, read_effort
from search.vectors.index import build_index, load_index, save_index
from search.vectors.policy import EXACT_UP_TO, index_key

IDS = np.arange(1000, 1200, dtype=np.int64)


@pytest.mark.parametrize("key", ["Flat", "SQfp16"])
def test_the_nearest_come_first_and_exactly(key: str) -> None:
    vectors = unit_vectors(1, 200)
    index = build_index(key, 16, [(IDS[:150], vectors[:150]), (IDS[150:], vectors[150:])])
    queries = unit_vectors(2, 7)
    scores, ids = index.search(queries, 10)
    similarity = queries @ vectors.T
    expected = np.argsort(-similarity, axis=1)[:, :10]
    assert scores.dtype == np.float32
    assert ids.dtype == np.int64
    assert np.array_equal(ids, IDS[expected])
    assert np.abs(scores - np.take_along_axis(similarity, expected, axis=1)).max() < 1e-3


def test_what_is_not_there_is_padded() -> None:
    index = build_index("Flat", 16, [(IDS[:2], unit_vectors(1, 2))])
    scores, ids = index.search(unit_vectors(2, 1), 4)
    assert (ids[0, 2:] == -1).all()
    assert np.isneginf(scores[0, 2:]).all()


@pytest.mark.parametrize("key", ["Flat", "SQfp16"])
def test_a_saved_index_comes_back(tmp_path: Path, key: str) -> None:
    index = build_index(key, 16, [(IDS, unit_vectors(1, 200))])
    sha256, size_bytes = save_index(index, tmp_path / "a.faiss")
    loaded = load_index(tmp_path / "a.faiss", sha256)
    assert (tmp_path / "a.faiss").stat().st_size == size_bytes
    assert [path.name for path in tmp_path.iterdir()] == ["a.faiss"]
    assert np.array_equal(loaded.ids, IDS)
    assert np.array_equal(loaded.vectors(np.array([3, 1])), index.vectors(np.array([3, 1])))
    assert np.array_equal(loaded.search(unit_vectors(2, 3), 5)[1], index.search(unit_vectors(2, 3), 5)[1])


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    index = build_index("Flat", 16, [])
    sha256, _ = save_index(index, tmp_path / "a.faiss")
    assert load_index(tmp_path / "a.faiss", sha256).search(unit_vectors(0, 1), 2)[1].tolist() == [[-1, -1]]
    assert index.sample(10).shape == (0, 16)


def test_a_sample_is_spread_and_always_the_same() -> None:
    vectors = unit_vectors(1, 200)
    index = build_index("Flat", 16, [(IDS, vectors)])
    assert np.array_equal(index.sample(5), vectors[[0, 49, 99, 149, 199]])
    assert np.array_equal(index.sample(1000), vectors)


@pytest.mark.parametrize("damage", ["flip", "cut", "add"])
def test_a_changed_file_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.faiss"
    sha256, size_bytes = save_index(build_index("Flat", 16, [(IDS, unit_vectors(1, 200))]), path)
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[size_bytes // 2] ^= 1
    path.write_bytes({"flip": data, "cut": data[:-1], "add": data + b"x"}[damage])
    with pytest.raises(CorruptionError, match="checksum") as caught:
        load_index(path, sha256)
    assert "deixis rebuild" in caught.value.remedy


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file sizes refuses bytes as a full disk does; FAISS's own writer would not have told."""
    index = build_index("Flat", 16, [(IDS, unit_vectors(1, 200))])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(LibraryError, match="File too large") as caught:
            save_index(index, tmp_path / "a.faiss")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "space" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_many_threads_search_at_once() -> None:
    vectors = unit_vectors(1, 200)
    index = build_index("Flat", 16, [(IDS, vectors)])
    wrong: list[int] = []

    def search() -> None:
        for _ in range(20):
            if not np.array_equal(index.search(vectors, 1)[1][:, 0], IDS):
                wrong.append(1)

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_scan_is_float32_until_there_are_many() -> None:
    assert index_key(0, 512) == index_key(EXACT_UP_TO // 512, 512) == "Flat"
    assert index_key(EXACT_UP_TO // 512 + 1, 512) == "SQfp16"


def test_codes_and_filters_find_what_the_scan_finds(tmp_path: Path) -> None:
    vectors = unit_vectors(1, 9000)
    ids = np.arange(9000, dtype=np.int64)[::-1] + 50
    stored = build_index("SQfp16", 16, [(ids, vectors)])
    sha256, _ = save_index(stored.with_codes("PQ8x4fs"), tmp_path / "a.faiss")
    queries = unit_vectors(2, 70)
    measured = calibrate(load_index(tmp_path / "a.faiss", sha256), queries, "texts")
    assert min(measured.recall.values()) >= WANTED
    effort = read_effort(measured.as_json())
    assert effort == measured.effort
    coded = load_index(tmp_path / "a.faiss", sha256, effort)
    assert k_recall(coded.search(queries, 10)[1], stored.search(queries, 10)[1]) >= WANTED
    for few in (5, 3000, 8999):
        where = np.sort(ids)[:few]
        allowed = ids < 50 + few
        expected = ids[allowed][np.argsort(-(queries @ coded.vectors(np.flatnonzero(allowed)).T), axis=1)[:, :3]]
        assert k_recall(coded.search(queries, 3, where)[1], expected) > 0.999
    assert coded.search(queries, 3, np.empty(0, np.int64))[1].max() == -1


def test_where_no_effort_reaches_the_scan_there_is_none() -> None:
    index = build_index("SQfp16", 16, [(np.arange(200, dtype=np.int64), unit_vectors(1, 200))])
    measured = calibrate(index.with_codes("PQ8x4fs"), unit_vectors(2, 9), "texts")
    assert measured.effort is None
    assert read_effort(measured.as_json()) is None


def test_of_vectors_that_are_the_same_any_is_right() -> None:
    vectors = np.repeat(unit_vectors(1, 3000), 4, axis=0)
    index = build_index("SQfp16", 16, [(np.arange(len(vectors), dtype=np.int64), vectors)])
    measured = calibrate(index.with_codes("PQ8x4fs"), unit_vectors(2, 70), "texts")
    assert measured.effort is not None
    assert min(measured.recall.values()) >= WANTED
    assert as_near(np.array([[0.9, 0.5]], np.float32), np.array([[0.9, 0.7]], np.float32)) == 0.5


@pytest.mark.parametrize("stored", [None, {}, {"k_factor": None}, {"k_factor": {"a": 1}}, {"k_factor": {"10": 0}}])
def test_an_effort_that_cannot_be_read_is_none(stored: dict[str, object] | None) -> None:
    assert read_effort(stored) is None
