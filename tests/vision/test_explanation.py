"""Explanations: the parts of a caption or query with their maps, from a small captioner and a real small encoder."""

from __future__ import annotations

import numpy as np
import pytest

from storybook.drawing import Rendered, render
from storybook.scenes import generate_scene
from tests.vision.grounding.conftest import save_captioner
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.errors import ModelError, NoHeatMapError
from vision.explanation import explain_caption, explain_query, explain_text
from vision.grounding.errors import LanguageError, PromptError
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.localize import peak
from vision.overlay_images import WHOLE_PICTURE
from vision.types import RgbImage, Span

BRIEF = {"max_position_embeddings": 48}
"""So little room that random weights, which never end, write a few words and no more."""


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Kosmos2Captioner:
    return Kosmos2Captioner(save_captioner(tmp_path_factory.mktemp("captioner"), **BRIEF), name="tiny", threads=1)


@pytest.fixture(scope="module")
def scene() -> Rendered:
    """A green bicycle at a harbour, and nothing else."""
    return render(generate_scene(8, "test"), 256)


@pytest.fixture(scope="module")
def picture(scene: Rendered) -> RgbImage:
    return np.asarray(scene.image)


def test_a_caption_has_a_map_for_each_of_its_words(captioner: Kosmos2Captioner, picture: RgbImage) -> None:
    explanation = explain_caption(captioner, picture)
    assert (explanation.kind, explanation.model, explanation.covers) == ("attention", "tiny", WHOLE_PICTURE)
    assert len(explanation.words) >= len(explanation.text.split()), "each Chinese character is a word"
    for word in explanation.words:
        assert explanation.text[word.span.start : word.span.end] == word.text
        assert word.heat.sum() == pytest.approx(1, abs=1e-4)
        assert (word.scale.low, word.scale.high) == (0, pytest.approx(float(word.heat.max())))
        assert word.off_picture is not None
        assert word.off_patches is not None
        assert 0 <= word.off_picture <= 1
        assert 0 <= word.off_patches <= 1


def test_a_given_text_is_looked_up_word_by_word(captioner: Kosmos2Captioner, picture: RgbImage) -> None:
    explanation = explain_text(captioner, picture, "a red dog")
    assert [word.text for word in explanation.words] == ["a", "red", "dog"]


@pytest.mark.parametrize("text", ["", "  ", "a <phrase> b", "</s>"])
def test_a_text_that_cannot_be_put_to_the_captioner_is_refused(
    captioner: Kosmos2Captioner, picture: RgbImage, text: str
) -> None:
    with pytest.raises(PromptError):
        explain_text(captioner, picture, text)


def test_a_language_that_the_captioner_lacks_is_refused(captioner: Kosmos2Captioner, picture: RgbImage) -> None:
    with pytest.raises(LanguageError):
        explain_caption(captioner, picture, language="tlh")


def test_a_query_is_found_as_a_whole_and_by_its_parts(scene: Rendered, picture: RgbImage) -> None:
    query = "a green bicycle at a harbour"
    parts = [Span(0, 15), Span(2, 7), Span(8, 15), Span(19, 28)]
    explanation = explain_query(load_encoder("storybook-encoder", threads=1), picture, query, parts)
    assert [word.text for word in explanation.words] == [query, "a green bicycle", "green", "bicycle", "a harbour"]
    assert [word.span for word in explanation.words] == [Span(0, 28), *parts]
    box = scene.things[0].box
    for word in explanation.words[1:4:2]:
        x, y = peak(word.heat, explanation.covers)
        assert box.x0 < x < box.x1
        assert box.y0 < y < box.y1
    assert {word.off_picture for word in explanation.words} == {None}


def test_an_encoder_without_patches_is_refused(picture: RgbImage) -> None:
    with pytest.raises(NoHeatMapError, match="colour"):
        explain_query(ColourEncoder(), picture, "red")


class Blind:
    """A captioner that writes and shows nothing of its looking."""

    def __init__(self, captioner: Kosmos2Captioner) -> None:
        self.facts = captioner.facts
        self.caption, self.samples, self.ground = captioner.caption, captioner.samples, captioner.ground
        self.refer, self.describe = captioner.refer, captioner.describe
        self.ask, self.score = captioner.ask, captioner.score


def test_a_captioner_that_cannot_show_its_looking_is_refused(captioner: Kosmos2Captioner, picture: RgbImage) -> None:
    with pytest.raises(ModelError, match="tiny cannot show where it looks"):
        explain_caption(Blind(captioner), picture)
