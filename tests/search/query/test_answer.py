"""A large library is answered as if every picture had been looked at, and the same on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from search.library import Library
from search.query import candidates
from search.query.answer import Stages, answer
from search.query.asked import ask
from search.query.branches import Branch
from search.query.fitting import fit
from search.query.found import Given
from search.query.fuse import DEFAULT
from search.query.relevance import read_relevance, unfitted
from search.snapshot import Snapshot, take_snapshot
from tests.search.stock import Stock, unit_vectors

BODIES = ["a man on a bicycle", "a red car", "a man", "two dogs play in the snow", "a house beside a lake"]


@pytest.fixture
def described(stock: Stock) -> Stock:
    """120 pictures, two thirds with one of a few common captions and one of their own."""
    stock.add_pictures(120)
    for number, image_id in enumerate(stock.images[:80]):
        if number < len(BODIES):
            stock.add_captions([BODIES[number]], image_id, seed=number)
        else:
            _say_again(stock, stock.texts[number % len(BODIES)], image_id)
        stock.add_captions([f"a {number}th man with hat {number % 7}"], image_id, seed=1000 + number)
    stock.library.publish(stock.model.id)
    return stock


def _say_again(stock: Stock, text_id: int, image_id: int) -> None:
    from search.db.schema import Caption
    from tests.search.stock import NOW

    with stock.library.write() as session:
        session.add(Caption(image_id=image_id, text_id=text_id, source="import", created_at=NOW))


def ranking(snapshot: Snapshot, session: object, text: str, seed: int, wanted: int = 20) -> list[tuple[int, float]]:
    asked = ask(Branch(text))
    vectors = unit_vectors(seed, len(asked.texts))
    given = Given(asked, vectors, np.empty((0, 16), np.float32), np.empty(0, np.float32))
    found = answer(session, snapshot, given, wanted, Stages()).ranked  # type: ignore[arg-type]  # a test's session
    ids = snapshot.catalogue.images[found.rows[:wanted]].tolist()
    return list(zip(ids, found.total[:wanted].round(4).tolist(), strict=True))


@pytest.fixture
def snapshot(described: Stock) -> Iterator[tuple[Snapshot, object]]:
    with described.library.read() as session:
        taken = take_snapshot(described.library, session)
        assert taken is not None
        yield taken, session


@pytest.mark.parametrize("text", ["a man", "man", "a red car", "hat 3", "something else", "a man on a bicycle"])
def test_few_candidates_give_the_answer_of_all(
    text: str, snapshot: tuple[Snapshot, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [ranking(*snapshot, text, seed) for seed in range(4)]
    monkeypatch.setattr(candidates, "ALL_UP_TO", 4)
    monkeypatch.setattr("search.query.answer.FIRST", 8)
    assert [ranking(*snapshot, text, seed) for seed in range(4)] == whole


def test_a_library_without_texts_ranks_by_look(stock: Stock) -> None:
    stock.add_pictures(30)
    stock.library.publish(stock.model.id)
    with stock.library.read() as session:
        taken = take_snapshot(stock.library, session)
        assert taken is not None
        ranked = [image_id for image_id, _ in ranking(taken, session, "a dog left of a tree", 3, 30)]
        vector = unit_vectors(3, len(ask(Branch("a dog left of a tree")).texts))[0]
        cosines = taken.images.cosines(taken.catalogue.image_vectors, vector[None])[:, 0]
    assert len(ranked) == 30
    assert taken.catalogue.images[np.argmax(cosines)] in ranked[:10]


def test_relevance_is_fitted_to_a_library_that_has_enough_texts(snapshot: tuple[Snapshot, object]) -> None:
    taken, session = snapshot
    fitted = fit(session, taken)  # type: ignore[arg-type]  # a test's session
    assert fitted is not None
    assert 1.5 <= fitted.line <= 5
    assert DEFAULT.words / 1.501 <= fitted.weights.words <= DEFAULT.words * 1.5
    assert read_relevance(fitted.as_json()) == fitted


@pytest.mark.parametrize("facts", [{}, {"weights": 3}, {"weights": {"look": "x"}}, {"weights": {"none": 1.0}}])
def test_a_calibration_that_cannot_be_read_is_none(facts: dict[str, object]) -> None:
    assert read_relevance(facts) is None


def test_without_texts_the_line_rises_with_the_pictures_that_may_come_near_by_chance() -> None:
    lines = [unfitted(pictures).line for pictures in (0, 1, 100, 10_000, 1_000_000)]
    assert lines == sorted(lines)
    assert 1.5 < lines[0] < 4 < lines[2] < 5 < lines[4] < 8


def test_sqlite_and_postgres_rank_alike(
    tmp_path: Path, sqlite_database_url: str, request: pytest.FixtureRequest
) -> None:
    found = []
    servers = request.getfixturevalue("postgres_cluster").database(template="template0")
    for name, url in (
        ("one", sqlite_database_url),
        ("two", next(servers)),
    ):
        with Library.open(tmp_path / name, url, create=True) as library:
            stock = Stock(library)
            stock.add_pictures(60)
            for number, image_id in enumerate(stock.images[:40]):
                stock.add_captions([f"{BODIES[number % 5]} {number}", f"dog {number}"], image_id, seed=number)
            library.publish(stock.model.id)
            with library.read() as session:
                taken = take_snapshot(library, session)
                assert taken is not None
                found.append([ranking(taken, session, text, 5, 60) for text in ("a man", "dog", "a red car 11")])
    assert found[0] == found[1]
