"""Compaction drops what is dead or damaged, keeps ids and vectors, and touches nothing that is sound."""

from __future__ import annotations

import numpy as np
from sqlalchemy import func, select, update
from stock import Stock

from search.db.schema import Embedding, Segment
from search.maintenance import rebuild, verify


def test_a_sound_library_is_left_as_it_is(stock: Stock) -> None:
    stock.add_pictures(20)
    stock.publish()
    (segment,) = stock.library.vectors.segments_folder.iterdir()
    before = segment.stat().st_ino
    report = rebuild(stock.library, compact=True).compacted
    assert (report.segments, report.dead, report.lost, report.freed_bytes) == (0, 0, 0, 0)
    assert segment.stat().st_ino == before


def test_dead_rows_go_and_the_rest_keeps_its_ids(stock: Stock) -> None:
    ids = stock.add_pictures(20) + stock.add_pictures(20, seed=2)
    with stock.library.write() as session:
        session.execute(update(Embedding).where(Embedding.id.in_(ids[::4])).values(image_id=None))
    assert verify(stock.library).checked["dead_embeddings"] == 10
    report = rebuild(stock.library, compact=True).compacted
    assert (report.segments, report.dead, report.lost) == (1, 10, 0)
    assert report.freed_bytes == 10 * (8 + 16 * 2)
    kept = [id_ for id_ in ids if id_ not in ids[::4]]
    assert np.abs(stock.library.vectors.fetch(kept[::-1]) - stock.stored(kept[::-1])).max() < 1e-3
    assert verify(stock.library).codes == {"image_without_vector"}
    assert verify(stock.library).checked["dead_embeddings"] == 0


def test_a_damaged_block_is_lost_and_the_rest_is_kept(stock: Stock) -> None:
    ids = stock.add_pictures(20) + stock.add_pictures(20, seed=2)
    (segment,) = stock.library.vectors.segments_folder.iterdir()
    data = bytearray(segment.read_bytes())
    data[200] ^= 1
    segment.write_bytes(data)
    report = rebuild(stock.library, compact=True).compacted
    assert (report.segments, report.dead, report.lost) == (1, 0, 20)
    assert np.abs(stock.library.vectors.fetch(ids[20:]) - stock.stored(ids[20:])).max() < 1e-3
    assert verify(stock.library).codes == {"image_without_vector"}


def test_a_segment_of_dead_rows_vanishes(stock: Stock) -> None:
    stock.add_pictures(5)
    with stock.library.write() as session:
        session.execute(update(Embedding).values(image_id=None))
    rebuild(stock.library, compact=True)
    with stock.library.read() as session:
        assert session.scalar(select(func.count(Segment.id))) == 0
    assert list(stock.library.vectors.segments_folder.iterdir()) == []
    stock.add_pictures(5, seed=4)
    stock.publish()
    assert verify(stock.library).codes == {"image_without_vector"}


def test_a_fetch_after_compaction_does_not_read_the_old_file(stock: Stock) -> None:
    ids = stock.add_pictures(9)
    stock.library.vectors.fetch(ids)  # Keeps the old segment open.
    with stock.library.write() as session:
        session.execute(update(Embedding).where(Embedding.id == ids[0]).values(image_id=None))
    rebuild(stock.library, compact=True)
    more = stock.add_pictures(9, seed=8)
    wanted = ids[1:] + more
    assert np.abs(stock.library.vectors.fetch(wanted) - stock.stored(wanted)).max() < 1e-3
