"""Labels are ranked by what the model sees, and labels that cannot be told apart are refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.classify import TEMPLATES, Classifier, LabelError, fill
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.types import RgbImage


def _plain(value: str) -> RgbImage:
    colours = {"red": (214, 39, 40), "blue": (40, 90, 200)}
    return np.full((8, 8, 3), colours[value], np.uint8)


def test_the_best_label_comes_first_for_each_picture() -> None:
    encoder = ColourEncoder()
    ranked = Classifier(encoder, ["blue", "red"]).rank(encoder.encode_images([_plain("red"), _plain("blue")]))
    assert [[score.label for score in scores] for scores in ranked] == [["red", "blue"], ["blue", "red"]]


def test_a_model_without_a_scale_gives_cosines_alone() -> None:
    encoder = ColourEncoder()
    classifier = Classifier(encoder, ["red", "blue"], templates=("{}",))
    ((best, _),) = classifier.rank(encoder.encode_images([_plain("red")]))
    assert classifier.probability is None
    assert best.probability is None
    cosine = float(encoder.encode_text(["red"])[0] @ encoder.encode_images([_plain("red")])[0])
    assert best.similarity == pytest.approx(cosine, abs=1e-6)


def test_a_label_is_the_mean_of_its_sentences() -> None:
    encoder = ColourEncoder()
    sentences = encoder.encode_text(["red left", "red right"])
    expected = sentences.mean(axis=0) / np.linalg.norm(sentences.mean(axis=0))
    picture = encoder.encode_images([_plain("red")])
    ((score,),) = Classifier(encoder, ["red"], templates=("{} left", "{} right")).rank(picture)
    assert score.similarity == pytest.approx(float(expected @ picture[0]), abs=1e-6)


def test_the_shipped_encoder_names_what_drawn_scenes_show() -> None:
    encoder = load_encoder("storybook-encoder", threads=1)
    labels = ["tree", "house", "horse", "car", "aeroplane", "umbrella", "snail", "castle", "cat", "moon"]
    drawn = [generate_scene(seed, "test", True) for seed in range(60)]
    scenes = [scene for scene in drawn if scene.things[0].kind in labels][:8]
    pictures = [np.asarray(render(scene, 128).image) for scene in scenes]
    ranked = Classifier(encoder, labels).rank(encoder.encode_images(pictures))
    right = sum(scores[0].label == scene.things[0].kind for scores, scene in zip(ranked, scenes, strict=True))
    assert right >= len(scenes) - 1
    for scores in ranked:
        assert sum(score.probability or 0 for score in scores) == pytest.approx(1)


def test_no_pictures_give_no_scores() -> None:
    encoder = ColourEncoder()
    assert Classifier(encoder, ["red"]).rank(encoder.encode_images([])) == []


@pytest.mark.parametrize(
    ("template", "label", "sentence"),
    [
        ("a {}", "cat", "a cat"),
        ("a {}", "owl", "an owl"),
        ("A {}!", "Owl", "An Owl!"),
        ("a photo of a {}.", "umbrella", "a photo of an umbrella."),
        ("{}", "owl", "owl"),
        ("ein Bild: {}", "Esel", "ein Bild: Esel"),
        ("pizza {}", "oven", "pizza oven"),
    ],
)
def test_a_template_is_filled_with_the_right_article(template: str, label: str, sentence: str) -> None:
    assert fill(template, label) == sentence


@pytest.mark.parametrize(
    ("labels", "templates", "message"),
    [
        ([], TEMPLATES, "no labels"),
        (["cat", " "], TEMPLATES, "label 2 of 2 is empty"),
        ([""], TEMPLATES, "label 1 of 1 is empty"),
        (["cat", "dog", "Cat "], TEMPLATES, "'cat' comes 2 times"),
        (["cat"], (), "no templates"),
        (["cat"], ("a photo",), "must hold {} once"),
        (["cat"], ("{} and {}",), "must hold {} once"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(
    labels: Sequence[str], templates: Sequence[str], message: str
) -> None:
    with pytest.raises(LabelError) as caught:
        Classifier(ColourEncoder(), labels, templates=templates)
    assert message in str(caught.value)
    assert caught.value.remedy
