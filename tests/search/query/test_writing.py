"""Words that were read: found with a letter or two wrong, drawn where they stand, and never taken for a thing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from indexer.embed_texts import embed_texts
from indexer.pipeline import IndexOptions, index_paths
from indexer.report import silent
from indexer.writer import Writer
from search.db.annotations import CaptionFact, add_annotations
from search.db.readings import add_reading
from search.db.schema import File
from search.errors import QueryError
from search.library import Library
from search.publishing import publish
from search.results import Hit, SearchRequest, SearchResult
from search.service import SearchService
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region

READER = "reader:0123456789ab"
Ask = Callable[[str], SearchResult]

WRITTEN = {
    "street": ["NO PARKING", "16th Street"],
    "poster": ["J.P.Morgan", "Museum of"],
    "poster2": ["Restauront zur Post", "open daily"],
    "menu": ["Breakfast", "all day", "Straße 7"],
    "chinese": ["紧急出口"],
    "apart": ["no", "smoking", "please", "free", "parking"],
    "window": ["DOG"],
    "plain": [],
}
SAID = {"poster": "a man before a poster", "window": "a shop", "plain": "a dog on a street"}


def _fill(library: Library, folder: Path) -> None:
    encoder = ColourEncoder()
    folder.mkdir()
    for number, name in enumerate(WRITTEN):
        Image.new("RGB", (60 + number, 40), ("red", "green", "blue", "white")[number % 4]).save(folder / f"{name}.png")
    index_paths(library, encoder, [folder], IndexOptions(decode_workers=1))
    with library.write() as session:
        for image_id, name in session.execute(select(File.image_id, File.name).order_by(File.id)).all():
            stem = name.removesuffix(".png")
            boxes = [Box(0.1, number / 10, 0.7, number / 10 + 0.08) for number in range(9)]
            lines = [Region(text, box, None, 0.9) for text, box in zip(WRITTEN[stem], boxes, strict=False)]
            add_reading(session, image_id, lines, READER)
            if stem in SAID:
                add_annotations(session, image_id, [CaptionFact(SAID[stem], "en")], [], "import")
            if stem == "plain":
                dogs = [Region("a dog", Box(left, 0.1, left + 0.3, 0.4)) for left in (0.1, 0.6)]
                add_annotations(session, image_id, [], dogs, "import")
        model = library.check_model(session, encoder.facts)
        session.expunge(model)
    with library.exclusive():
        embed_texts(library, model, Writer(library, model, encoder), silent, [])
        publish(library, model.id, ("text",))


@pytest.fixture
def ask(library: Library, tmp_path: Path) -> Ask:
    _fill(library, tmp_path / "pictures")
    service = SearchService(library, ColourEncoder())
    return lambda text: service.search(SearchRequest(text=text, k=20))


def _names(result: SearchResult, *, likely: bool = True) -> list[str]:
    return [Path(hit.path).stem for hit in result.hits if hit.likely or not likely]


def _drawn(hit: Hit) -> list[str]:
    return [region.phrase for region in hit.regions if region.is_read]


def test_words_are_found_with_a_letter_or_two_wrong_and_drawn_where_they_stand(ask: Ask) -> None:
    for query, name, lines in (
        ("text:morgan", "poster", ["J.P.Morgan"]),
        ("text:mogran", "poster", ["J.P.Morgan"]),
        ('text:"j.p. morgan"', "poster", ["J.P.Morgan"]),
        ("text:restaurant", "poster2", ["Restauront zur Post"]),
        ("text:breakfest", "menu", ["Breakfast"]),
        ("text:strasse", "menu", ["Straße 7"]),
        ("text:出口", "chinese", ["紧急出口"]),
        ('text:"no smoking please"', "apart", ["smoking", "no", "please"]),
    ):
        (hit,) = ask(query).hits
        assert Path(hit.path).stem == name, query
        assert sorted(_drawn(hit)) == sorted(lines), query
        assert all(region.source == READER for region in hit.regions if region.is_read)


def test_several_words_must_follow_each_other(ask: Ask) -> None:
    assert _names(ask('text:"no parking"')) == ["street"]
    assert set(_names(ask("text:parking"))) == {"street", "apart"}
    assert _names(ask('text:"parking no"')) == []
    assert _names(ask('text:"breakfast all day"')) == ["menu"], "words go on from line to line"


@pytest.mark.parametrize("query", ["text:mrogna", "text:dags", "text:brkfst", "text:口出", "text:mus"])
def test_what_is_too_far_from_what_was_read_is_not_found(ask: Ask, query: str) -> None:
    assert _names(ask(query)) == []


def test_the_better_read_comes_first(ask: Ask) -> None:
    result = ask("text:street OR text:breakfest")
    assert _names(result) == ["street", "menu"]
    assert [hit.parts.get("misread", 0) for hit in result.hits] == [0, -1]


def test_filters_turn_round_and_combine(ask: Ask) -> None:
    everything = set(_names(ask("has:text"))) | set(_names(ask("-has:text")))
    assert everything == set(WRITTEN)
    assert set(_names(ask("-has:text"))) == {"plain"}
    assert "street" not in _names(ask("-text:parking has:text"))
    assert _names(ask("has:boxes")) == ["plain"], "a line of text is no box of a thing"
    assert _names(ask(f"source:{READER} text:morgan")) == ["poster"]


def test_free_text_brings_the_picture_that_says_it_to_the_top(ask: Ask) -> None:
    result = ask("that poster with J.P.Morgan on it")
    assert _names(result, likely=False)[0] == "poster"
    assert _drawn(result.hits[0]) == ["J.P.Morgan"]
    result = ask("museum")
    assert _names(result)[0] == "poster"
    assert _drawn(result.hits[0]) == ["Museum of"]
    quoted = ask('"free" "parking"')
    assert _names(quoted) == ["apart"]


def test_the_word_dog_is_no_dog(ask: Ask) -> None:
    counted = {Path(hit.path).stem: hit.parts for hit in ask("two dogs").hits}
    assert counted["window"].get("number", 0) < counted["plain"]["number"]
    related = {Path(hit.path).stem: hit for hit in ask("a dog left of a tree").hits}
    for part in ("boxes", "relation"):
        assert related["window"].parts[part] == related["menu"].parts[part], "as if nothing were known of boxes"
    without = {Path(hit.path).stem: hit.parts.get("without", 0) for hit in ask("a shop -dog").hits}
    assert without["plain"] < -1
    assert without["window"] > -1e-6, "what is written is not what is seen"
    assert "window" not in _names(ask('a shop -"dog"'), likely=False), "in quotes it is what is written"


def test_hostile_values_are_refused_or_find_nothing(ask: Ask) -> None:
    for query in ("text:...", 'text:"' + "word " * 13 + '"'):
        with pytest.raises(QueryError):
            ask(query)
    for query in ("text:%", "text:_", "text:'; drop--", "text:" + "x" * 900):
        try:
            assert _names(ask(query)) == []
        except QueryError:
            continue
