"""Looking into one picture: heat maps by the real small encoder, answers by a small Kosmos-2 with random words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image as Pictures
from starlette.testclient import TestClient

from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from search.settings import Settings
from storybook.drawing import Rendered, render
from storybook.scenes import generate_scene
from tests.vision.grounding.conftest import save_captioner
from vision.encoders.registry import load_encoder
from web.admission.costs import Cost
from web.app import create_app
from web.conditional import FOREVER
from web.heat import suggested_parts
from web.middleware import SECURITY_HEADERS

BICYCLE, BOAT = 8, 11  # scenes with a single thing


@pytest.fixture(scope="module")
def scenes() -> dict[int, Rendered]:
    return {seed: render(generate_scene(seed, "test"), 256) for seed in (BICYCLE, BOAT)}


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory, scenes: dict[int, Rendered]) -> Settings:
    """A library of two scenes with the built-in encoder, served with a captioner."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, scene in scenes.items():
        scene.image.save(folder / f"{seed:02}.png")
    home = tmp_path_factory.mktemp("looking")
    with Library.open(home, create=True) as library:
        index_paths(library, load_encoder("storybook-encoder", threads=1), [folder], IndexOptions(decode_workers=1))
    captioner = save_captioner(tmp_path_factory.mktemp("captioner"))
    return Settings(home=home, captioner=str(captioner), threads=1, decode_workers=1)


@pytest.fixture(scope="module")
def client(looking: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(looking), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def ids(client: TestClient) -> dict[int, int]:
    hits = client.get("/api/v1/search", params={"q": "a boat"}).json()["hits"]
    return {int(Path(hit["path"]).stem): hit["image_id"] for hit in hits}


def assert_problem(answer: Any, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:deixis:problem:{slug}"


@pytest.mark.parametrize(("seed", "words"), [(BICYCLE, "a green bicycle"), (BOAT, "  a blue\tboat ")])
def test_the_strongest_patch_lies_on_the_thing_that_is_named(
    client: TestClient, ids: dict[int, int], scenes: dict[int, Rendered], seed: int, words: str
) -> None:
    found = client.get(f"/api/v1/images/{ids[seed]}/heatmap", params={"q": words}).json()
    assert found["text"] == " ".join(words.split())
    values = np.array(found["values"])
    assert (found["low"], found["high"]) == pytest.approx((np.median(values), values.max()), abs=1e-6)
    row, column = np.unravel_index(values.argmax(), values.shape)
    box = scenes[seed].things[0].box
    assert box.x0 < (column + 0.5) / values.shape[1] < box.x1
    assert box.y0 < (row + 0.5) / values.shape[0] < box.y1
    layer = Pictures.open(io.BytesIO(client.get(found["overlay"]).content))
    assert (layer.format, layer.mode, layer.size) == ("PNG", "RGBA", (512, 512))
    alpha = np.asarray(layer)[..., 3]
    # Linear interpolation keeps the maximum at the middle of its cell.
    assert alpha[int((row + 0.5) / values.shape[0] * 512), int((column + 0.5) / values.shape[1] * 512)] > 180
    assert (alpha == 0).mean() > 0.2, "about half of the cells are below the median"


def test_a_known_heat_map_is_neither_made_nor_sent_again(client: TestClient, ids: dict[int, int]) -> None:
    address = f"/media/{ids[BOAT]}/heat.png?q=boat"
    first = client.get(address)
    assert first.headers["cache-control"] == "private, no-cache"
    assert {name: first.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"/media/{ids[BOAT]}/heat.png?q=sky").headers["etag"] != first.headers["etag"]
    assert client.get(f"/media/{ids[BICYCLE]}/heat.png?q=boat").headers["etag"] != first.headers["etag"]
    lasting = client.get(address + "&v=" + first.headers["etag"].strip('"')[:16])
    assert lasting.headers["cache-control"] == FOREVER
    took = [client.get(f"/api/v1/images/{ids[BOAT]}/heatmap?q=boat").json()["took_ms"] for _ in range(2)]
    assert took[0] == took[1], "both speak of the one time that it was made"


def test_a_page_lays_heat_over_its_picture_when_asked_to(client: TestClient, ids: dict[int, int]) -> None:
    address = f"/images/{ids[BOAT]}?q=a+blue+boat+in+a+forest"
    off = client.get(address).text
    assert 'class="heat"' not in off
    assert f'href="/images/{ids[BOAT]}?q=a+blue+boat+in+a+forest&amp;heat=a+blue+boat"' in off
    on = client.get(address + "&heat=a+blue+boat").text
    start = on.index('<img class="heat" src="') + len('<img class="heat" src="')
    source = on[start : on.index('"', start)].replace("&amp;", "&")
    assert client.get(source).headers["cache-control"] == FOREVER
    assert "largest here 0." in on
    assert "strength" not in on, "two pictures do not say what is usual"
    assert 'value="a blue boat"' in on


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("a blue boat in a forest", ["a blue boat in a forest", "a blue boat", "blue", "boat", "forest"]),
        ("boat", ["boat"]),
        ("boat date:2024 -snow sort:date", ["boat"]),
        ("boat OR (red house)^2", ["boat", "red house", "red", "house"]),
        ('"polar bear" like:3', ["polar bear", "polar", "bear"]),
        ("date:2024", []),
        ("nosuchfilter:x", []),
        ("", []),
    ],
)
def test_what_a_query_looks_for_can_be_looked_for_in_a_picture(query: str, parts: list[str]) -> None:
    assert suggested_parts(query) == parts


