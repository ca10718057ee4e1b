"""The captioner that ships, at a few scenes: it names, points, answers, and its attention lies where its words are."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image

from storybook.drawing import render
from storybook.evaluate_captioner import evaluate_captioner
from storybook.evaluate_looking import point_by_attention
from storybook.language import LANGUAGES
from storybook.scenes import generate_scene
from storybook.sheet import main
from vision.grounding.base import GroundedCaptioner
from vision.grounding.registry import load_captioner
from vision.grounding.seeing import SeeingCaptioner


@pytest.fixture(scope="module")
def captioner() -> GroundedCaptioner:
    return load_captioner("storybook-captioner", threads=1)


def test_the_shipped_captioner_names_points_and_answers(captioner: GroundedCaptioner) -> None:
    """Its figures of 1,000 scenes stand in the model card; a few scenes are left a wide margin."""
    figures = evaluate_captioner(captioner, scenes=16)
    assert figures["named_precision"] > 70
    assert figures["named_recall"] > 65
    assert figures["pointing_iou50"] > 60
    assert figures["questions_right"] > 70


def test_the_attention_of_its_words_lies_on_what_they_name(captioner: GroundedCaptioner) -> None:
    figures = point_by_attention(cast(SeeingCaptioner, captioner), scenes=8)
    assert figures["phrases"] > 10
    assert figures["own_box"] > 60
    assert figures["chance"] < 30


def test_it_writes_in_every_language_of_the_storybook(captioner: GroundedCaptioner) -> None:
    picture = np.asarray(render(generate_scene(3, "test", False), 256).image)
    written = {language: captioner.caption([picture], language=language)[0] for language in LANGUAGES}
    assert set(captioner.facts.languages) == set(LANGUAGES)
    assert len({caption.text for caption in written.values()}) == len(LANGUAGES)
    assert all(caption.regions and caption.complete for caption in written.values())


def test_what_is_in_a_box_is_described_in_words(captioner: GroundedCaptioner) -> None:
    scene = generate_scene(3, "test", True)
    drawn = render(scene, 256)
    described = captioner.describe([np.asarray(drawn.image)], [drawn.things[0].box])[0]
    assert described.text
    assert described.regions[0].box == drawn.things[0].box


def test_a_sheet_shows_the_scenes_with_the_captioners_boxes(tmp_path: Path) -> None:
    assert main([str(tmp_path / "sheet.png"), "--scenes", "2"]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 248 + 8, 240 + 50 + 16)
        assert len(sheet.crop((0, 0, 500, 250)).getcolors(1 << 20) or []) > 100
