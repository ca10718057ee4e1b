"""What is committed and not published is searched too, and the answer is the one after publishing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update
from stock import Stock, unit_vectors

from search.db.schema import File, Root
from search.maintenance import verify
from search.vectors import policy
from search.vectors import tail as tails
from search.vectors.searcher import Searcher

NEAR = 12


def answers(searcher: Searcher, queries: np.ndarray) -> list[list[tuple[int, float]]]:
    scores, ids = searcher.search(queries, NEAR)
    return [list(zip(a.tolist(), b.tolist(), strict=True)) for a, b in zip(ids, scores, strict=True)]


@pytest.mark.parametrize("kind", ["image", "text"])
@pytest.mark.parametrize("published", [0, 5, 300])
def test_the_answer_equals_that_after_publishing(stock: Stock, kind: str, published: int) -> None:
    queries = unit_vectors(99, 4)
    owner = 0
    if published or kind == "text":
        stock.add_pictures(max(published, 1))
        stock.add_captions(["first", "second"], stock.images[0])
        stock.publish()
        owner = stock.images[0]
    for seed in range(1, 4):
        stock.add_pictures(20, seed=seed)
        stock.add_captions([f"{seed} {n}" for n in range(7)], owner or stock.images[0], seed=50 + seed)
        before = stock.library.vectors.everything(stock.model.id, kind)
        found, sample = answers(before, queries), before.sample(40)
    assert before.waiting == 0
    stock.publish()
    after = stock.library.vectors.searcher(stock.model.id, kind)
    assert after.size == before.size
    assert answers(after, queries) == found
    assert np.array_equal(after.sample(40), sample)
    assert stock.library.vectors.everything(stock.model.id, kind) is after


def test_another_process_sees_what_came_since(stock: Stock, home: Path, database_url: str) -> None:
    from search.library import Library

    stock.add_pictures(3)
    stock.publish()
    with Library.open(home, database_url) as reader:
        sizes = [reader.vectors.everything(stock.model.id, "image").size]
        for seed in (2, 3):
            stock.add_pictures(4, seed=seed)
            sizes.append(reader.vectors.everything(stock.model.id, "image").size)
        stock.publish()
        sizes.append(reader.vectors.everything(stock.model.id, "image").size)
    assert sizes == [3, 7, 11, 11]


def test_a_picture_without_a_file_is_not_in_the_tail_and_one_that_came_back_is(stock: Stock) -> None:
    ids = stock.add_pictures(4)
    hidden = update(File).where(File.image_id == stock.images[1])
    with stock.library.write() as session:
        session.execute(hidden.values(state="missing"))
    assert stock.library.vectors.everything(stock.model.id, "image").size == 3
    stock.publish()
    # What a run does that finds the file again and is killed before it publishes.
    with stock.library.write() as session:
        session.execute(hidden.values(state="indexed"))
    with stock.library.write() as session:
        session.execute(update(Root).values(last_scanned_at=datetime(2030, 1, 1, tzinfo=UTC)))
    searcher = stock.library.vectors.everything(stock.model.id, "image")
    assert searcher.size == 4
    assert searcher.search(stock.stored([ids[1]]), 1)[1].tolist() == [[ids[1]]]


def test_beyond_the_limit_the_newest_are_searched_and_the_rest_waits(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "TAIL_LIMIT", 6)
    ids = stock.add_pictures(10)
    searcher = stock.library.vectors.everything(stock.model.id, "image")
    assert (searcher.size, searcher.waiting) == (6, 4)
    assert set(searcher.search(unit_vectors(1, 1), 6)[1][0].tolist()) == set(ids[4:])
    ids += stock.add_pictures(3, seed=8)
    searcher = stock.library.vectors.everything(stock.model.id, "image")
    assert (searcher.size, searcher.waiting) == (6, 7)
    stock.publish()
    assert stock.library.vectors.everything(stock.model.id, "image").waiting == 0


def test_what_cannot_be_read_waits_and_stops_no_search(stock: Stock) -> None:
    stock.add_pictures(5)
    stock.publish()
    stock.add_pictures(5, seed=2)
    (segment,) = stock.library.vectors.segments_folder.glob("image-*.seg")
    segment.write_bytes(segment.read_bytes()[:-40])
    searcher = stock.library.vectors.everything(stock.model.id, "image")
    assert (searcher.size, searcher.waiting) == (5, 5)


def test_compaction_in_between_loses_nothing(stock: Stock) -> None:
    from search.maintenance import rebuild

    stock.add_pictures(5)
    stock.publish()
    ids = stock.add_pictures(5, seed=2)
    assert stock.library.vectors.everything(stock.model.id, "image").size == 10
    rebuild(stock.library, compact=True)
    searcher = stock.library.vectors.everything(stock.model.id, "image")
    assert (searcher.size, searcher.tail) == (10, None)
    assert searcher.search(stock.stored(ids), 1)[1][:, 0].tolist() == ids


def test_cosines_and_filters_reach_what_is_published_and_what_is_not(stock: Stock) -> None:
    ids = stock.add_pictures(30)
    stock.publish()
    ids += stock.add_pictures(10, seed=2)
    queries = unit_vectors(99, 3)
    with stock.library.read() as session:
        searcher = stock.library.vectors.searchers_of(session, stock.model.id, ("image", "text", "region"))["image"]
    asked = np.array([*ids[::-3], max(ids) + 7], np.int64)
    cosines = searcher.cosines(asked, queries)
    assert np.abs(cosines[:-1] - stock.stored(ids[::-3]) @ queries.T).max() < 1e-3
    assert np.isnan(cosines[-1]).all()
    where = np.array(sorted(ids[::3]), np.int64)
    scores, found = searcher.search(queries, 40, where=where)
    assert [set(row.tolist()) - {-1} for row in found] == [set(where.tolist())] * 3
    assert (np.diff(scores[:, : len(where)]) <= 0).all()


@pytest.fixture
def little_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a large library: from 100 vectors of 16 numbers on, a twentieth waits."""
    monkeypatch.setattr(policy, "MERGED_UP_TO", 100 * 16)