@pytest.mark.parametrize(
    ("words", "problem"), [("%00", "the query is empty"), ("%3Cb%3E", None), ("\u202eabc", None), ("x" * 1000, None)]
)
def test_a_page_stays_whole_whatever_is_looked_for(
    client: TestClient, ids: dict[int, int], words: str, problem: str | None
) -> None:
    answer = client.get(f"/images/{ids[BOAT]}?heat={words}")
    assert answer.status_code == 200
    assert "<b>" not in answer.text.replace("<b>11.png</b>", "")
    assert ('class="problem"' in answer.text) == (problem is not None)
    assert problem is None or problem in answer.text


@pytest.mark.parametrize("question", ["What colour is the boat?", "Wie viele?", "a < b", "\u202e?"])
def test_a_question_is_answered(client: TestClient, ids: dict[int, int], question: str) -> None:
    answer = client.get(f"/api/v1/images/{ids[BOAT]}/ask", params={"question": question}).json()
    assert answer["question"] == question
    assert isinstance(answer["answer"], str)
    assert answer["log_probability"] <= 0
    page = client.get(f"/images/{ids[BOAT]}", params={"ask": question})
    assert page.status_code == 200
    assert 'class="said"' in page.text


@pytest.mark.parametrize(
    ("question", "slug", "message"),
    [
        ("", "question-invalid", "the question is empty"),
        (" \t", "question-invalid", "the question is empty"),
        ("Is it </s>?", "question-invalid", "holds </s>"),
        ("<phrase> it", "question-invalid", "holds <phrase>"),
        ("why " * 240, "question-invalid", "reads at most"),
        ("x" * 1001, "request-invalid", "1000"),
    ],
)
def test_a_question_that_cannot_be_put_is_refused_in_words(
    client: TestClient, ids: dict[int, int], question: str, slug: str, message: str
) -> None:
    answer = client.get(f"/api/v1/images/{ids[BOAT]}/ask", params={"question": question})
    assert_problem(answer, 422, slug)
    assert message in answer.json()["detail"]
    if question:
        page = client.get(f"/images/{ids[BOAT]}", params={"ask": question}, headers={"accept": "text/html"})
        assert page.status_code == 422


def test_a_question_beside_a_picture_keeps_the_picture(client: TestClient, ids: dict[int, int]) -> None:
    page = client.get(f"/images/{ids[BOAT]}", params={"ask": "<phrase>"})
    assert page.status_code == 422
    assert "the question holds &lt;phrase&gt;" in page.text
    assert f"/media/{ids[BOAT]}/page" in page.text


def test_a_flood_of_questions_ends_in_clear_answers(client: TestClient, ids: dict[int, int]) -> None:
    lane = cast("FastAPI", client.app).state.gate.lanes[Cost.ASK]
    lane.places += lane.limits.running + lane.limits.waiting
    try:
        answer = client.get(f"/api/v1/images/{ids[BOAT]}/ask?question=why")
        page = client.get(f"/images/{ids[BOAT]}?ask=why")
    finally:
        lane.places -= lane.limits.running + lane.limits.waiting
    assert_problem(answer, 503, "overloaded")
    assert answer.headers["retry-after"]
    assert page.status_code == 503
    assert client.get(f"/images/{ids[BOAT]}").status_code == 200


def test_a_captioner_that_is_not_there_is_named(looking: Settings, tmp_path: Path) -> None:
    broken = replace(looking, captioner=str(tmp_path / "nothing"))
    with TestClient(create_app(broken), base_url="http://localhost") as client:
        image_id = client.get("/api/v1/search?q=boat").json()["hits"][0]["image_id"]
        assert_problem(client.get(f"/api/v1/images/{image_id}/ask?question=why"), 503, "model-missing")


def test_a_picture_that_is_gone_cannot_be_looked_into(looking: Settings, tmp_path: Path) -> None:
    picture = tmp_path / "gone.png"
    Pictures.new("RGB", (40, 30), "red").save(picture)
    home = tmp_path / "home"
    with Library.open(home, create=True) as library:
        index_paths(library, load_encoder("colour"), [picture], IndexOptions(decode_workers=1))
    picture.unlink()
    for preview in home.glob("previews/*/*.jpg"):
        preview.unlink()
    with TestClient(create_app(replace(looking, home=home)), base_url="http://localhost") as client:
        for address in ("heatmap?q=red", "ask?question=why"):
            assert_problem(client.get(f"/api/v1/images/1/{address}"), 410, "original-gone")


def test_an_explanation_has_a_map_for_the_query_and_for_each_of_its_pieces(
    client: TestClient, ids: dict[int, int]
) -> None:
    address = f"/api/v1/images/{ids[BOAT]}/explain"
    made = client.get(address, params={"q": "a blue boat"}).json()
    assert made["words"][0]["text"] == made["text"] == "a blue boat"
    assert len(made["words"]) > 1
    for word in made["words"]:
        assert made["text"][word["span"]["start"] : word["span"]["end"]] == word["text"]
        layer = client.get(word["overlay"])
        assert (layer.status_code, layer.headers["content-type"]) == (200, "image/png")
        assert client.get(word["overlay"], headers={"If-None-Match": layer.headers["etag"]}).status_code == 304
    whole = client.get(f"/api/v1/images/{ids[BOAT]}/heatmap", params={"q": "a blue boat"}).json()
    assert made["words"][0]["values"][0] == pytest.approx(whole["values"][0], abs=1e-4)


def test_a_question_as_json_is_answered_as_one_in_the_address(client: TestClient, ids: dict[int, int]) -> None:
    address = f"/api/v1/images/{ids[BOAT]}/ask"
    by_json = client.post(address, json={"question": "What is this?"}).json()
    assert by_json["answer"] == client.get(address, params={"question": "What is this?"}).json()["answer"]
