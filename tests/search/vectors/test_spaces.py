"""Every kind of vector is stored, published, found and erased alike; a region's lives as long as the region."""

from __future__ import annotations

import numpy as np
from sqlalchemy import delete, select, update
from stock import Stock, unit_vectors

from search.db.schema import Embedding, File, Region
from search.erasing import release_regions
from search.maintenance import rebuild, verify
from search.vectors.live import CODES, KINDS, OWNERS, live_ids


def add_regions(stock: Stock, count: int) -> list[int]:
    """Boxes on the first picture, each with a vector; returns the embedding ids."""
    with stock.library.write() as session:
        regions = [
            Region(
                image_id=stock.images[0],
                text_id=stock.texts[0],
                x0=0.0,
                y0=0.0,
                x1=0.5,
                y1=(number + 1) / (count + 1),
                source="import",
            )
            for number in range(count)
        ]
        session.add_all(regions)
        session.flush()
        owners = [region.id for region in regions]
        return stock.library.vectors.append(session, stock.model, "region", owners, unit_vectors(40, count))


def test_each_kind_has_an_owner_and_a_code() -> None:
    assert set(KINDS) == set(OWNERS) == set(CODES)
    assert len(set(CODES.values())) == len(CODES)


def test_a_region_is_found_until_it_or_its_picture_is_gone(stock: Stock) -> None:
    stock.add_pictures(2)
    stock.add_captions(["a car"], stock.images[0])
    ids = add_regions(stock, 3)
    stock.publish()
    assert stock.library.vectors.publish(stock.model.id, "region")
    searcher = stock.library.vectors.searcher(stock.model.id, "region")
    assert searcher.search(unit_vectors(40, 3), 1)[1][:, 0].tolist() == ids
    with stock.library.write() as session:
        session.execute(delete(Region).where(Region.y1 > 0.7))
        assert release_regions(session) == 1
        assert live_ids(session, stock.model.id, "region").tolist() == ids[:2]
        session.execute(update(File).where(File.image_id == stock.images[0]).values(state="missing"))
        assert live_ids(session, stock.model.id, "region").tolist() == []


def test_compaction_keeps_regions_and_drops_those_that_are_gone(stock: Stock) -> None:
    stock.add_pictures(1)
    stock.add_captions(["a car"], stock.images[0])
    ids = add_regions(stock, 3)
    with stock.library.write() as session:
        session.execute(delete(Region).where(Region.y1 > 0.7))
        release_regions(session)
    assert rebuild(stock.library, compact=True).compacted.dead == 1
    assert np.allclose(stock.library.vectors.fetch(ids[:2]), unit_vectors(40, 3)[:2], atol=1e-3)
    assert [finding.code for finding in verify(stock.library).findings] == []
    with stock.library.read() as session:
        assert set(session.scalars(select(Embedding.id).where(Embedding.kind == "region"))) == set(ids[:2])


def test_a_vector_of_a_region_that_is_gone_is_named(stock: Stock) -> None:
    stock.add_pictures(1)
    stock.add_captions(["a car"], stock.images[0])
    add_regions(stock, 1)
    with stock.library.write() as session:
        session.execute(delete(Region))
    assert "foreign_key" in {finding.code for finding in verify(stock.library).findings}
