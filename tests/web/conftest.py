"""A small real library behind the real application: drawn pictures, colour encoder, captions, boxes, hostile names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from PIL import Image as Pictures
from PIL import ImageDraw
from sqlalchemy import select
from starlette.testclient import TestClient

from indexer.embed_regions import embed_regions
from indexer.embed_texts import embed_texts
from indexer.pipeline import index_paths
from indexer.report import silent
from indexer.writer import Writer
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import File
from search.library import Library
from search.settings import Settings
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region, Span
from web.app import create_app

ROOT = Path(__file__).resolve().parents[2]

HOSTILE_NAME = '<img src=x onerror=alert(1)>".png'
HOSTILE_CAPTION = '<script>alert("caption")</script> & a <b>purple</b> thing'
RED_BOX = Box(0.25, 0.2, 0.75, 0.6)

StartServer = Callable[[Path], AbstractContextManager[tuple[str, subprocess.Popen[str]]]]

SERVE = """
import sys
from pathlib import Path
from search.settings import Settings
from web.server import serve
serve(Settings(home=Path(sys.argv[1]), port=int(sys.argv[2]), threads=1), on_listening=lambda at: print(at, flush=True))
"""

COLOURS = {
    "red.png": ("red", (640, 400)),
    "orange.jpg": ("orange", (400, 640)),
    "yellow.png": ("yellow", (300, 300)),
    "green.jpg": ("green", (500, 333)),
    "blue.png": ("blue", (333, 500)),
    "pink.webp": ("pink", (800, 200)),
    "brown.png": ("brown", (120, 900)),
    "black.png": ("black", (64, 48)),
    "white.png": ("white", (48, 64)),
    HOSTILE_NAME: ("purple", (200, 150)),
    "שלום עולם.png": ("gray", (150, 150)),
    os.fsdecode(b"caf\xe9 \xff.png"): ("navy", (160, 120)),  # Latin-1 bytes: not UTF-8
}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve pictures, each in one colour with a box in its middle."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, (colour, (width, height)) in COLOURS.items():
        picture = Pictures.new("RGB", (width, height), colour)
        drawing = ImageDraw.Draw(picture)
        drawing.rectangle((width * 0.4, height * 0.4, width * 0.6, height * 0.6), fill="white")
        # Pillow names files in UTF-8 only; the operating system does not care.
        with open(os.fsencode(folder / name), "wb") as file:
            picture.save(file, {".jpg": "JPEG", ".webp": "WEBP"}.get(Path(name).suffix, "PNG"))
    return folder


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """The home of a library that holds `pictures`, with captions and boxes on three of them."""
    folder = tmp_path_factory.mktemp("home")
    encoder = ColourEncoder()
    with Library.open(folder, create=True) as library:
        report = index_paths(library, encoder, [pictures])
        assert report.embedded == len(COLOURS)
        with library.write() as session:
            ids = {file.name: file.image_id for file in session.scalars(select(File))}
            for name, captions, loose in _annotations():
                add_annotations(session, ids[name] or 0, captions, loose, "import")
            model = library.active_model(session)
            assert model is not None
            session.expunge(model)
        with library.exclusive():
            embed_texts(library, model, Writer(library, model, encoder), silent)
            library.vectors.publish(model.id, "image")
            library.vectors.publish(model.id, "text")
            assert embed_regions(library, model, Writer(library, model, encoder), silent).embedded == 5
    return folder


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    """Settings that point at `home`, with small limits."""
    return Settings(home=home, upload_bytes=2_000_000, threads=1, decode_workers=2)


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    """The application as a server runs it, started and stopped."""
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="session")
def ids(client: TestClient) -> dict[str, int]:
    """Ids of the pictures by the stem of their file name."""
    hits = client.get("/api/v1/search", params={"q": "red", "k": 100}).json()["hits"]
    return {Path(hit["path"]).stem: hit["image_id"] for hit in hits}


@pytest.fixture(scope="session")
def start_server() -> StartServer:
    """Run the real server over a home; gives its address and its process."""
    return _running_server


@pytest.fixture
def empty_client(tmp_path: Path) -> Iterator[TestClient]:
    """The application where nothing has ever been indexed."""
    with TestClient(create_app(Settings(home=tmp_path / "nothing")), base_url="http://localhost") as client:
        yield client


@contextmanager
def _running_server(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(home), str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            if process.poll() is None:
                process.terminate()  # its worker ends with it, which it would not if it were killed
                process.communicate(timeout=30)


def _annotations() -> list[tuple[str, list[CaptionFact], list[Region]]]:
    red = CaptionFact(
        "A red wall with a white box.",
        "en",
        (Region("A red wall", Box(0, 0, 1, 1), Span(0, 10)), Region("a white box", RED_BOX, Span(16, 27))),
    )
    blue = CaptionFact("כחול blue", "he", (Region("כחול", Box(0.1, 0.1, 0.2, 0.2), Span(0, 4)),))
    hostile = CaptionFact(HOSTILE_CAPTION, None, (Region("<b>purple</b> thing", Box(0.5, 0.5, 1, 1), Span(38, 57)),))
    return [
        ("red.png", [red], [Region("box", RED_BOX)]),
        ("blue.png", [blue], []),
        (HOSTILE_NAME, [hostile], [Region("\"><script>alert('region')</script>", Box(0, 0, 0.1, 0.1))]),
    ]
