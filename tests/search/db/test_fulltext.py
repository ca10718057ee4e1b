"""Full-text search finds words in both databases and is not impressed by hostile strings."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import delete, select, update

from search.db.fulltext import MAX_TERMS, check_fulltext, rebuild_fulltext, search_texts
from search.db.schema import TextBody
from search.library import Library

BODIES = (
    "a brown bear walks through the woods",
    "two brown dogs and a cat",
    "a red car left of a tree",
    "Straße in Köln bei Nacht",
    "собака бежит по снегу",
    "一只黑猫坐在窗台上",
    "猫と犬が公園で遊ぶ",
    "हिन्दी में एक वाक्य",
    "100% of rock_n_roll, 'quoted' \"twice\" \\ and -minus",
    "brown brown brown fox",
)


@pytest.fixture
def texts(library: Library) -> Library:
    with library.write() as session:
        for body in BODIES:
            session.add(TextBody(sha256=hashlib.sha256(body.encode()).hexdigest(), body=body))
    return library


def _found(library: Library, query: str, limit: int = 10) -> list[str]:
    with library.read() as session:
        bodies = {row.id: row.body for row in session.execute(select(TextBody.id, TextBody.body))}
        return [bodies[text_id] for text_id, _ in search_texts(session, query, limit)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("bear", BODIES[0]),
        ("BEAR", BODIES[0]),
        ("a dog", BODIES[1]),
        ("cats", BODIES[1]),
        ("tree, red!", BODIES[2]),
        ("köln", BODIES[3]),
        ("Ko\u0308ln", BODIES[3]),
        ("СОБАКА", BODIES[4]),
        ("黑猫", BODIES[5]),
        ("公園", BODIES[6]),
        ("हिन्दी", BODIES[7]),
        ("rock_n_roll", BODIES[8]),
        ("walking bear", BODIES[0]),
    ],
)
def test_a_text_is_found_by_its_words(texts: Library, query: str, first: str) -> None:
    assert _found(texts, query)[:1] == [first]


def test_more_shared_words_are_better(texts: Library) -> None:
    found = _found(texts, "a brown bear in the woods")
    assert found[0] == BODIES[0]
    assert set(found) >= {BODIES[1], BODIES[9]}


def test_scores_fall_and_the_limit_holds(texts: Library) -> None:
    with texts.read() as session:
        scores = [score for _, score in search_texts(session, "brown cat 猫", 10)]
        assert scores == sorted(scores, reverse=True)
        assert all(score > 0 for score in scores)
        assert len(search_texts(session, "brown", 2)) == 2
        assert search_texts(session, "brown", 0) == []
        assert search_texts(session, "brown", -1) == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "\x00",
        "\udcff\udcfe",
        '"',
        "''",
        "!!! ??? ***",
        "NEAR(",
        "zebra* AND OR NOT",
        "body: zebra",
        "{zebra",
        "^zebra",
        "zebra' OR '1'='1",
        "zebra'); DROP TABLE texts; --",
        "%",
        "_",
        "zebra & | ! :* <->",
        "\\",
        "🦓",
        "zebra " * 100_000,
    ],
    ids=lambda query: ascii(query[:24]),
)
def test_a_hostile_query_finds_nothing_and_harms_nothing(texts: Library, query: str) -> None:
    assert _found(texts, query) == []
    assert len(_found(texts, "bear")) == 1


@pytest.mark.parametrize("query", ["brown OR nothing", "brown -fox", 'brown "', "brown*", "(brown"])
def test_operators_are_only_words(texts: Library, query: str) -> None:
    assert BODIES[0] in _found(texts, query)


def test_only_the_first_words_of_an_endless_query_count(texts: Library) -> None:
    endless = " ".join(f"word{number}" for number in range(MAX_TERMS)) + " bear"
    assert _found(texts, endless) == []


def test_stop_words_alone_are_looked_up_where_there_is_nothing_else(texts: Library) -> None:
    assert len(_found(texts, "the", limit=3)) <= 3


def test_the_index_follows_changed_and_deleted_texts(texts: Library) -> None:
    with texts.write() as session:
        session.execute(update(TextBody).where(TextBody.body == BODIES[0]).values(body="a polar walrus"))
        session.execute(delete(TextBody).where(TextBody.body == BODIES[2]))
    assert _found(texts, "bear") == []
    assert _found(texts, "polar") == ["a polar walrus"]
    assert _found(texts, "car") == []
    with texts.write() as session:
        assert check_fulltext(session) is None


def test_a_rebuilt_index_finds_the_same(texts: Library) -> None:
    before = _found(texts, "brown dogs")
    with texts.write() as session:
        rebuild_fulltext(session)
        assert check_fulltext(session) is None
    assert _found(texts, "brown dogs") == before


def test_a_monstrous_text_is_stored_and_found_by_its_beginning(texts: Library) -> None:
    body = "walrus " + " ".join(f"word{number}" for number in range(200_000))
    with texts.write() as session:
        session.add(TextBody(sha256="f" * 64, body=body))
    assert _found(texts, "walrus") == [body]
