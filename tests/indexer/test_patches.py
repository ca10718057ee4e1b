"""Patches that `index` keeps: made once, made again after damage, gone with their picture, and a part of hits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.forget import forget
from indexer.pipeline import IndexOptions, index_paths
from indexer.report import PatchReport
from search.library import Library
from search.maintenance import rebuild, verify
from search.previews import GALLERY_PX, PreviewStore
from search.results import PATCHES, SearchRequest
from search.service import SearchService
from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.errors import NoHeatMapError
from vision.looks import WHOLE, WITH_PARTS

SEEDS = range(40)
KEEP = IndexOptions(decode_workers=1, looks=WHOLE)
AS_BEFORE = replace(KEEP, looks=None)


@pytest.fixture(scope="module")
def storybook() -> Encoder:
    return load_encoder("storybook-encoder", threads=1)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, storybook: Encoder) -> Path:
    """A folder with drawn pictures and a home whose library keeps their patches."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "pictures").mkdir()
    for seed in SEEDS:
        render(generate_scene(seed, "test"), 192).image.save(folder / "pictures" / f"{seed}.png")
    with Library.open(folder / "home", create=True) as library:
        report = index_paths(library, storybook, [folder / "pictures"], KEEP)
    assert report.patches is not None
    assert (report.patches.looks, report.patches.pictures, report.patches.made) == (WHOLE, len(SEEDS), len(SEEDS))
    return folder


@pytest.fixture
def library(drawn: Path, tmp_path: Path) -> Iterator[Library]:
    shutil.copytree(drawn, tmp_path, dirs_exist_ok=True)
    with Library.open(tmp_path / "home", create=True) as library:
        yield library


def again(library: Library, encoder: Encoder, options: IndexOptions = AS_BEFORE) -> PatchReport:
    report = index_paths(library, encoder, [], options)
    assert report.patches is not None
    return report.patches


def test_a_second_run_makes_none_and_more_looks_make_all_again(library: Library, storybook: Encoder) -> None:
    once = again(library, storybook)
    assert (once.made, once.pictures) == (0, len(SEEDS))
    finer = again(library, storybook, replace(KEEP, looks=WITH_PARTS))
    assert (finer.looks, finer.made) == (WITH_PARTS, len(SEEDS))
    assert finer.bytes > 4.9 * once.bytes
    assert again(library, storybook).made == 0
    assert verify(library).findings == []


def test_damaged_and_stray_patches_are_found_removed_and_made_again(library: Library, storybook: Encoder) -> None:
    files = [path for path, _, _ in library.patches.store.files()]
    files[0].write_bytes(files[0].read_bytes()[:-1])
    files[1].rename(files[1].with_name("00" * 32 + files[1].name[64:]))
    assert verify(library).codes == {"patches_damaged", "stray_patches"}
    assert rebuild(library).patches == 2
    assert again(library, storybook).made == 2
    assert verify(library).findings == []


def test_patches_go_with_their_picture_and_with_the_wish(library: Library, storybook: Encoder, drawn: Path) -> None:
    assert len(list(library.patches.store.files())) == len(SEEDS)
    forget(library, [drawn / "pictures" / "3.png"])
    assert len(list(library.patches.store.files())) == len(SEEDS) - 1
    assert index_paths(library, storybook, [], replace(KEEP, looks=0)).patches is None
    assert not library.patches.store.folder.exists()
    assert index_paths(library, storybook, [], AS_BEFORE).patches is None


def test_a_picture_without_preview_waits_and_says_so(library: Library, storybook: Encoder) -> None:
    path, sha256, _ = next(library.patches.store.files())
    path.unlink()
    assert sha256 is not None
    PreviewStore(library.home).path(sha256, GALLERY_PX).unlink()
    report = again(library, storybook)
    assert (report.made, report.without_preview) == (0, 1)


def test_an_encoder_without_patches_is_refused_before_anything_is_done(library: Library) -> None:
    with pytest.raises(NoHeatMapError):
        index_paths(library, ColourEncoder(), [], replace(KEEP, replace_model=True))
    moved = index_paths(library, ColourEncoder(), [], replace(AS_BEFORE, replace_model=True))
    assert (moved.embedded, moved.patches) == (len(SEEDS), None)  # and no patches stand in its way


def test_patches_take_part_in_hits_and_draw_boxes_on_sure_ones(library: Library, storybook: Encoder) -> None:
    service = SearchService(library, storybook)
    boxed = 0
    for colour, kind in [("red", "car"), ("blue", "boat"), ("green", "tree"), ("yellow", "duck"), ("brown", "house")]:
        hits = service.search(SearchRequest(text=f"a {colour} {kind}", k=len(SEEDS))).hits
        assert any("patches" in hit.parts for hit in hits)
        for hit in hits:
            assert not hit.regions or (hit.likely and hit.regions[0].source == PATCHES)
            boxed += bool(hit.regions)
    assert 0 < boxed < 2 * len(SEEDS)
    counted = service.search(SearchRequest(text="two cars", k=9)).hits
    assert not any(hit.regions for hit in counted)  # patches cannot count


def test_a_picture_without_patches_neither_sinks_nor_rises(library: Library, storybook: Encoder) -> None:
    request = SearchRequest(text="a red car", k=len(SEEDS))
    first, *_ = SearchService(library, storybook).search(request).hits
    library.patches.store.path(first.sha256, storybook.facts.identity).unlink()
    library.patches.forget_sample()
    hits = SearchService(library, storybook).search(request).hits
    (now,) = [hit for hit in hits if hit.image_id == first.image_id]
    assert "patches" not in now.parts
    assert now.rank <= 5
