"""Facets, counts, duplicates, labels and embeddings over HTTP."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from starlette.testclient import TestClient

from search.glance import glance
from search.settings import Settings


def picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Pictures.new("RGB", (90, 60), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_facets_lead_to_what_they_count(client: TestClient) -> None:
    answer = client.get("/api/v1/facets").json()
    assert (answer["images"], answer["of"]) == (12, "library")
    values = {value["token"]: value["count"] for facet in answer["facets"] for value in facet["values"]}
    assert values["format:jpeg"] == 2
    for token, count in values.items():
        if token.startswith("format:"):
            narrowed = client.get("/api/v1/facets", params={"q": token}).json()
            assert (narrowed["images"], narrowed["of"]) == (count, "filters")
    assert client.get("/api/v1/facets?q=red").json()["of"] == "likely"
    assert client.get("/api/v1/facets?q=colour:red").status_code == 400


def test_stats_are_those_of_the_command(client: TestClient, settings: Settings) -> None:
    said = glance(settings)
    assert said is not None
    answer = client.get("/api/v1/stats").json()
    expected = asdict(said)
    for name in ("images", "captions", "regions", "texts", "files_indexed", "model", "facts", "lines"):
        assert answer[name] == expected[name], name


def test_duplicates_are_told(client: TestClient) -> None:
    answer = client.get("/api/v1/duplicates?exact=true").json()
    assert (answer["groups"], answer["pictures"]) == ([], 12)
    for nowhere in ("/no/such", "a%00b", "~nobody/x", "%20", "%FF"):
        assert client.get(f"/api/v1/duplicates?below={nowhere}").status_code == 404, nowhere


def test_the_label_that_fits_comes_first(client: TestClient, ids: dict[str, int]) -> None:
    labels = ["red", "green", "blue"]
    of_library = client.post(f"/api/v1/images/{ids['red']}/classify", json={"labels": labels, "templates": ["{}"]})
    assert of_library.json()["labels"][0]["label"] == "red", of_library.text
    uploaded = client.post(
        "/api/v1/classify", files={"image": ("x.png", picture("blue"))}, data={"label": labels, "template": ["{}"]}
    )
    assert uploaded.json()["labels"][0]["label"] == "blue", uploaded.text
    assert len(uploaded.json()["labels"]) == 3


def test_embeddings_of_texts_and_pictures_are_of_one_space(client: TestClient, ids: dict[str, int]) -> None:
    both = client.post("/api/v1/embeddings", json={"texts": ["red", "blue"], "image_ids": [ids["red"]]}).json()
    red, blue, shown = (np.array(row) for row in both["embeddings"])
    assert np.allclose([red @ red, shown @ shown], 1, atol=1e-3)
    assert red @ shown > blue @ shown
    packed = client.post("/api/v1/embeddings", json={"texts": ["red"], "encoding": "base64"}).json()
    assert np.allclose(np.frombuffer(base64.b64decode(packed["embeddings"][0]), "<f4"), red, atol=1e-6)
    sent = client.post("/api/v1/embeddings/pictures", files=[("image", ("a.png", picture("red")))]).json()
    assert len(sent["embeddings"][0]) == sent["dim"] == len(red)


JSON = {"content-type": "application/json"}
WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("/api/v1/embeddings", {"json": {}}, 400, "query-invalid"),
    ("/api/v1/embeddings", {"json": {"image_ids": [999999]}}, 404, "not-found"),
    ("/api/v1/embeddings", {"json": {"texts": ["a"] * 65}}, 422, "request-invalid"),
    ("/api/v1/embeddings", {"json": {"texts": [" "]}}, 400, "query-invalid"),
    ("/api/v1/images/1/classify", {"json": {"labels": []}}, 422, "request-invalid"),
    ("/api/v1/images/1/classify", {"json": {"labels": ["a", "A"]}}, 400, "labels-invalid"),
    ("/api/v1/images/1/classify", {"json": {"labels": ["a"], "templates": ["no slot"]}}, 400, "labels-invalid"),
    ("/api/v1/images/999999/classify", {"json": {"labels": ["a"]}}, 404, "not-found"),
    ("/api/v1/images/1/classify", {"content": b"{", "headers": JSON}, 422, "request-invalid"),
    ("/api/v1/images/1/ask", {"json": {"question": "why?"}}, 501, "no-captioner"),
    ("/api/v1/images/1/ask", {"json": {"question": ""}}, 422, "request-invalid"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "sent", "status", "slug"), WRONG)
def test_what_cannot_be_answered_is_a_problem(
    client: TestClient, address: str, sent: dict[str, Any], status: int, slug: str
) -> None:
    answer = client.post(address, **sent)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:deixis:problem:{slug}")


def test_unknown_fields_are_refused_with_the_known_ones(client: TestClient) -> None:
    body = client.post("/api/v1/query", json={"q": "red", "limit": 5})
    assert body.status_code == 422
    assert "'limit'" in body.json()["detail"]
    assert "annotations, collapse, k, offset, q, tree" in body.json()["detail"]
    form = client.post("/api/v1/search", files={"image": ("x.png", picture("red"))}, data={"limit": "5"})
    assert (form.status_code, form.json()["type"]) == (422, "urn:deixis:problem:parameter-unknown")
    assert form.json()["remedy"] == "Known: crop, image, q."


def test_explaining_wants_an_encoder_with_patches(client: TestClient, ids: dict[str, int]) -> None:
    for name in ("explain", "explain.png"):
        answer = client.get(f"/api/v1/images/{ids['red']}/{name}?q=red")
        assert (answer.status_code, answer.json()["type"]) == (501, "urn:deixis:problem:no-heat-map")


def test_a_wrong_method_is_told_the_right_ones(client: TestClient) -> None:
    for address, allowed in (
        ("/api/v1/search", "GET, HEAD, POST"),
        ("/api/v1/jobs/1", "GET, HEAD, PATCH"),
        ("/api/v1/query", "POST"),
    ):
        answer = client.delete(address)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_the_documentation_page_shows_every_operation(client: TestClient) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert all(
        tag.startswith((' src="/static/', ' type="module" src="/static/')) for tag in page.text.split("<script")[1:]
    )
    document = client.get("/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page.text
            assert f"<code>{path}</code>" in page.text
