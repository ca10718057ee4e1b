"""Boxes get the vector of what they show: once each, resumably, and it leaves with the last of its boxes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from sqlalchemy import func, select

from indexer.caption import CaptionOptions, caption_library
from indexer.forget import forget
from indexer.importers import import_annotations
from indexer.pipeline import IndexOptions, index_paths
from search.db.annotations import add_annotations
from search.db.schema import Embedding, File, Image, Region, Segment
from search.library import Library
from search.maintenance import rebuild, verify
from search.previews import GALLERY_PX, PreviewStore
from search.service import SearchService
from search.sources import forget_source
from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.errors import ModelError
from vision.grounding.registry import load_captioner
from vision.types import Box, Embeddings, RgbImage
from vision.types import Region as RegionFact

Draw = Callable[..., Path]
OPTIONS = IndexOptions(decode_workers=1)
LEFT, RIGHT = Box(0.0, 0.0, 0.5, 1.0), Box(0.5, 0.0, 1.0, 1.0)


class FailsOnBlueCrops(ColourEncoder):
    """Fails on every batch with a crop that is blue in its middle."""

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        if any(image[len(image) // 2, image.shape[1] // 2, 2] > 200 for image in images):
            raise RuntimeError("too blue")
        return super().encode_images(images)


class Stopped(ColourEncoder):
    """Its process is stopped at the second batch of crops."""

    batches = 0

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        self.batches += 1
        if self.batches > 1:
            raise KeyboardInterrupt
        return super().encode_images(images)


@pytest.fixture
def halves(library: Library, draw: Draw, pictures: Path) -> Library:
    """Two pictures: red on the left and blue on the right, and all green."""
    both = Pictures.new("RGB", (80, 40), (214, 39, 40))
    both.paste((40, 90, 250), (40, 0, 80, 40))
    both.save(pictures / "both.png")
    draw("green.png", "green", (50, 30))
    index_paths(library, ColourEncoder(), [pictures], OPTIONS)
    return library


def annotate(tmp_path: Path, file: str, *regions: tuple[str, Box]) -> Path:
    path = tmp_path / f"{file}.jsonl"
    boxes: list[dict[str, Any]] = [{"phrase": phrase, "box": list(box.as_xyxy())} for phrase, box in regions]
    path.write_text(json.dumps({"file": file, "regions": boxes}))
    return path


def counts(library: Library) -> tuple[int, int]:
    """Boxes, and vectors of boxes."""
    with library.read() as session:
        owned = select(func.count()).where(Embedding.region_id.is_not(None))
        return session.scalar(select(func.count(Region.id))) or 0, session.scalar(owned) or 0


def vector_of(library: Library, box: Box) -> np.ndarray[Any, Any]:
    with library.read() as session:
        query = select(Embedding.id).join(Region, Region.id == Embedding.region_id)
        embedding_id = session.scalars(query.where(Region.x0 == box.x0, Region.x1 == box.x1)).one()
    return library.vectors.fetch([embedding_id])[0]


def test_a_box_gets_one_vector_however_many_phrases_name_it(halves: Library, tmp_path: Path) -> None:
    file = annotate(tmp_path, "both.png", ("sea", RIGHT), ("water", RIGHT), ("brick", LEFT))
    report = import_annotations(halves, ColourEncoder(), [file])
    assert (report.regions, report.regions_embedded, report.skipped) == (3, 2, [])
    assert counts(halves) == (3, 2)
    blue, red = ColourEncoder().encode_text(["blue", "red"])
    assert vector_of(halves, RIGHT) @ blue > vector_of(halves, LEFT) @ blue
    assert vector_of(halves, LEFT) @ red > vector_of(halves, RIGHT) @ red
    assert SearchService(halves, ColourEncoder()).status().published["region"] == 2
    assert import_annotations(halves, ColourEncoder(), [file]).regions_embedded == 0
    checked = verify(halves)
    assert checked.findings == []
    assert (checked.checked["boxes_without_vector"], checked.checked["dead_embeddings"]) == (0, 0)


def test_index_looks_at_the_boxes_that_have_no_vector(halves: Library) -> None:
    with halves.write() as session:
        image_id = session.scalars(select(File.image_id).where(File.name == "both.png")).one()
        assert image_id is not None
        add_annotations(session, image_id, (), [RegionFact("sea", RIGHT)], "kosmos2:0")
    report = index_paths(halves, ColourEncoder(), [], OPTIONS)
    assert (report.boxes.embedded, report.boxes.without_preview, report.boxes.refused) == (1, 0, [])
    assert index_paths(halves, ColourEncoder(), [], OPTIONS).boxes.embedded == 0
    assert verify(halves).findings == []


def test_boxes_of_the_caption_pass_get_vectors(library: Library, pictures: Path) -> None:
    for seed in (2, 3):
        render(generate_scene(seed, "test", False), 256).image.save(pictures / f"{seed}.png")
    encoder, captioner = load_encoder("storybook-encoder", threads=1), load_captioner("storybook-captioner", threads=1)
    index_paths(library, encoder, [pictures], OPTIONS)
    report = caption_library(library, encoder, captioner, CaptionOptions(batch_size=2))
    with library.read() as session:
        places = session.execute(select(Region.image_id, Region.x0, Region.y0, Region.x1, Region.y1).distinct()).all()
    assert report.regions > 1
    assert (report.boxes.embedded, report.boxes.refused) == (len(places), [])
    assert counts(library) == (report.regions, len(places))
    assert verify(library).checked["boxes_without_vector"] == 0


def test_a_crop_on_which_the_encoder_fails_costs_that_crop(halves: Library, tmp_path: Path) -> None:
    file = annotate(tmp_path, "both.png", ("brick", LEFT), ("sea", RIGHT))
    report = import_annotations(halves, FailsOnBlueCrops(), [file])
    assert (report.regions_embedded, [record.code for record in report.skipped]) == (1, ["not_embedded"])
    assert index_paths(halves, ColourEncoder(), [], OPTIONS).boxes.embedded == 1
    assert verify(halves).findings == []


def test_an_encoder_that_fails_on_any_crop_is_no_fault_of_the_boxes(halves: Library, tmp_path: Path) -> None:
    class Broken(ColourEncoder):
        def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
            raise ModelError("the weights are damaged")

    file = annotate(tmp_path, "both.png", ("brick", LEFT))
    with pytest.raises(ModelError, match="weights"):
        import_annotations(halves, Broken(), [file])
    assert counts(halves) == (1, 0)


def test_a_run_that_is_stopped_goes_on_where_it_was(halves: Library, tmp_path: Path) -> None:
    many = [(f"strip {number}", Box(number / 200, 0.0, number / 200 + 0.2, 1.0)) for number in range(100)]
    file = annotate(tmp_path, "both.png", *many)
    with pytest.raises(KeyboardInterrupt):
        import_annotations(halves, Stopped(), [file])
    before = counts(halves)[1]
    assert 0 < before < 100
    assert index_paths(halves, ColourEncoder(), [], OPTIONS).boxes.embedded == 100 - before
    assert counts(halves) == (100, 100)
    assert verify(halves).findings == []


def test_a_picture_without_a_preview_waits(halves: Library, tmp_path: Path) -> None:
    shutil.rmtree(halves.home / "previews")
    report = import_annotations(halves, ColourEncoder(), [annotate(tmp_path, "both.png", ("sea", RIGHT))])
    assert (report.regions, report.regions_embedded, report.skipped) == (1, 0, [])
    assert index_paths(halves, ColourEncoder(), [], OPTIONS).boxes.without_preview == 1
    checked = verify(halves)
    assert (checked.findings, checked.checked["boxes_without_vector"]) == ([], 1)


def test_a_vector_stays_as_long_as_one_source_has_its_box(halves: Library, tmp_path: Path) -> None:
    with halves.write() as session:
        image_id = session.scalars(select(File.image_id).where(File.name == "both.png")).one()
        assert image_id is not None
        machine = [RegionFact("sea", RIGHT), RegionFact("brick", LEFT)]
        add_annotations(session, image_id, (), machine, "kosmos2:0")
    import_annotations(halves, ColourEncoder(), [annotate(tmp_path, "both.png", ("water", RIGHT))])
    before = vector_of(halves, RIGHT)
    forget_source(halves, "kosmos2")
    assert counts(halves) == (1, 1)
    assert np.array_equal(vector_of(halves, RIGHT), before)
    forget_source(halves, "import")
    assert counts(halves) == (0, 0)
    assert verify(halves).findings == []


def rows_in_segments(library: Library) -> int:
    with library.read() as session:
        return session.scalar(select(func.sum(Segment.committed_rows)).where(Segment.kind == "region")) or 0


@pytest.mark.parametrize("how", ["forget", "prune", "captions forget"])
def test_erasing_a_picture_or_a_source_erases_the_vectors_of_its_boxes(
    halves: Library, pictures: Path, tmp_path: Path, how: str
) -> None:
    files = [
        annotate(tmp_path, "both.png", ("sea", RIGHT), ("brick", LEFT)),
        annotate(tmp_path, "green.png", ("lawn", LEFT)),
    ]
    import_annotations(halves, ColourEncoder(), files)
    assert rows_in_segments(halves) == 3
    if how == "forget":
        forget(halves, [pictures / "both.png"])
    elif how == "prune":
        (pictures / "both.png").unlink()
        index_paths(halves, ColourEncoder(), [], IndexOptions(decode_workers=1, prune=True))
    else:
        forget_source(halves, "import")
    left = 0 if how == "captions forget" else 1
    assert (counts(halves)[1], rows_in_segments(halves)) == (left, left)
    assert halves.vectors.searcher(1, "region").size == left
    assert verify(halves).findings == []


def test_compaction_and_rebuilding_keep_what_lives(halves: Library, tmp_path: Path) -> None:
    import_annotations(halves, ColourEncoder(), [annotate(tmp_path, "both.png", ("sea", RIGHT), ("brick", LEFT))])
    kept = vector_of(halves, RIGHT)
    shutil.rmtree(halves.vectors.generations_folder)
    report = rebuild(halves, compact=True)
    assert report.compacted.dead == report.compacted.lost == 0
    assert np.array_equal(vector_of(halves, RIGHT), kept)
    assert halves.vectors.searcher(1, "region").size == 2
    assert verify(halves).findings == []


def test_another_model_looks_at_the_boxes_again(halves: Library, tmp_path: Path) -> None:
    class Other(ColourEncoder):
        def __init__(self) -> None:
            super().__init__()
            self._facts = replace(self._facts, revision="2")

    import_annotations(halves, ColourEncoder(), [annotate(tmp_path, "both.png", ("sea", RIGHT), ("brick", LEFT))])
    report = index_paths(halves, Other(), [], IndexOptions(decode_workers=1, replace_model=True))
    assert report.boxes.embedded == 2
    assert SearchService(halves, Other()).status().published["region"] == 2
    assert verify(halves).findings == []


def test_a_preview_that_cannot_be_read_is_told_and_its_boxes_are_tried_again(halves: Library, tmp_path: Path) -> None:
    add = annotate(tmp_path, "both.png", ("left", LEFT), ("right", RIGHT))
    with halves.read() as session:
        sha256 = session.scalars(select(Image.sha256).join(File).where(File.name == "both.png")).one()
    preview = PreviewStore(halves.home).path(sha256, GALLERY_PX)
    data = preview.read_bytes()
    preview.unlink()
    preview.symlink_to(preview.name)  # opening it fails for every user
    report = import_annotations(halves, ColourEncoder(), [add])
    assert report.regions_embedded == 0
    assert {skipped.code for skipped in report.skipped} == {"preview_unreadable"}
    preview.unlink()
    preview.write_bytes(data)
    assert index_paths(halves, ColourEncoder(), [], OPTIONS).boxes.embedded == 2
