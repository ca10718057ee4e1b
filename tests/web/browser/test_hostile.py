"""Hostile text wherever a picture can bring it along, or a query: shown, and nothing of it runs or is even reported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image as Pictures
from sqlalchemy import select

from indexer.pipeline import index_paths
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import File
from search.library import Library
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region, Span

FACTOR = int(os.environ.get("DEIXIS_TEST_EXAMPLES", "1"))
"""As `tests/drawing.py`: 25 makes a thousand strings of the forty."""

SHAPES = [
    "<script>alert({n})</script>",
    "<img src=x onerror=alert({n})>",
    '"><svg onload=alert({n})>',
    "' autofocus onfocus=alert({n}) x='",
    "</title><script>alert({n})</script>",
    "<b hx-on:load='alert({n})' hx-get='/nothing' hx-trigger='load'>{n}</b>",
    "<div data-reloads data-copy=x hx-vals='js:{{a: alert({n})}}'>{n}</div>",
    "<style>*{{background:url(//evil.invalid/{n})}}</style>",
    "<iframe srcdoc='<script>alert({n})</script>'></iframe>",
    "<a href='javascript:alert({n})'>{n}</a>",
    "{{{{ 7 * {n} }}}} {{% raw %}} ${{alert({n})}}",
    "<template><script>alert({n})</script></template><!-- {n} --",
    "<base href='//evil.invalid/{n}'>",
    "\u202e{n}<meta http-equiv=refresh content='0;url=//evil.invalid/'>",
]
HOSTILE = [shape.format(n=number) for number in range(3 * FACTOR) for shape in SHAPES]


def _file_name(text: str) -> str:
    return text.replace("/", "∕").replace("\0", "")[:120] + ".png"


@pytest.fixture(scope="module")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in which file names, EXIF, captions and phrases are hostile."""
    folder, home = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("hostile-home")
    names = {_file_name(text): text for text in HOSTILE}
    for number, (name, text) in enumerate(names.items()):
        exif = Pictures.Exif()
        exif[0x010E] = text  # ImageDescription
        exif[0x0110] = text  # Model
        Pictures.new("RGB", (64, 48), (number % 256, 40, 200)).save(folder / name, exif=exif)
    with Library.open(home, create=True) as library:
        assert index_paths(library, ColourEncoder(), [folder]).embedded > 0
        with library.write() as session:
            for file in session.scalars(select(File).where(File.image_id.is_not(None))):
                text = names[file.name]
                phrase = Region(text, Box(0.1, 0.1, 0.9, 0.9), Span(0, len(text)))
                add_annotations(
                    session,
                    file.image_id or 0,
                    [CaptionFact(text, "en", (phrase,))],
                    [replace(phrase, span=None)],
                    "import",
                )
    return home


@pytest.fixture(scope="module")
def hostile_address(hostile_home: Path, start_server: Any) -> Iterator[str]:
    with start_server(hostile_home) as (address, _):
        yield address


def assert_inert(visit: Any, path: str) -> None:
    visit.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert visit.alerts == [], path
    assert visit.reports() == [], path
    assert visit.page.url.startswith(visit.address), path
    # A filter of which the value cannot be read is answered 400, and the browser notes that.
    assert [one for one in visit.complaints if "status of 400" not in one] == [], path


def test_hostile_names_facts_captions_and_phrases_do_nothing(open_visit: Any, hostile_address: str) -> None:
    with open_visit(hostile_address) as visit:
        for path in ("/", "/search?q=blue&beyond=true&k=100&filters=true"):
            page = visit.go(path)
            assert_inert(visit, path)
        page.locator(".tile .frame").first.click()
        page.locator("#viewer-dialog[open] .viewer").wait_for()
        for number in range(len(HOSTILE) if FACTOR > 1 else 14):  # one of each shape, on from picture to picture
            assert_inert(visit, f"picture {number}")
            if page.locator("#viewer-dialog .steps [rel=next]").count() == 0:
                break
            page.keyboard.press("ArrowRight")
            visit.until(
                f"location.search.includes('n={number + 2}') && document.querySelector('#viewer-dialog .steps')"
            )


@pytest.mark.parametrize("first", range(0, len(HOSTILE), 14))
def test_hostile_queries_do_nothing(open_visit: Any, hostile_address: str, first: int) -> None:
    with open_visit(hostile_address) as visit:
        for text in HOSTILE[first : first + 14]:
            path = f"/search?q={quote(text)}"
            page = visit.go(path)
            assert page.locator("#q").input_value() == text.replace("\n", "")
            assert_inert(visit, path)


def test_hostile_suggestions_are_text(open_visit: Any, hostile_address: str) -> None:
    with open_visit(hostile_address) as visit:
        page = visit.go("/")
        page.locator("#q").press_sequentially("<scr")
        page.locator("#suggestions [role=option]").first.wait_for()
        assert "<script>" in page.locator("#suggestions").inner_text()
        assert page.locator("#suggestions script").count() == 0
        assert_inert(visit, "suggestions")
