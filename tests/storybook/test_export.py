"""Export: a gallery on disk has the documented form and equal bytes for equal plans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from storybook.export import ANNOTATIONS, GalleryError, GalleryPlan, export_gallery
from storybook.language import LANGUAGES
from vision.types import Box


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_equal_plans_write_equal_bytes_with_one_worker_or_two(tmp_path: Path) -> None:
    export_gallery(tmp_path / "a", GalleryPlan(5, seed=7, size_px=96))
    export_gallery(tmp_path / "b", GalleryPlan(5, seed=7, size_px=96, workers=2))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert len(contents(tmp_path / "a")) == 6


@pytest.mark.parametrize("file_format", ["png", "jpg"])
def test_every_line_describes_one_picture_with_boxes_inside_it(tmp_path: Path, file_format: str) -> None:
    plan = GalleryPlan(12, size_px=128, languages=LANGUAGES, file_format=file_format)
    annotations = export_gallery(tmp_path, plan)
    rows = [json.loads(line) for line in annotations.read_text(encoding="utf-8").splitlines()]
    assert [row["file"] for row in rows] == [f"scene-{n:04d}.{file_format}" for n in range(1, 13)]
    for row in rows:
        with Image.open(tmp_path / row["file"]) as image:
            assert image.size == (row["width"], row["height"]) == (128, 128)
        assert [c["language"] for c in row["captions"]] == [code for code in LANGUAGES for _ in range(2)]
        for caption in row["captions"]:
            for phrase in caption["phrases"]:
                start, end = phrase["span"]
                assert 0 <= start < end <= len(caption["text"])
                assert all(Box(*corners) for corners in phrase["boxes"])
        assert [region["box"] for region in row["regions"]] == [thing["box"] for thing in row["scene"]["things"]]


def test_progress_counts_pictures_and_the_annotations_come_last(tmp_path: Path) -> None:
    counts: list[int] = []

    def note(done: int) -> None:
        counts.append(done)
        assert not (tmp_path / ANNOTATIONS).exists()

    export_gallery(tmp_path, GalleryPlan(3, size_px=48), progress=note)
    assert counts == [1, 2, 3]
    assert (tmp_path / ANNOTATIONS).exists()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (GalleryPlan(0), "at least 1 picture"),
        (GalleryPlan(1, size_px=8), "of 32 px, got 1 of 8 px"),
        (GalleryPlan(2, seed=9_999), "the test split has the seeds 0 to 9999, got 9999 to 10000"),
        (GalleryPlan(1, seed=-1), "got -1 to -1"),
        (GalleryPlan(1, languages=("en", "tlh")), "does not speak tlh"),
    ],
)
def test_a_plan_that_cannot_be_drawn_is_refused(tmp_path: Path, plan: GalleryPlan, message: str) -> None:
    with pytest.raises(GalleryError, match=message):
        export_gallery(tmp_path, plan)
    assert not list(tmp_path.iterdir())
