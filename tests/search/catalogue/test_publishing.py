"""When a catalogue is written: not for a few new rows of a large library, at once for whatever is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from search.catalogue import current
from search.catalogue.build import build
from search.catalogue.catalogue import TEXT, Catalogue
from search.db.schema import Caption, File, Generation
from search.errors import CorruptionError
from search.maintenance import verify

if TYPE_CHECKING:
    from tests.search.stock import Stock


@pytest.fixture
def large(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> Stock:
    """40 pictures with two texts each, which count as many, published."""
    monkeypatch.setattr(current, "SMALL", 100)
    monkeypatch.setattr(current, "SHARE", 0.1)
    stock.add_pictures(40)
    for number, image_id in enumerate(stock.images):
        stock.add_captions([f"a red car {number}", f"a dog {number}"], image_id, seed=number)
    assert published(stock)
    return stock


def published(stock: Stock) -> bool:
    return stock.library.catalogues.publish(stock.model.id)


def answering(stock: Stock) -> Catalogue:
    with stock.library.read() as session:
        return stock.library.catalogues.current(session, stock.model.id)


def on_disk(stock: Stock) -> int:
    with stock.library.read() as session:
        return session.scalars(
            select(Generation.vectors).where(Generation.kind == "catalogue", Generation.active)
        ).one()


def test_a_few_new_rows_wait_and_are_found(large: Stock) -> None:
    large.add_pictures(2, seed=7)
    large.add_captions(["a boat"], large.images[-1], seed=8)
    assert not published(large)
    assert on_disk(large) == 40
    assert answering(large).images.tolist() == large.images
    assert large.texts[-1] in answering(large).doc_id[answering(large).doc_kind == TEXT]


def test_many_new_rows_are_joined_and_make_what_all_rows_make(large: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    large.add_pictures(20, seed=7)
    large.add_captions([f"a boat {number}" for number in range(9)], large.images[-1], seed=8)
    made: list[object] = []

    def noted(*args: object) -> Catalogue:
        made.append(args)
        return build(*args)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(current, "build", noted)
    assert published(large)
    assert [len(args) for args in made] == [4]  # type: ignore[arg-type]  # tuples
    assert on_disk(large) == 60
    assert not published(large)
    large.publish()
    assert verify(large.library).findings == []
    with large.library.read() as session:
        whole = build(session, large.model.id)
    found = answering(large)
    assert np.array_equal(found.images, whole.images)
    texts = int((whole.doc_kind == TEXT).sum())
    assert np.array_equal(found.doc_vectors[:texts], whole.doc_vectors[:texts])


def test_whatever_is_gone_leaves_it_although_as_much_came(large: Stock) -> None:
    gone = large.texts[5]
    with large.library.write() as session:
        session.execute(delete(Caption).where(Caption.text_id == gone))
    large.add_captions(["a boat", "a ship"], large.images[0], seed=8)
    assert published(large)
    (row,) = answering(large).rows_of_texts(np.array([gone]))
    assert answering(large).uses(np.array([row])).tolist() == [0]


def test_a_file_that_went_while_another_came_back_is_seen(large: Stock) -> None:
    def set_state(image_id: int, state: str) -> None:
        with large.library.write() as session:
            session.execute(update(File).where(File.image_id == image_id).values(state=state))

    set_state(large.images[3], "missing")
    assert published(large)
    set_state(large.images[3], "indexed")
    set_state(large.images[4], "missing")
    large.add_pictures(1, seed=9)
    assert published(large)
    catalogue = answering(large)
    seen = catalogue.image_vectors[catalogue.rows_of_images(np.array(large.images[3:5]))]
    assert (seen > 0).tolist() == [True, False]


def test_a_damaged_file_and_one_of_an_earlier_version_are_made_again(large: Stock) -> None:
    with large.library.write() as session:
        row = session.scalars(select(Generation).where(Generation.kind == "catalogue", Generation.active)).one()
        row.measured = {name: count for name, count in (row.measured or {}).items() if name != "file_ids"}
        row_file = row.file_name
    assert not published(large)  # nothing has changed
    large.add_pictures(1, seed=7)
    assert published(large)
    with large.library.read() as session:
        row_file = session.scalars(
            select(Generation.file_name).where(Generation.kind == "catalogue", Generation.active)
        ).one()
    (large.library.vectors.generations_folder / row_file).write_bytes(b"")
    large.add_pictures(1, seed=8)
    assert published(large)
    assert on_disk(large) == 42


def test_whoever_began_before_several_publications_is_answered(large: Stock) -> None:
    catalogues = large.library.catalogues
    with large.library.read() as session:
        before = catalogues.current(session, large.model.id).images.tolist()
        catalogues.clear()
        for number in range(3):
            large.add_pictures(20, seed=20 + number)
            assert published(large)
        catalogues.clear()
        assert set(before) <= set(catalogues.current(session, large.model.id).images.tolist())


def test_a_file_that_is_gone_is_told_as_damage(large: Stock) -> None:
    for path in large.library.vectors.generations_folder.glob("*.cat"):
        path.unlink()
    large.library.catalogues.clear()
    with pytest.raises(CorruptionError, match="is missing"):
        answering(large)
