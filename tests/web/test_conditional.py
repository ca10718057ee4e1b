"""Nothing is sent twice or whole where a client asks for less; what it gets then is right to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from web.sending import _takes_gzip

RANGES = [
    # header, first and last byte that come; None for the whole
    ("bytes=0-9", (0, 9)),
    ("bytes=5-", (5, None)),
    ("bytes=-7", (-7, None)),
    ("bytes=0-99999999", (0, None)),
    ("bytes=9-5", None),
    ("bytes=0-1,4-5", None),
    ("bytes=a-b", None),
    ("items=0-1", None),
    ("bytes=-", None),
]


@pytest.mark.parametrize(("header", "part"), RANGES)
@pytest.mark.parametrize("name", ["original", "gallery.webp"])
def test_a_range_is_that_part(
    client: TestClient, ids: dict[str, int], name: str, header: str, part: tuple[int, int | None] | None
) -> None:
    address = f"/media/{ids['orange']}/{name}"
    whole = client.get(address).content
    answer = client.get(address, headers={"Range": header})
    if part is None:
        assert (answer.status_code, answer.content) == (200, whole)
        return
    first, last = part
    expected = whole[first:] if last is None else whole[first : last + 1]
    assert (answer.status_code, answer.content) == (206, expected)
    start = len(whole) - len(expected) if first < 0 else first
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize("name", ["original", "page.webp"])
def test_a_range_outside_is_a_problem_with_the_size(client: TestClient, ids: dict[str, int], name: str) -> None:
    address = f"/media/{ids['orange']}/{name}"
    size = len(client.get(address).content)
    for header in (f"bytes={size}-", "bytes=-0"):
        answer = client.get(address, headers={"Range": header})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{size}"
        assert answer.json()["type"] == "urn:deixis:problem:range-not-satisfiable"


def test_a_range_of_another_form_is_the_whole(client: TestClient, ids: dict[str, int]) -> None:
    address = f"/media/{ids['orange']}/original"
    etag = client.get(address).headers["etag"]
    same = client.get(address, headers={"Range": "bytes=0-1", "If-Range": etag})
    other = client.get(address, headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_an_original_that_is_known_is_not_sent_again(client: TestClient, ids: dict[str, int]) -> None:
    address = f"/media/{ids['orange']}/original"
    etag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


def test_json_that_is_known_is_not_sent_again(client: TestClient, ids: dict[str, int]) -> None:
    for address in (f"/api/v1/images/{ids['red']}", "/api/v1/images?k=3", "/api/v1/openapi.json"):
        first = client.get(address)
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), address
        assert client.get(address, headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_texts_are_compressed_and_media_are_not(client: TestClient, ids: dict[str, int]) -> None:
    for address in ("/api/v1/openapi.json", "/", "/static/base.css"):
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip", address
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content
        assert "Accept-Encoding" in packed.headers["vary"] and "Accept-Encoding" in plain.headers["vary"]  # noqa: PT018
        assert int(packed.headers["content-length"]) < len(plain.content) / 2
    for address in (f"/media/{ids['red']}/page.webp", f"/media/{ids['red']}/original", "/healthz"):
        assert "content-encoding" not in client.get(address, headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize(
    ("header", "takes"),
    [("", False), ("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("*", True), ("*;q=0", False),
     ("identity", False), ("gzip;q=x", False), ("br", False)],
)  # fmt: skip
def test_encodings_are_read_as_rfc_9110_says(header: str, takes: bool) -> None:
    assert _takes_gzip(header) is takes


def test_static_files_are_asked_for_again_and_not_sent(client: TestClient) -> None:
    first = client.get("/static/base.css", headers={"Accept-Encoding": "gzip"})
    again = client.get("/static/base.css", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_the_original_of_a_range_is_still_checked(client: TestClient, pictures: Path, ids: dict[str, int]) -> None:
    kept = (pictures / "green.jpg").read_bytes()
    try:
        (pictures / "green.jpg").write_bytes(kept[:-1] + b"x")
        answer = client.get(f"/media/{ids['green']}/original", headers={"Range": "bytes=0-1"})
        assert answer.status_code == 410
    finally:
        (pictures / "green.jpg").write_bytes(kept)