def test_a_few_new_vectors_wait_beside_a_large_index_and_are_found(stock: Stock, little_waits: None) -> None:
    stock.add_pictures(200)
    assert stock.publish() == (True, False)
    ids = stock.add_pictures(10, seed=2)
    assert stock.publish() == (False, False)
    assert verify(stock.library).findings == []
    searcher = stock.library.vectors.everything(stock.model.id, "image")
    assert searcher.size == 210
    assert searcher.search(stock.stored(ids), 1)[1][:, 0].tolist() == ids
    assert stock.library.vectors.everything(stock.model.id, "image") is searcher
    assert searcher.sample(50) is searcher.sample(50)
    stock.add_pictures(1, seed=3)
    assert stock.publish() == (True, False)
    assert stock.library.vectors.searcher(stock.model.id, "image").size == 211
    assert verify(stock.library).findings == []


def test_force_merges_what_waits(stock: Stock, little_waits: None) -> None:
    stock.add_pictures(200)
    stock.publish()
    stock.add_pictures(1, seed=2)
    assert stock.library.vectors.publish(stock.model.id, "image", force=True)
    assert stock.library.vectors.searcher(stock.model.id, "image").size == 201


@pytest.mark.parametrize("number", [3, 199, 201])
def test_what_is_gone_leaves_the_index_at_once(stock: Stock, little_waits: None, number: int) -> None:
    stock.add_pictures(200)
    stock.publish()
    stock.add_pictures(3, seed=2)
    hidden = update(File).where(File.image_id == stock.images[number])
    with stock.library.write() as session:
        session.execute(hidden.values(state="missing"))
    # One that was never published needs no new index to be out of it.
    assert stock.publish() == (number < 200, False)
    assert verify(stock.library).findings == []
    with stock.library.write() as session:
        session.execute(hidden.values(state="indexed"))
    assert stock.publish() == (number < 200, False)
    assert verify(stock.library).findings == []


@pytest.mark.parametrize(
    ("published", "fresh", "waits"),
    [(3906, 1, False), (3907, 195, True), (3907, 196, False), (1_000_000, 10_000, True), (1_000_000, 10_001, False)],
)
def test_how_many_may_wait(published: int, fresh: int, waits: bool) -> None:
    assert policy.may_wait(published, fresh, 512) is waits
