"""The catalogue agrees with the rows, whichever way it was made, on both databases alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete

from search.catalogue.build import build, marks
from search.catalogue.catalogue import NAME, TEXT, Catalogue
from search.catalogue.file import save_catalogue
from search.db.schema import Caption, Generation
from search.maintenance import verify
from search.words.terms import terms

if TYPE_CHECKING:
    from tests.search.stock import Stock

BODIES = ["a red car in a street", "dogs on a street", "a street", "un chat noir"]


def made(stock: Stock) -> Catalogue:
    with stock.library.read() as session:
        return build(session, stock.model.id)


def texts_of(catalogue: Catalogue, image_id: int) -> set[int]:
    _, rows = catalogue.docs_of(catalogue.rows_of_images(np.array([image_id])))
    return set(catalogue.doc_id[rows[catalogue.doc_kind[rows] == TEXT]].tolist())


def test_pictures_texts_and_vectors_lead_to_each_other(stock: Stock) -> None:
    vectors = stock.add_pictures(3)
    text_vectors = stock.add_captions(BODIES[:2], stock.images[1])
    catalogue = made(stock)
    assert catalogue.images.tolist() == stock.images
    assert catalogue.image_rows(np.array([vectors[2], 999_999, 0])).tolist() == [2, -1, -1]
    rows = catalogue.doc_rows(np.array(text_vectors))
    assert catalogue.doc_id[rows].tolist() == stock.texts
    at, pictures = catalogue.images_of(rows)
    assert (at.tolist(), pictures.tolist()) == ([0, 1], [1, 1])
    assert [texts_of(catalogue, image_id) for image_id in stock.images] == [set(), set(stock.texts), set()]
    assert (catalogue.doc_kind == NAME).sum() == 3


def test_every_document_with_a_word_is_found_and_a_stem_counts(stock: Stock) -> None:
    stock.add_pictures(1)
    stock.add_captions(BODIES, stock.images[0])
    catalogue = made(stock)
    found = catalogue.match(terms("dog street"))
    assert catalogue.doc_id[found.doc_rows].tolist() == stock.texts[:3]
    assert found.covered[1] == 1.0
    assert found.scores[1] == found.scores.max()
    assert np.all((found.scores > 0) & (found.scores <= 1))
    assert len(catalogue.match(terms("giraffe")).doc_rows) == len(catalogue.match([]).doc_rows) == 0


def test_what_was_added_since_gives_the_same_as_making_it_anew(stock: Stock) -> None:
    stock.add_pictures(2, seed=1)
    stock.add_captions(BODIES[:2], stock.images[0], seed=2)
    with stock.library.read() as session:
        since = marks(session)
        before = build(session, stock.model.id)
    stock.add_pictures(2, seed=3)
    stock.add_captions(BODIES[2:], stock.images[1], seed=4)
    with stock.library.read() as session:
        grown, whole = build(session, stock.model.id, before, since), build(session, stock.model.id)
    for name in ("images", "image_vectors"):
        assert np.array_equal(getattr(grown, name), getattr(whole, name)), name
    # A folder that both know is a document of each.
    texts = int((whole.doc_kind == TEXT).sum())
    assert np.array_equal(grown.doc_vectors[:texts], whole.doc_vectors[:texts])
    assert [texts_of(grown, one) for one in stock.images] == [texts_of(whole, one) for one in stock.images]
    for query in ("street", "dog red", "chat"):
        one, two = grown.match(terms(query)), whole.match(terms(query))
        assert one.doc_rows.tolist() == two.doc_rows.tolist()
        assert one.scores.tolist() == two.scores.tolist()


def test_verify_names_a_catalogue_that_lacks_what_the_rows_have(stock: Stock) -> None:
    stock.add_pictures(1)
    stock.add_captions(BODIES, stock.images[0])
    stock.library.publish(stock.model.id)
    assert verify(stock.library).findings == []
    folder = stock.library.vectors.generations_folder
    with stock.library.write() as session:
        session.execute(delete(Caption).where(Caption.text_id == stock.texts[0]))
        poorer = build(session, stock.model.id)
        seen = marks(session)
        session.rollback()
    with stock.library.write() as session:
        row = session.query(Generation).filter(Generation.kind == "catalogue", Generation.active).one()
        row.sha256, row.size_bytes = save_catalogue(poorer, seen, folder / row.file_name)
    assert [(one.code, one.where) for one in verify(stock.library).findings] == [("catalogue", row.file_name)]
