"""Questions with known answers: how ranks, lines and boxes become figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.cli import run
from search.encoder import EncoderWish
from search.evaluation.presence import ABSENT, NONSENSE, PRESENT, presence_questions
from search.evaluation.questions import (
    Answered,
    Question,
    ask,
    boxes_all,
    by_kind,
    line_figures,
    right_one_first,
    shows_all,
)
from search.evaluation.ranking import NOT_FOUND
from search.library import Library
from search.service import SearchService
from vision.types import Box

WHOLE = Box(0, 0, 1, 1)


def answered(
    kind: str, rank: float = 1, *, right: bool = True, certainty: float = 0.5, likely: int | None = None
) -> Answered:
    question = Question(kind, "a dog", frozenset({1}) if right else frozenset())
    return Answered(question, rank, certainty, likely, wrong=0, wrong_boxed=0, boxes_all=None)


@pytest.fixture
def service(made_home: Path) -> SearchService:
    return SearchService(Library.open(made_home), wish=EncoderWish(threads=1))


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    place = tmp_path_factory.mktemp("asked")
    for colour in ("red", "green", "blue"):
        Image.new("RGB", (40, 30), colour).save(place / f"{colour}.png")
    (place / "notes.jsonl").write_text(
        '{"file": "red.png", "captions": [{"text": "a red kayak"}],'
        ' "regions": [{"phrase": "red kayak", "box": [0, 0, 1, 1]}]}\n'
    )
    home = ["--home", str(place / "home"), "--quiet"]
    assert run(["index", *(str(place / f"{c}.png") for c in ("red", "green", "blue")), "--model", "colour", *home]) == 0
    assert run(["import", str(place / "notes.jsonl"), *home]) == 0
    return place / "home"


def ids(service: SearchService) -> dict[str, int]:
    hits = {colour: ask_first(service, colour) for colour in ("red", "green", "blue")}
    assert len(set(hits.values())) == 3
    return hits


def ask_first(service: SearchService, text: str) -> int:
    from search.results import SearchRequest

    return service.search(SearchRequest(text=text, annotations=False)).hits[0].image_id


def test_figures_are_grouped_by_kind_and_leave_out_what_has_no_answer() -> None:
    figures = by_kind([answered("two", 1), answered("two", 3), answered("and", NOT_FOUND), answered("x", right=False)])
    assert list(figures) == ["two", "and"]
    assert (figures["two"].hit_at_1.value, figures["two"].recall_at_5.value) == (50.0, 100.0)
    assert figures["and"].mean_reciprocal_rank.value == 0.0


def test_the_line_is_judged_by_what_is_there_against_each_kind_of_what_is_not() -> None:
    there = [answered("thing", certainty=0.9, likely=3), answered("thing", certainty=0.2, likely=0)]
    absent = [answered("outside", certainty=0.5, likely=0, right=False)]
    figures = line_figures([*there, *absent])
    assert figures.auc["outside"].value == 50.0
    assert figures.said_absent["outside"].value == 100.0
    assert figures.lost.value == 50.0


def test_a_library_without_a_line_gives_no_figure_of_it() -> None:
    assert line_figures([answered("thing"), answered("outside", right=False)]).lost.n == 0


def test_a_real_library_is_asked_and_the_rank_of_the_right_picture_is_found(service: SearchService) -> None:
    places = ids(service)
    asked = [Question("colour", name, frozenset({image})) for name, image in places.items()]
    assert [one.rank for one in ask(service, asked)] == [1, 1, 1]
    wrong = Question("colour", "red", frozenset({places["blue"]}))
    assert ask(service, [wrong])[0].rank > 1
    assert ask(service, [Question("outside", "blue", frozenset())])[0].rank == NOT_FOUND


def test_every_thing_that_is_named_must_have_a_box_on_it() -> None:
    small = Box(0, 0, 0.1, 0.1)
    assert shows_all([WHOLE], ((WHOLE,),))
    assert not shows_all([WHOLE], ((WHOLE,), (small,)))
    assert shows_all([small, WHOLE], ((WHOLE,), (small,)))
    assert not shows_all([], ((small,),))


def test_boxes_are_asked_for_only_where_the_first_hit_is_right_and_its_things_are_known(service: SearchService) -> None:
    places = ids(service)
    unknown = Question("thing", "red", frozenset({places["red"]}))
    wrong = Question("thing", "blue", frozenset({places["red"]}), {places["red"]: ((WHOLE,),)})
    right = Question("thing", "blue", frozenset({places["blue"]}), {places["blue"]: ((WHOLE,),)})
    answers = ask(service, [unknown, wrong, right], annotations=False)
    assert [one.boxes_all for one in answers] == [None, None, False]
    assert boxes_all(answers).value == 0.0


def test_of_two_pictures_the_right_one_first_is_counted(service: SearchService) -> None:
    places = ids(service)
    pairs = [("red", places["red"], places["blue"]), ("red", places["blue"], places["red"])]
    assert right_one_first(service, pairs, annotations=False).value == 50.0


def test_kinds_that_no_box_shows_are_absent_unless_a_text_names_them(service: SearchService, made_home: Path) -> None:
    red = ids(service)["red"]
    shown = {"kayak": frozenset({red}), "oven": frozenset[int](), "kay": frozenset[int]()}
    with Library.open(made_home) as library, library.read() as session:
        found = presence_questions(session, shown, ["a frindle"])
    assert [(one.kind, one.text) for one in found.questions] == [
        (PRESENT, "a kayak"),
        (ABSENT, "an oven"),
        (NONSENSE, "a frindle"),
    ]
    assert found.left_out == ["kay"]
