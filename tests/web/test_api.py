"""The JSON API over a real library."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Pictures
from starlette.testclient import TestClient

from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from search.settings import Settings
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from web.app import create_app


def test_words_find_the_picture_and_the_boxes_that_explain_it(client: TestClient, ids: dict[str, int]) -> None:
    answer = client.get("/api/v1/search", params={"q": "a red wall", "k": 3}).json()
    best = answer["hits"][0]
    assert best["image_id"] == ids["red"]
    assert best["rank"] == 1
    assert best["score"] == pytest.approx(sum(best["parts"].values()))
    assert answer["query"] == "a red wall"
    assert answer["images_searched"] == 12
    assert {"phrase": "A red wall", "box": {"x0": 0, "y0": 0, "x1": 1, "y1": 1}} in [
        {"phrase": region["phrase"], "box": region["box"]} for region in best["regions"]
    ]
    assert best["likely"]
    assert [token["kind"] for token in answer["tokens"]] == ["words"]


def test_following_next_visits_every_picture_once(client: TestClient) -> None:
    address, seen = "/api/v1/search?q=blue&k=5", []
    while address:
        page = client.get(address).json()
        seen += [hit["image_id"] for hit in page["hits"]]
        assert (page["next"] is not None) == page["more"]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 12


def test_ranks_count_over_all_pages(client: TestClient) -> None:
    page = client.get("/api/v1/search", params={"q": "blue", "k": 4, "offset": 4}).json()
    assert [hit["rank"] for hit in page["hits"]] == [5, 6, 7, 8]


def test_like_leaves_the_picture_itself_out(client: TestClient, ids: dict[str, int]) -> None:
    answer = client.get("/api/v1/search", params={"like": ids["red"], "k": 100}).json()
    assert ids["red"] not in [hit["image_id"] for hit in answer["hits"]]
    assert len(answer["hits"]) == 11


def test_an_uploaded_picture_finds_its_likes(client: TestClient, ids: dict[str, int]) -> None:
    buffer = io.BytesIO()
    Pictures.new("RGB", (90, 60), "green").save(buffer, "PNG")
    answer = client.post("/api/v1/search?k=2", files={"image": ("leaf.png", buffer.getvalue(), "image/png")})
    assert answer.status_code == 200
    assert answer.json()["hits"][0]["image_id"] == ids["green"]
    assert answer.json()["next"] is None


def test_a_picture_tells_its_captions_with_spans_and_boxes(client: TestClient, ids: dict[str, int]) -> None:
    detail = client.get(f"/api/v1/images/{ids['red']}").json()
    (caption,) = detail["captions"]
    for region in caption["regions"]:
        assert caption["text"][region["span"]["start"] : region["span"]["end"]] == region["phrase"]
    assert [region["phrase"] for region in detail["regions"]] == ["box"]
    assert (detail["width_px"], detail["height_px"], detail["format"]) == (640, 400, "PNG")
    assert detail["files"][0]["state"] == "indexed"


def test_a_path_that_is_not_utf8_is_sent_with_replacement_characters(client: TestClient, ids: dict[str, int]) -> None:
    name = next(stem for stem in ids if stem.startswith("caf"))
    assert name == "caf\ufffd \ufffd"
    assert client.get(f"/api/v1/images/{ids[name]}").json()["files"][0]["path"].endswith("/caf\ufffd \ufffd.png")


def test_links_lead_somewhere(client: TestClient, ids: dict[str, int]) -> None:
    links = client.get(f"/api/v1/images/{ids['orange']}").json()["links"]
    assert {name: client.get(address).status_code for name, address in links.items()} == dict.fromkeys(links, 200)


def test_the_process_is_healthy_without_a_library(empty_client: TestClient) -> None:
    assert empty_client.get("/healthz").json()["status"] == "ok"


def test_a_full_library_is_ready(client: TestClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["images"] == 12
    assert answer.json()["published"]["image"] == 12


def test_an_empty_library_is_not_ready_and_says_what_to_do(empty_client: TestClient) -> None:
    answer = empty_client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "deixis index" in " ".join(answer.json()["reasons"])


def test_a_model_that_is_asked_for_must_be_the_librarys_own(settings: Settings, tmp_path: Path) -> None:
    named = create_app(replace(settings, model="colour"))
    with TestClient(named, base_url="http://localhost") as client:
        assert client.get("/readyz").status_code == 200
    missing = create_app(replace(settings, model=str(tmp_path / "no-such-model")))
    with TestClient(missing, base_url="http://localhost") as client:
        answer = client.get("/api/v1/search?q=red")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:deixis:problem:model-missing"
        assert client.get("/readyz").status_code == 503
        assert client.get("/").status_code == 200, "pictures can be looked at without it"


def test_a_running_server_follows_the_library_to_another_model(
    tmp_path: Path, pictures: Path, photo_tiny_dir: Path
) -> None:
    home = tmp_path / "home"
    with Library.open(home, create=True) as library:
        index_paths(library, ColourEncoder(), [pictures])
        with TestClient(create_app(Settings(home=home, threads=1)), base_url="http://localhost") as client:
            assert client.get("/api/v1/search?q=red").json()["model"] == "colour"
            index_paths(library, load_encoder(str(photo_tiny_dir)), [], IndexOptions(replace_model=True))
            answer = client.get("/api/v1/search?q=red")
            assert answer.status_code == 200, answer.text
            assert answer.json()["model"] == "photo-tiny"


def test_a_library_that_is_made_later_is_found_without_a_restart(tmp_path: Path) -> None:
    home = tmp_path / "later"
    with TestClient(create_app(Settings(home=home)), base_url="http://localhost") as client:
        assert client.get("/api/v1/images/1").status_code == 503
        Library.open(home, create=True).close()
        assert client.get("/api/v1/images/1").status_code == 404


def test_a_damaged_database_is_a_reason_and_not_a_crash(tmp_path: Path) -> None:
    home = tmp_path / "damaged"
    Library.open(home, create=True).close()
    (database,) = home.glob("deixis.db")
    database.write_bytes(b"this was a database" * 1000)
    with TestClient(create_app(Settings(home=home)), base_url="http://localhost") as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "deixis index" not in answer.text
        assert answer.json()["reasons"]
        assert "Traceback" not in answer.text
