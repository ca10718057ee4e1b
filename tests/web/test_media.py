"""Previews and originals: made once, kept by browsers, never anything but the picture that was indexed."""

from __future__ import annotations

import io
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Pictures
from starlette.testclient import TestClient

from indexer.pipeline import index_paths
from search.library import Library
from search.previews import unsealed
from search.settings import Settings
from vision.encoders.colour import ColourEncoder
from web.app import create_app
from web.conditional import FOREVER, etag_matches
from web.templating import preview_url


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with one picture, which the test may spoil."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    Pictures.new("RGB", (2000, 1000), "red").save(folder / "only.png")
    return folder


@pytest.fixture
def own_client(tmp_path: Path, shelf: Path) -> Iterator[TestClient]:
    """A library of that folder, without any preview yet."""
    home = tmp_path / "home"
    with Library.open(home, create=True) as library:
        index_paths(library, ColourEncoder(), [shelf])
    shutil.rmtree(home / "previews", ignore_errors=True)
    with TestClient(create_app(Settings(home=home, threads=1)), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize(("name", "longest_px"), [("gallery", 512), ("page", 1600)])
def test_a_missing_preview_is_made_and_kept(own_client: TestClient, tmp_path: Path, name: str, longest_px: int) -> None:
    answer = own_client.get(f"/media/1/{name}")
    assert answer.headers["content-type"] == "image/jpeg"
    picture = Pictures.open(io.BytesIO(answer.content))
    assert (picture.format, picture.size) == ("JPEG", (longest_px, longest_px // 2))
    (stored,) = (tmp_path / "home" / "previews").rglob(f"*-{longest_px}.jpg")
    assert unsealed(stored.read_bytes()) == answer.content


@pytest.mark.parametrize("spoilt", [b"", b"RIFF", "cut", "flipped"])
def test_a_damaged_preview_is_made_again(own_client: TestClient, tmp_path: Path, spoilt: bytes | str) -> None:
    whole = own_client.get("/media/1/gallery").content
    (stored,) = (tmp_path / "home" / "previews").rglob("*-512.jpg")
    before = stored.read_bytes()
    flipped = before[:60] + bytes([before[60] ^ 4]) + before[61:]
    stored.write_bytes({"cut": before[:-30], "flipped": flipped}.get(str(spoilt), spoilt))  # type: ignore[arg-type]
    assert own_client.get("/media/1/gallery").content == whole
    assert stored.read_bytes() == before


def test_many_readers_of_one_missing_preview_get_the_same_bytes(own_client: TestClient) -> None:
    answers: list[bytes] = []
    readers = [
        threading.Thread(target=lambda: answers.append(own_client.get("/media/1/page").content)) for _ in range(8)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_a_known_preview_is_not_sent_again(client: TestClient, ids: dict[str, int]) -> None:
    address = f"/media/{ids['red']}/gallery"
    first = client.get(address)
    sha256 = client.get(f"/api/v1/images/{ids['red']}").json()["sha256"]
    assert first.headers["etag"] == f'"{sha256}-512"'
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(address, headers={"if-none-match": '"another"'}).status_code == 200


def test_only_an_address_with_the_content_in_it_is_kept_for_good(client: TestClient, ids: dict[str, int]) -> None:
    sha256 = client.get(f"/api/v1/images/{ids['red']}").json()["sha256"]
    lasting = client.get(preview_url(ids["red"], sha256, "gallery"))
    assert lasting.headers["cache-control"] == FOREVER == "private, max-age=31536000, immutable"
    for address in (f"/media/{ids['red']}/gallery", f"/media/{ids['red']}/gallery?v=0123"):
        assert client.get(address).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b","c"', False),
        ("*", True),
        ("a", False),
        ('"a', False),
    ],
)
def test_entity_tags_are_compared_as_rfc_9110_says(header: str, matches: bool) -> None:
    assert etag_matches(header, '"a"') is matches


def test_a_vanished_file_is_gone_and_not_an_internal_error(own_client: TestClient, shelf: Path) -> None:
    (shelf / "only.png").unlink()
    for name in ("gallery", "page", "original"):
        answer = own_client.get(f"/media/1/{name}")
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:deixis:problem:original-gone"
        assert "deixis index" in answer.json()["remedy"]


def test_a_replaced_file_is_never_passed_off_as_the_picture(own_client: TestClient, shelf: Path) -> None:
    Pictures.new("RGB", (30, 30), "blue").save(shelf / "only.png")
    assert own_client.get("/media/1/page").status_code == 410
    assert own_client.get("/media/1/original").status_code == 410


def test_a_link_to_a_secret_is_never_followed_to_its_content(
    own_client: TestClient, shelf: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (shelf / "only.png").unlink()
    (shelf / "only.png").symlink_to(secret)
    answer = own_client.get("/media/1/original")
    assert answer.status_code == 410
    assert "secret" not in answer.text


def test_a_pipe_in_the_place_of_a_picture_blocks_nobody(own_client: TestClient, shelf: Path) -> None:
    (shelf / "only.png").unlink()
    os.mkfifo(shelf / "only.png")
    assert own_client.get("/media/1/original").status_code == 410


def test_an_original_is_a_download_with_its_own_bytes(client: TestClient, ids: dict[str, int], pictures: Path) -> None:
    answer = client.get(f"/media/{ids['orange']}/original")
    assert answer.content == (pictures / "orange.jpg").read_bytes()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "attachment; filename=\"orange.jpg\"; filename*=UTF-8''orange.jpg"


def test_no_file_name_breaks_out_of_its_header(client: TestClient, ids: dict[str, int]) -> None:
    for image_id in ids.values():
        disposition = client.get(f"/media/{image_id}/original").headers["content-disposition"]
        assert disposition.isascii()
        assert disposition.startswith('attachment; filename="')
        assert disposition.count('"') == 2


def test_head_answers_like_get_without_a_body(client: TestClient, ids: dict[str, int]) -> None:
    for address in ("/", "/healthz", f"/media/{ids['red']}/gallery", "/static/base.css"):
        head, get = client.head(address), client.get(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


def test_where_previews_were_leads_to_where_they_are(own_client: TestClient) -> None:
    for name in ("gallery", "page"):
        answer = own_client.get(f"/media/1/{name}.webp?v=0123", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (308, f"{name}?v=0123")
        assert own_client.get(f"/media/1/{name}.webp").content == own_client.get(f"/media/1/{name}").content
