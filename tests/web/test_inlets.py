"""Pictures in archives over HTTP: shown, made smaller, handed out, and missed when their archive goes."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from deixis.cli import run
from indexer.pipeline import index_paths
from search.library import Library
from search.previews import PreviewStore
from search.settings import Settings
from vision.encoders.colour import ColourEncoder
from web.app import create_app

HOSTILE = '"><script>alert(1)<!--.png'


def picture(colour: str, width: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, 700), colour).save(file, "PNG")
    return file.getvalue()


FILES = {"beach/red.png": picture("red", 800), HOSTILE: picture("blue", 900)}


@pytest.fixture(params=["x.zip", "x.tgz"])
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / request.param
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in FILES.items():
                packed.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz") as packed_tar:
            for name, data in FILES.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                packed_tar.addfile(entry, io.BytesIO(data))
    return path


@pytest.fixture
def client(archive: Path, tmp_path: Path) -> Iterator[TestClient]:
    with Library.open(tmp_path / "home", create=True) as library:
        assert index_paths(library, ColourEncoder(), [archive]).embedded == 2
    settings = Settings(home=tmp_path / "home", threads=1, decode_workers=1)
    with TestClient(create_app(settings), base_url="http://localhost") as opened:
        yield opened


def by_name(client: TestClient, archive: Path) -> dict[str, int]:
    hits = client.get("/api/v1/search", params={"q": "red", "k": 10}).json()["hits"]
    return {hit["path"].removeprefix(f"{archive}/"): hit["image_id"] for hit in hits}


def test_members_are_shown_and_handed_out(client: TestClient, archive: Path, tmp_path: Path) -> None:
    ids = by_name(client, archive)
    assert set(ids) == set(FILES)
    for name, image_id in ids.items():
        original = client.get(f"/media/{image_id}/original")
        assert original.content == FILES[name]
        assert int(original.headers["content-length"]) == len(FILES[name])
        assert "attachment" in original.headers["content-disposition"]
        sha256 = client.get(f"/api/v1/images/{image_id}").json()["sha256"]
        PreviewStore(tmp_path / "home").discard(sha256)
        for size in ("gallery", "page"):
            preview = client.get(f"/media/{image_id}/{size}")
            assert preview.status_code == 200
            assert Image.open(io.BytesIO(preview.content)).format == "JPEG"
    page = client.get(f"/images/{ids[HOSTILE]}").text
    assert archive.name in page
    assert "<script>alert" not in page


def test_without_the_archive_the_previews_stay(client: TestClient, archive: Path, tmp_path: Path) -> None:
    ids = by_name(client, archive)
    archive.unlink()
    for image_id in ids.values():
        assert client.get(f"/media/{image_id}/gallery").status_code == 200
        assert client.get(f"/media/{image_id}/page").status_code == 410
        assert client.get(f"/media/{image_id}/original").status_code == 410


def test_another_archive_of_the_name_gives_nothing_away(client: TestClient, archive: Path) -> None:
    ids = by_name(client, archive)
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("beach/red.png", picture("green", 801))
    for image_id in ids.values():
        assert client.get(f"/media/{image_id}/original").status_code == 410
        assert client.get(f"/media/{image_id}/page").status_code != 200


def test_commands_take_an_address_in_an_archive(
    client: TestClient, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(tmp_path / "home")]
    assert run(["search", "--like", f"{archive}/beach/red.png", "-k", "1", "--json", *home]) == 0
    assert f"{archive}/beach/red.png" in capsys.readouterr().out
    assert run(["classify", f"{archive}/beach/red.png", "--labels", "red,blue", "--model", "colour", *home]) == 0
    assert run(["search", "--like", f"{archive}/beach/none.png", *home]) == 1
