"""Lines that were read are documents of their own, however their texts came into the library before or after."""

from __future__ import annotations

import numpy as np
import pytest
from stock import Stock, unit_vectors

from search.catalogue.build import Marks, build, marks
from search.catalogue.catalogue import LINE, TEXT, Catalogue
from search.catalogue.file import _arrays
from search.db.annotations import CaptionFact, add_annotations, text_ids
from search.db.readings import add_reading
from vision.types import Box, Region

STEPS = {
    "read": lambda stock, picture: _read(stock, picture, "a dog"),
    "said": lambda stock, picture: _say(stock, picture, "a dog"),
    "embedded": lambda stock, picture: _embed(stock, "a dog"),
    "other": lambda stock, picture: _read(stock, picture, "no entry to the park"),
}
ORDERS = ["read said embedded", "said read embedded", "read embedded said", "said embedded read", "other read other"]


def _read(stock: Stock, picture: int, text: str) -> None:
    with stock.library.write() as session:
        add_reading(session, stock.images[picture], [Region(text, Box(0.1, 0.1, 0.3, 0.2))], f"reader:{picture}")


def _say(stock: Stock, picture: int, text: str) -> None:
    with stock.library.write() as session:
        add_annotations(session, stock.images[picture], [CaptionFact(text)], [], "import")


def _embed(stock: Stock, text: str) -> None:
    with stock.library.write() as session:
        owner = text_ids(session, [text])[text]
        stock.library.vectors.append(session, stock.model, "text", [owner], unit_vectors(5, 1))


def _grown(stock: Stock, before: Catalogue | None, since: Marks | None) -> tuple[Catalogue, Marks]:
    with stock.library.read() as session:
        return build(session, stock.model.id, before, since), marks(session)


@pytest.mark.parametrize("order", ORDERS)
def test_growing_step_by_step_is_making_at_once(stock: Stock, order: str) -> None:
    stock.add_pictures(4)
    catalogue, seen = _grown(stock, None, None)
    for picture, step in enumerate(order.split()):
        STEPS[step](stock, picture)
        catalogue, seen = _grown(stock, catalogue, seen)
    whole, _ = _grown(stock, None, None)
    for (name, one), other in zip(_arrays(catalogue).items(), _arrays(whole).values(), strict=True):
        assert np.array_equal(one, other), name


def test_a_text_that_was_said_and_read_is_two_documents_of_one_vector(stock: Stock) -> None:
    stock.add_pictures(2)
    _say(stock, 0, "a dog")
    _read(stock, 1, "a dog")
    _embed(stock, "a dog")
    catalogue, _ = _grown(stock, None, None)
    rows = np.flatnonzero(np.isin(catalogue.doc_kind, (TEXT, LINE)))
    assert catalogue.doc_kind[rows].tolist() == [TEXT, LINE]
    vector = catalogue.doc_vectors[rows[:1]]
    assert catalogue.doc_vectors[rows].tolist() == [vector[0]] * 2
    assert catalogue.images_of(rows[:1])[1].tolist() == [0]
    assert catalogue.images_of(rows[1:])[1].tolist() == [1]
    assert (catalogue.doc_rows(vector).tolist(), catalogue.line_rows(vector).tolist()) == ([rows[0]], [rows[1]])
    assert catalogue.is_line(np.array([*rows.tolist(), -1])).tolist() == [False, True, False]


def test_a_picture_of_which_nothing_is_said_stays_silent_whatever_is_written_on_it(stock: Stock) -> None:
    stock.add_pictures(1)
    _read(stock, 0, "no entry")
    catalogue, _ = _grown(stock, None, None)
    assert catalogue.has_silence
    assert catalogue.has_lines
    assert catalogue.words.holding("no")[0].tolist() == np.flatnonzero(catalogue.doc_kind == LINE).tolist()
