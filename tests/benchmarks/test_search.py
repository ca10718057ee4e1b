"""The search benchmark's library is a sound one, and its figures come out of real searches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import search as benchmark
from benchmarks.filling import Filling, PreparedEncoder
from benchmarks.vocabulary import Vocabulary
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService

DIM = 32
PICTURES = 400


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(DIM, nouns=300)


@pytest.fixture
def filled(library: Library, vocabulary: Vocabulary) -> Library:
    Filling(library, vocabulary, PreparedEncoder(vocabulary).facts).fill(PICTURES)
    return library


def test_a_bulk_filled_library_is_sound(filled: Library) -> None:
    assert verify(filled).findings == []


def test_the_first_hits_of_common_words_are_those_of_comparing_every_picture(
    filled: Library, vocabulary: Vocabulary
) -> None:
    pictures = vocabulary.pictures(0, PICTURES).vectors.astype(np.float16).astype(np.float32)
    service = SearchService(filled, PreparedEncoder(vocabulary))
    for text in ("a man", "a dog and a cat"):
        hits = service.search(SearchRequest(text=text, annotations=False)).hits
        scores = (vocabulary.text_vectors([text]) @ pictures.T)[0]
        assert [hit.image_id - 1 for hit in hits] == np.argsort(-scores, kind="stable")[:20].tolist()


def test_equal_arguments_give_equal_pictures(vocabulary: Vocabulary) -> None:
    one, again = vocabulary.pictures(100, 50), Vocabulary(DIM, nouns=300).pictures(100, 50)
    assert (one.captions, one.phrases) == (again.captions, again.phrases)
    assert (one.vectors == again.vectors).all()
    assert len(set(vocabulary.nouns)) == 300


def test_boxes_lie_in_the_picture_and_have_area(vocabulary: Vocabulary) -> None:
    boxes = vocabulary.pictures(0, 200).boxes
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert (boxes[..., 2:] > boxes[..., :2]).all()


def test_the_vector_of_a_text_is_that_of_the_stored_one(vocabulary: Vocabulary) -> None:
    together = vocabulary.text_vectors(["a man", "a zebra crossing nobody knows", ""])
    assert np.allclose(together[0], vocabulary.text_vectors(["a man"])[0])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_the_program_prints_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["search", "--size", "300", "--dim", "16", "--no-parallel", "--json", "--home", str(tmp_path)]
    for _ in range(2):  # the second time finds the library filled
        monkeypatch.setattr("sys.argv", arguments)
        benchmark.main()
        document = json.loads(capsys.readouterr().out)
        assert document["sizes"][0]["pictures"] == 300
        assert document["sizes"][0]["cpu"]["p50_ms"] > 0
