"""Vectors go in within a transaction, come out as they went in, and are found once published."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, func, select, update
from stock import Stock, unit_vectors

from search.db.schema import Caption, Embedding, File, Generation, Image, Segment
from search.errors import CorruptionError, LibraryError, NotFoundError
from search.library import Library
from search.maintenance import verify
from search.vectors.generations import active_generation


def test_what_was_appended_is_fetched(stock: Stock) -> None:
    ids = stock.add_pictures(30) + stock.add_pictures(5, seed=2)
    wanted = [ids[33], ids[0], ids[17], ids[0]]
    fetched = stock.library.vectors.fetch(wanted)
    assert fetched.dtype == np.float32
    assert np.abs(fetched - stock.stored(wanted)).max() < 1e-3


def test_a_published_vector_is_found_and_an_unpublished_one_is_not(stock: Stock) -> None:
    ids = stock.add_pictures(30)
    store = stock.library.vectors
    before = store.searcher(stock.model.id, "image")
    assert before.size == 0
    assert before.search(unit_vectors(0, 2), 3)[1].tolist() == [[-1] * 3] * 2
    assert stock.publish() == (True, False)
    later = stock.add_pictures(2, seed=5)
    searcher = store.searcher(stock.model.id, "image")
    scores, found = searcher.search(stock.stored(ids), 1)
    assert searcher.size == 30
    assert found[:, 0].tolist() == ids
    assert np.abs(scores - 1).max() < 1e-3
    assert stock.publish() == (True, False)
    assert store.searcher(stock.model.id, "image").search(stock.stored(later), 1)[1][:, 0].tolist() == later
    assert searcher.search(stock.stored(ids), 1)[1][:, 0].tolist() == ids, "the old searcher keeps answering"


def test_nothing_is_published_twice(stock: Stock) -> None:
    assert stock.publish() == (False, False)
    stock.add_pictures(3)
    assert stock.publish() == (True, False)
    assert stock.publish() == (False, False)
    assert stock.library.vectors.publish(stock.model.id, "image", force=True)


def test_images_without_an_indexed_file_are_not_published(stock: Stock) -> None:
    ids = stock.add_pictures(4)
    stock.publish()
    with stock.library.write() as session:
        session.execute(update(File).where(File.image_id == stock.images[0]).values(state="missing"))
        session.execute(delete(File).where(File.image_id == stock.images[1]))
    assert stock.publish() == (True, False)
    searcher = stock.library.vectors.searcher(stock.model.id, "image")
    assert sorted(searcher.search(stock.stored(ids), 4)[1][0].tolist()) == [-1, -1, ids[2], ids[3]]
    with stock.library.write() as session:
        session.execute(update(File).values(state="indexed"))
    assert stock.publish() == (True, False)
    assert stock.library.vectors.searcher(stock.model.id, "image").size == 3


def test_texts_live_as_long_as_a_shown_image_uses_them(stock: Stock) -> None:
    stock.add_pictures(2)
    ids = stock.add_captions(["a dog", "a cat"], stock.images[0])
    assert stock.publish() == (True, True)
    with stock.library.write() as session:
        session.execute(delete(Caption).where(Caption.text_id == stock.texts[0]))
    assert stock.publish() == (False, True)
    assert stock.library.vectors.searcher(stock.model.id, "text").search(stock.stored(ids), 2)[1][0].tolist() == [
        ids[1],
        -1,
    ]
    with stock.library.write() as session:
        session.execute(update(File).values(state="missing"))
    assert stock.publish() == (True, True)
    assert stock.library.vectors.searcher(stock.model.id, "text").size == 0


def _append_and_fail(stock: Stock) -> None:
    with pytest.raises(RuntimeError, match="on purpose"), stock.library.write() as session:
        created_at = stock.model.created_at
        image = Image(sha256="f" * 64, width_px=1, height_px=1, format="PNG", size_bytes=1, created_at=created_at)
        session.add(image)
        session.flush()
        stock.library.vectors.append(session, stock.model, "image", [image.id], unit_vectors(7, 1))
        raise RuntimeError("on purpose")


def test_a_rolled_back_append_leaves_no_trace(stock: Stock) -> None:
    first = stock.add_pictures(3)
    _append_and_fail(stock)
    second = stock.add_pictures(3, seed=9)
    stock.publish()
    assert np.abs(stock.library.vectors.fetch(first + second) - stock.stored(first + second)).max() < 1e-3
    assert verify(stock.library).findings == []


def test_a_rollback_that_began_a_segment_leaves_nothing_for_the_next_job(stock: Stock) -> None:
    _append_and_fail(stock)
    stock.add_pictures(3)
    stock.publish()
    with stock.library.exclusive():
        pass
    assert verify(stock.library).findings == []


def test_a_full_segment_is_sealed_and_a_new_one_begun(stock: Stock) -> None:
    stock.library.vectors.segment_limit_bytes = 500
    ids = [id_ for seed in range(6) for id_ in stock.add_pictures(8, seed=seed)]
    with stock.library.read() as session:
        segments = session.execute(select(Segment.committed_rows, Segment.sealed).order_by(Segment.id)).all()
    assert [tuple(row) for row in segments] == [(16, True), (16, True), (16, False)]
    stock.publish()
    assert np.abs(stock.library.vectors.fetch(ids) - stock.stored(ids)).max() < 1e-3
    assert verify(stock.library).findings == []


def test_a_second_vector_for_one_owner_is_refused(stock: Stock) -> None:
    stock.add_pictures(2)
    with pytest.raises(LibraryError, match="have a vector"), stock.library.write() as session:
        stock.library.vectors.append(session, stock.model, "image", [stock.images[1]], unit_vectors(3, 1))
    with pytest.raises(LibraryError, match="one batch"), stock.library.write() as session:
        stock.library.vectors.append(session, stock.model, "text", [7, 7], unit_vectors(3, 2))


def _nan() -> np.ndarray:
    vectors = unit_vectors(0, 1)
    vectors[0, 3] = np.nan
    return vectors


@pytest.mark.parametrize(
    ("kind", "vectors", "message"),
    [
        ("sound", unit_vectors(0, 1), "kind must be"),
        ("image", unit_vectors(0, 1, dim=8), r"vectors must be \(1, 16\)"),
        ("image", unit_vectors(0, 2), r"vectors must be \(1, 16\)"),
        ("image", unit_vectors(0, 1) * 2, "unit length"),
        ("image", unit_vectors(0, 1) * 0, "unit length"),
        ("image", _nan(), "unit length"),
    ],
)
def test_vectors_that_are_none_are_refused(sqlite_stock: Stock, kind: str, vectors: np.ndarray, message: str) -> None:
    with sqlite_stock.library.write() as session, pytest.raises(ValueError, match=message):
        sqlite_stock.library.vectors.append(session, sqlite_stock.model, kind, [1], vectors)


def test_appending_nothing_is_nothing(sqlite_stock: Stock) -> None:
    with sqlite_stock.library.write() as session:
        nothing = np.empty((0, 16), np.float32)
        assert sqlite_stock.library.vectors.append(session, sqlite_stock.model, "image", [], nothing) == []
    assert not (sqlite_stock.library.home / "segments").exists()


@pytest.mark.parametrize(
    ("queries", "k"), [(unit_vectors(0, 1, 8), 1), (unit_vectors(0, 1)[0], 1), (unit_vectors(0, 1), 0)]
)
def test_a_search_of_another_shape_is_refused(sqlite_stock: Stock, queries: np.ndarray, k: int) -> None:
    searcher = sqlite_stock.library.vectors.searcher(sqlite_stock.model.id, "image")
    with pytest.raises(ValueError, match="must be"):
        searcher.search(queries, k)


def test_what_does_not_exist_is_not_found(sqlite_stock: Stock) -> None:
    store = sqlite_stock.library.vectors
    with pytest.raises(NotFoundError, match="embedding 99"):
        store.fetch([99])
    with pytest.raises(NotFoundError, match="model 99"):
        store.searcher(99, "image")
    with pytest.raises(ValueError, match="at least one"):
        store.fetch([])
    with pytest.raises(ValueError, match="kind"):
        store.publish(1, "sound")


def test_only_the_active_generation_and_the_one_before_stay(stock: Stock) -> None:
    for seed in range(4):
        stock.add_pictures(2, seed=seed)
        stock.publish()
    with stock.library.read() as session:
        names = {row.file_name: row.active for row in session.scalars(select(Generation))}
    assert sorted(names.values()) == [False, True]
    assert {path.name for path in stock.library.vectors.generations_folder.iterdir()} == set(names)


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_index_asks_for_a_rebuild(sqlite_stock: Stock, damage: str) -> None:
    sqlite_stock.add_pictures(3)
    sqlite_stock.publish()
    (path,) = sqlite_stock.library.vectors.generations_folder.iterdir()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptionError, match=path.name) as caught:
        sqlite_stock.library.vectors.searcher(sqlite_stock.model.id, "image")
    assert "deixis rebuild" in caught.value.remedy


def test_a_searcher_follows_another_process_s_publication(stock: Stock, home: Path, database_url: str) -> None:
    stock.add_pictures(3)
    stock.publish()
    with Library.open(home, database_url) as reader:
        assert reader.vectors.searcher(stock.model.id, "image").size == 3
        stock.add_pictures(2, seed=3)
        stock.publish()
        assert reader.vectors.searcher(stock.model.id, "image").size == 5


def test_the_same_searcher_is_handed_out_while_nothing_changes(sqlite_stock: Stock) -> None:
    sqlite_stock.add_pictures(3)
    sqlite_stock.publish()
    store = sqlite_stock.library.vectors
    assert store.searcher(1, "image") is store.searcher(1, "image")


def test_a_full_disk_stores_nothing_of_the_batch(library: Library) -> None:
    """The system itself refuses: no file may grow beyond a limit that only the segment, the largest, reaches."""
    stock = Stock(library, dim=4096)
    for seed in range(3):
        stock.add_pictures(100, seed=seed)
    (segment,) = library.vectors.segments_folder.iterdir()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (segment.stat().st_size + 4096, unlimited[1]))
    try:
        with pytest.raises(LibraryError, match=r"Cannot write .*File too large") as caught:
            stock.add_pictures(100, seed=9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert "Free some space" in caught.value.remedy
    with library.read() as session:
        assert session.scalar(select(func.count(Embedding.id))) == 300
        assert session.scalar(select(func.count(Image.id))) == 300
    stock.add_pictures(100, seed=9)
    stock.publish()
    assert verify(library).findings == []


def test_writers_in_several_threads_take_turns(stock: Stock) -> None:
    failures: list[Exception] = []

    def write(seed: int) -> None:
        try:
            stock.add_pictures(4, seed=seed)
        except Exception as error:
            failures.append(error)

    with stock.library.exclusive():
        threads = [threading.Thread(target=write, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    with stock.library.read() as session:
        assert session.scalar(select(func.count(Embedding.id))) == 24
    stock.publish()
    assert verify(stock.library).findings == []


def test_a_large_library_is_searched_with_an_effort_measured_on_its_own_texts(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.vectors.policy.EXACT_UP_TO", 16 * 1000)
    stock.add_pictures(12_000)
    stock.publish()
    with stock.library.read() as session:
        row = active_generation(session, stock.model.id, "image")
    assert row is not None
    assert row.measured is not None
    assert (row.index_key, row.measured["of"]) == ("PQ8x4fs,Refine(SQfp16)", "pictures turned")
    stock.add_captions([str(number) for number in range(80)], stock.images[0])
    stock.publish()
    with stock.library.read() as session:
        row = active_generation(session, stock.model.id, "image")
    assert row is not None
    assert row.measured is not None
    assert (row.measured["of"], row.measured["queries"]) == ("texts", 80)
    assert min(row.measured["k_recall"].values()) >= 0.99
    assert stock.publish() == (False, False)
    searcher = stock.library.vectors.searcher(stock.model.id, "image")
    assert searcher.index is not None
    assert searcher.index.effort is not None
    assert searcher.search(unit_vectors(0, 5), 1)[0].min() > 0.999
    with stock.library.write() as session:
        session.execute(update(Generation).values(measured=None))
    assert stock.publish() == (True, False)  # as an earlier version left it
    assert stock.publish() == (False, False)
