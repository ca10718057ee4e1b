"""Lists, look-ups and exports: every row once, whatever happens between two pages."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer
from starlette.testclient import TestClient

from search.secret import secret
from search.settings import Settings


def pages(client: TestClient, address: str | None, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        found += answer.json()[name]
        address = answer.json()["next"]
    return found


@pytest.mark.parametrize("sort", ["added", "-added", "date", "-date"])
def test_following_next_lists_every_picture_once(client: TestClient, ids: dict[str, int], sort: str) -> None:
    found = [one["image_id"] for one in pages(client, f"/api/v1/images?k=5&sort={sort}", "images")]
    assert sorted(found) == sorted(ids.values())
    if sort.endswith("added"):
        assert found == sorted(found, reverse=sort == "added")


def test_filters_narrow_a_list_and_words_do_not_belong_there(client: TestClient, ids: dict[str, int]) -> None:
    jpegs = pages(client, "/api/v1/images?q=format:jpeg&k=1", "images")
    assert {one["image_id"] for one in jpegs} == {ids["orange"], ids["green"]}
    either = pages(client, "/api/v1/images?q=format:webp OR (format:png -has:captions)&k=4", "images")
    assert len(either) == 7
    answer = client.get("/api/v1/images?q=a red wall")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:deixis:problem:query-invalid")


def test_a_picture_is_found_by_content_and_by_path(client: TestClient, ids: dict[str, int]) -> None:
    one = client.get(f"/api/v1/images/{ids['red']}").json()
    assert client.get(f"/api/v1/images/by-sha256/{one['sha256'].upper()}").json() == one
    assert client.get("/api/v1/images/by-path", params={"path": one["files"][0]["path"]}).json() == one
    for address in ("by-sha256/" + "0" * 64, "by-path?path=/no/such/file", "by-path?path=%00"):
        assert client.get(f"/api/v1/images/{address}").status_code == 404
    assert client.get("/api/v1/images/by-sha256/abc").status_code == 422


def test_what_is_told_is_listed_with_its_picture(client: TestClient, ids: dict[str, int]) -> None:
    captions = pages(client, "/api/v1/captions?k=1", "captions")
    assert {one["image_id"] for one in captions} >= {ids["red"], ids["blue"]}
    regions = pages(client, f"/api/v1/regions?k=2&image={ids['red']}", "regions")
    assert sorted(one["phrase"] for one in regions) == ["A red wall", "a white box", "box"]
    assert pages(client, "/api/v1/texts", "regions") == []
    assert pages(client, "/api/v1/regions?source=nobody", "regions") == []
    filtered = pages(client, "/api/v1/captions?q=lang:he", "captions")
    assert [one["image_id"] for one in filtered] == [ids["blue"]]
    of_one = f"/api/v1/images/{ids['red']}"
    assert {one["phrase"] for one in client.get(f"{of_one}/regions").json()} == {"A red wall", "a white box", "box"}
    assert client.get(f"{of_one}/captions").json() == client.get(of_one).json()["captions"]
    assert client.get(f"{of_one}/texts").json() == []


def test_a_cursor_belongs_to_its_list_and_library(client: TestClient, settings: Settings) -> None:
    following = client.get("/api/v1/images?k=2").json()["next"]
    for wrong in (following.replace("cursor=", "cursor=x"), following + "&q=format:png", "/api/v1/images?cursor=a.b"):
        answer = client.get(wrong)
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:deixis:problem:cursor-invalid"), wrong
    signer = URLSafeSerializer(secret(settings.home), salt="deixis cursor")
    other = client.get("/api/v1/images", params={"cursor": signer.dumps(["0" * 32, "x", 1, None])})
    assert (other.status_code, other.json()["type"]) == (410, "urn:deixis:problem:cursor-gone")
    for odd in (["0"], "text", 5, [["a"], None, "b", 4]):
        assert client.get("/api/v1/images", params={"cursor": signer.dumps(odd)}).status_code in (400, 410)


def test_exports_have_every_row_in_both_forms(client: TestClient, ids: dict[str, int]) -> None:
    answer = client.get("/api/v1/exports?of=images&format=jsonl")
    assert answer.headers["content-disposition"] == 'attachment; filename="images.jsonl"'
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert sorted(row["image_id"] for row in rows) == sorted(ids.values())
    table = list(csv.DictReader(io.StringIO(client.get("/api/v1/exports?of=regions&format=csv").text)))
    listed = pages(client, "/api/v1/regions", "regions")
    assert [int(row["region_id"]) for row in table] == [one["region_id"] for one in listed]
    assert client.get("/api/v1/exports?of=captions&q=a dog").status_code == 400
    assert client.get("/api/v1/exports?of=texts&format=csv").text.count("\n") == 1
