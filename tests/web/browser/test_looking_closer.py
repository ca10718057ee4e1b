"""Where words are in a picture, asked in the dialog: the built-in encoder over two drawn scenes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.encoders.registry import load_encoder


@pytest.fixture(scope="module")
def scenes_address(tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Iterator[str]:
    folder, home = tmp_path_factory.mktemp("scenes"), tmp_path_factory.mktemp("scenes-home")
    for seed in (8, 11):
        render(generate_scene(seed, "test"), 256).image.save(folder / f"{seed:02}.png")
    with Library.open(home, create=True) as library:
        index_paths(library, load_encoder("storybook-encoder", threads=1), [folder], IndexOptions(decode_workers=1))
    with start_server(home) as (address, _):
        yield address


def test_a_heat_map_is_laid_over_the_picture_that_is_open(open_visit: Any, scenes_address: str) -> None:
    with open_visit(scenes_address) as visit:
        page = visit.go("/search?q=a+blue+boat&beyond=true")
        page.locator(".tile .frame").first.click()
        article = page.locator("#viewer-dialog[open] .viewer")
        article.locator("#heat").fill("a boat")
        article.locator("#heat").press("Enter")
        page.locator("#viewer-dialog[open] .stage img.heat").wait_for()
        assert "heat=a+boat" in visit.path
        assert "n=1" in visit.path
        assert "largest here" in article.locator(".scale").inner_text()
        page.locator("#viewer-dialog .parts .off").click()
        page.locator("#viewer-dialog[open] .stage img.heat").wait_for(state="detached")
        page.keyboard.press("Escape")
        page.locator("#viewer-dialog[open]").wait_for(state="detached")
        assert visit.path == "/search?q=a+blue+boat&beyond=true", "one step back, however much was asked of the picture"
        assert visit.complaints == []
