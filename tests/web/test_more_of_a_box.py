"""From a box to more of what it shows, over HTTP: drawn scenes, the shipped models, the real application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from indexer.caption import CaptionOptions, caption_library
from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from search.settings import Settings
from storybook.drawing import render
from storybook.scenes import generate_scene
from tests.web.test_pages import assert_inert, browse
from vision.encoders.registry import load_encoder
from vision.grounding.registry import load_captioner
from web.app import create_app

SEEDS = range(40, 64)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home, pictures = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("scenes")
    for seed in SEEDS:
        render(generate_scene(seed, "test", False), 256).image.save(pictures / f"{seed}.png")
    encoder, captioner = load_encoder("storybook-encoder", threads=1), load_captioner("storybook-captioner", threads=1)
    with Library.open(home, create=True) as library:
        index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1))
        report = caption_library(library, encoder, captioner, CaptionOptions())
        assert 0 < report.boxes.embedded <= report.regions
    settings = Settings(home=home, threads=1, decode_workers=1)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


def test_the_boxes_of_a_hit_lead_to_more_of_what_they_show(scenes: TestClient) -> None:
    hits = scenes.get("/api/v1/search", params={"q": "a ball", "k": 24}).json()["hits"]
    boxes = [(hit["image_id"], region) for hit in hits for region in hit["regions"]]
    assert boxes
    for image_id, region in boxes:
        assert region["links"]["more"] == f"/api/v1/search?region={region['region_id']}"
        more = scenes.get(region["links"]["more"]).json()
        assert len(more["hits"]) == 20
        assert image_id not in [hit["image_id"] for hit in more["hits"]]
        by_box = [hit for hit in more["hits"] if "box" in hit["parts"]]
        assert by_box
        for hit in by_box:
            (alike,) = hit["regions"]
            assert alike["answers"] == f"region:{region['region_id']}"
            assert alike["score"] == pytest.approx(hit["score"], abs=1e-3)
            assert alike["links"]["more"].endswith(str(alike["region_id"]))


def test_following_next_stays_with_the_box(scenes: TestClient) -> None:
    address: str | None = f"/api/v1/search?region={_some_region(scenes)}&k=9"
    seen: list[int] = []
    while address:
        page = scenes.get(address).json()
        seen += [hit["image_id"] for hit in page["hits"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == len(SEEDS) - 1


def test_the_page_of_a_picture_and_the_gallery_offer_it(scenes: TestClient) -> None:
    hit = scenes.get("/api/v1/search", params={"q": "a ball"}).json()["hits"][0]
    offered = [link["href"] for link in browse(scenes, f"/images/{hit['image_id']}").by_class("more")]
    detail = scenes.get(f"/api/v1/images/{hit['image_id']}").json()
    stored = [region for caption in detail["captions"] for region in caption["regions"]] + detail["regions"]
    assert offered
    assert set(offered) <= {region["links"]["page"] for region in stored}
    on_tiles = [link["href"] for link in browse(scenes, "/search?q=a+ball").by_class("more")]
    assert hit["regions"][0]["links"]["page"] in on_tiles
    page = browse(scenes, offered[0] or "")
    assert_inert(page)
    assert "More of " in page.text
    assert len(page.by_class("reference")) == 1
    assert page.by_class("tile")


def test_a_box_that_is_not_there_is_not_found(scenes: TestClient) -> None:
    assert scenes.get("/api/v1/search?region=987654").status_code == 404
    browse(scenes, "/search?region=987654", status=404)


def _some_region(client: TestClient) -> int:
    hits = client.get("/api/v1/search", params={"q": "a ball", "k": 24}).json()["hits"]
    found: int = next(region["region_id"] for hit in hits for region in hit["regions"])
    return found
