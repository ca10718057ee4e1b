"""Boxes that are looked for when a tile is seen, and how surely a thing is there at all."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from search.looked import Pointed
from search.results import ImageDetail
from search.settings import Settings
from storybook.drawing import render
from storybook.scenes import Scene, generate_scene
from vision.encoders.registry import load_encoder
from vision.geometry import iou
from vision.looks import WHOLE
from vision.types import Box
from web.app import create_app
from web.middleware import SECURITY_HEADERS
from web.where import layer

SEEDS = range(60)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A library of drawn scenes without captions."""
    folder, home = tmp_path_factory.mktemp("scenes"), tmp_path_factory.mktemp("home")
    for seed in SEEDS:
        render(generate_scene(seed, "test"), 192).image.save(folder / f"{seed}.png")
    with Library.open(home, create=True) as library:
        index_paths(library, load_encoder("storybook-encoder", threads=1), [folder], IndexOptions(decode_workers=1))
    return Settings(home=home, threads=1, decode_workers=1)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


def sure_tiles(client: TestClient) -> list[tuple[str, str, Scene]]:
    """Query, address of the layer and scene of every tile whose boxes are to be looked for."""
    found = []
    for seed in SEEDS:
        thing = max(generate_scene(seed, "test").things, key=lambda thing: thing.box.x1 - thing.box.x0)
        words = f"a {thing.colour} {thing.kind}"
        page = client.get("/search", params={"q": words}).text
        by_id = {hit["image_id"]: hit for hit in client.get("/api/v1/search", params={"q": words}).json()["hits"]}
        for image_id, address in re.findall(r'src="(?:/media/(\d+)/where.svg\?([^"]+))"', page):
            scene = generate_scene(int(Path(by_id[int(image_id)]["path"]).stem), "test")
            found.append((words, f"/media/{image_id}/where.svg?{address.replace('&amp;', '&')}", scene))
        if len(found) >= 12:
            break
    return found


def test_sure_tiles_without_a_box_get_one_when_they_are_seen(client: TestClient) -> None:
    tiles = sure_tiles(client)
    assert tiles
    right = drawn = 0
    for words, address, scene in tiles:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert client.get(address, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
        root = ET.fromstring(answer.text)  # what this server wrote
        labels = [text.text for text in root.iter(f"{SVG}text")]
        assert labels in ([], [f"1 {words}"])
        for rectangle in [one for one in root.iter(f"{SVG}rect") if one.get("stroke-dasharray")]:
            x, y, width, height = (float(rectangle.get(name, "0")) / 300 for name in ("x", "y", "width", "height"))
            box = Box(x, y, min(1, x + width), min(1, y + height))
            drawn += 1
            right += max(iou(box, thing.box) for thing in scene.things) > 0.3
    assert drawn
    assert right / drawn > 0.6, "most boxes lie on a thing of their scene"


def test_a_library_that_keeps_patches_needs_no_second_look(settings: Settings) -> None:
    options = IndexOptions(decode_workers=1, looks=WHOLE)
    try:
        with Library.open(settings.home, create=True) as library:
            index_paths(library, load_encoder("storybook-encoder", threads=1), [], options)
        with TestClient(create_app(settings), base_url="http://localhost") as client:
            assert sure_tiles(client) == []
    finally:
        with Library.open(settings.home) as library:
            library.patches.store.clear()


def test_a_number_and_a_place_point_at_nothing(client: TestClient) -> None:
    for words in ("two cars", "a car on a beach", "-car", "orient:landscape"):
        answer = client.get("/media/1/where.svg", params={"q": words})
        assert answer.status_code == 200
        assert "<rect" not in answer.text


def test_how_surely_a_thing_is_there_tells_what_is_from_what_is_not(client: TestClient) -> None:
    strong, weak = [], []
    for seed in list(SEEDS)[:8]:
        things = generate_scene(seed, "test").things
        (image_id,) = [
            hit["image_id"]
            for hit in client.get("/api/v1/search", params={"q": f"name:{seed}.png"}).json()["hits"]
            if hit["path"].endswith(f"/{seed}.png")
        ]
        shown = max(things, key=lambda thing: thing.box.x1 - thing.box.x0).kind
        absent = next(kind for kind in ("train", "lighthouse", "snail", "tent") if kind not in {t.kind for t in things})
        for words, values in ((shown, strong), (absent, weak)):
            found = client.get(f"/api/v1/images/{image_id}/heatmap", params={"q": f"a {words}"}).json()
            values.append(found["strength"])
            assert found["high"] >= max(max(row) for row in found["values"]) - 1e-6
    assert sum(strong) / len(strong) > 0.45
    assert sum(weak) / len(weak) < 0.3


def test_labels_are_text_whatever_they_hold() -> None:
    detail = ImageDetail(1, "ab" * 32, 400, 300, "PNG", 9, None, None, (), (), ())
    words = '<script>alert(1)</script> & "quotes" ' + "x" * 90
    drawn = layer(detail, [Pointed(words, Box(0.9, 0.0, 1.0, 0.1), 0.5), Pointed("nothing", None, None)])
    (label,) = ET.fromstring(drawn).iter(f"{SVG}text")  # what this server wrote
    assert label.text == "1 " + words[:31] + "…"
