"""Everything that can be handed to a captioner by mistake or by malice: an answer, or an error that says what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.vision.address_space import with_little_memory
from tests.vision.grounding.conftest import save_captioner
from vision.batching import BatchReport
from vision.errors import DeixisError, GeometryError, ModelError, ModelMissingError
from vision.grounding.base import Answer, Decoding, Turn
from vision.grounding.errors import DecodingError, LanguageError, PromptError
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.registry import load_captioner
from vision.types import Box, RgbImage

_IMAGE = np.full((30, 40, 3), 128, np.uint8)
_SHORT = Decoding(max_new_tokens=8)

# Every method of GroundedCaptioner, and those of SeeingCaptioner, over any pictures.
_OF_IMAGES: dict[str, Callable[[Kosmos2Captioner, Sequence[RgbImage]], Any]] = {
    "caption": lambda c, images: c.caption(images, decoding=_SHORT),
    "samples": lambda c, images: c.samples(images, 2, seed=0, decoding=_SHORT),
    "ground": lambda c, images: c.ground(images, [["a dog"]] * len(images), decoding=_SHORT),
    "refer": lambda c, images: c.refer(images, ["a dog"] * len(images), decoding=_SHORT),
    "describe": lambda c, images: c.describe(images, [Box(0, 0, 1e-9, 1e-9)] * len(images), decoding=_SHORT),
    "ask": lambda c, images: c.ask(images, ["is it?"] * len(images), decoding=_SHORT),
    "score": lambda c, images: c.score(images, ["a dog"] * len(images)).tokens,
    "explain": lambda c, images: c.explain(images, decoding=_SHORT),
    "attend": lambda c, images: c.attend(images, ["a dog"] * len(images)),
    "patch_tokens": lambda c, images: c.patch_tokens(images).latents,
}
# Every method that takes foreign text, over one picture and that text.
_OF_TEXT: dict[str, Callable[[Kosmos2Captioner, str], Any]] = {
    "ground": lambda c, text: c.ground([_IMAGE], [[text]], decoding=_SHORT),
    "ground in a sentence": lambda c, text: c.ground([_IMAGE], [[text]], sentences=[f"it is {text}."], decoding=_SHORT),
    "refer": lambda c, text: c.refer([_IMAGE], [text], decoding=_SHORT),
    "ask": lambda c, text: c.ask([_IMAGE], [text], decoding=_SHORT),
    "ask after a question": lambda c, text: c.ask([_IMAGE], ["it?"], history=[[Turn(text, "a dog")]], decoding=_SHORT),
    "ask after an answer": lambda c, text: c.ask([_IMAGE], ["it?"], history=[[Turn("is?", text)]], decoding=_SHORT),
    "score": lambda c, text: c.score([_IMAGE], [text]).tokens,
    "attend": lambda c, text: c.attend([_IMAGE], [text]),
}


@pytest.mark.parametrize("method", _OF_IMAGES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (20000, 10, 3), (10, 20000, 3), (1, 3, 3), (3, 1, 3)])
def test_a_picture_of_any_shape_is_answered(captioner: Kosmos2Captioner, method: str, shape: tuple[int, int, int]):
    assert len(_OF_IMAGES[method](captioner, [np.zeros(shape, np.uint8)])) == 1


def test_one_pixel_is_not_taken_for_channels_that_come_first(captioner: Kosmos2Captioner):
    prepared = captioner.facts.preprocessing.prepare(np.array([[[255, 0, 7]]], np.uint8))
    assert {tuple(pixel) for row in prepared.tolist() for pixel in row} == {(255, 0, 7)}


_NO_PICTURES = {
    "float": (_IMAGE / 255, r"image 1: .* got \(30, 40, 3\) float64"),
    "grey": (_IMAGE[..., 0], r"image 1: .* got \(30, 40\) uint8"),
    "with alpha": (np.zeros((5, 5, 4), np.uint8), r"image 1: .* got \(5, 5, 4\) uint8"),
    "sixteen bits": (_IMAGE.astype(np.uint16), "image 1: .* uint16"),
    "no rows": (_IMAGE[:0], r"image 1: .* got \(0, 40, 3\)"),
    "a Pillow picture": (Image.fromarray(_IMAGE), "image 1: .* got Image"),
    "a file name": ("dog.jpg", "image 1: .* got str"),
    "nothing": (None, "image 1: .* got NoneType"),
}


@pytest.mark.parametrize("method", _OF_IMAGES)
@pytest.mark.parametrize(("picture", "message"), _NO_PICTURES.values(), ids=_NO_PICTURES)
def test_what_is_no_picture_is_refused_with_its_place(
    captioner: Kosmos2Captioner, method: str, picture: Any, message: str
):
    with pytest.raises(ModelError, match=message) as caught:
        _OF_IMAGES[method](captioner, [_IMAGE, picture])
    assert caught.value.remedy


@pytest.mark.parametrize("method", [method for method in _OF_IMAGES if method != "patch_tokens"])
def test_no_pictures_give_no_answers(captioner: Kosmos2Captioner, method: str):
    assert len(_OF_IMAGES[method](captioner, [])) == 0


def test_no_pictures_have_no_patches(captioner: Kosmos2Captioner):
    with pytest.raises(PromptError, match="no pictures"):
        captioner.patch_tokens([])


def test_pictures_stacked_in_one_array_are_told_apart(captioner: Kosmos2Captioner):
    stacked = np.random.default_rng(0).integers(0, 256, (4, 30, 40, 3)).astype(np.uint8)
    scores = captioner.score(stacked, ["a red dog"] * 4).log_probability
    np.testing.assert_allclose(scores, captioner.score(list(stacked), ["a red dog"] * 4).log_probability, atol=1e-4)
    assert len(set(scores.tolist())) == 4


_REFUSED_TEXTS = {
    "empty": ("", "is empty"),
    "blank": (" \t\n\u3000", "is empty"),
    "NUL alone": ("\0", "is empty"),
    "a lone surrogate alone": ("\ud800", "is empty"),
    "overlong": ("a dog " * 300, "tokens; this model reads at most"),
    "<grounding>": ("a <grounding> dog", "holds <grounding>"),
    "<object>": ("<object>", "holds <object>"),
    "</phrase>": ("dog</phrase>", "holds </phrase>"),
    "a location": ("<patch_index_0001>", "holds <patch_index_0001>"),
    "<image>": ("<image>", "holds <image>"),
    "the end": ("</s>", "holds </s>"),
    "a tag in full-width letters": ("＜phrase＞ dog", "holds <phrase>"),
    "a tag over a NUL": ("<ob\0ject> </object>", "holds </object>"),
}
_READ_TEXTS = {
    "a NUL in between": "a\0dog",
    "a lone surrogate in between": "a \ud800 dog",
    "emoji": "👩‍👩‍👧 dog",
    "right to left": "כלב אדום",
    "both directions": "a \u202eכלב\u202c dog",
    "no tag of this model": "a < b, <br> and <patch_index_1>",
    "nothing to see": "\u200b",
}


@pytest.mark.parametrize("method", _OF_TEXT)
@pytest.mark.parametrize(("text", "message"), _REFUSED_TEXTS.values(), ids=_REFUSED_TEXTS)
def test_text_that_cannot_be_put_to_the_model_is_refused(
    captioner: Kosmos2Captioner, method: str, text: str, message: str
):
    with pytest.raises(PromptError, match=message) as caught:
        _OF_TEXT[method](captioner, text)
    assert caught.value.remedy


@pytest.mark.parametrize("method", _OF_TEXT)
@pytest.mark.parametrize("text", _READ_TEXTS.values(), ids=_READ_TEXTS)
def test_strange_text_is_read(captioner: Kosmos2Captioner, method: str, text: str):
    assert len(_OF_TEXT[method](captioner, text)) == 1


@pytest.mark.parametrize(
    ("prompt", "message"),
    [("", "prompt is empty"), (" \0", "prompt is empty"), ("<image>", "holds <image>"), ("a</s>", "holds </s>")],
)
def test_a_prompt_to_score_by_is_checked_too(captioner: Kosmos2Captioner, prompt: str, message: str):
    with pytest.raises(PromptError, match=message):
        captioner.score([_IMAGE], ["a dog"], prompt=prompt)
    assert captioner.score([_IMAGE], ["a dog"], prompt="<grounding>a \ud800").tokens.shape == (1,)


_WRONG_LISTS: dict[str, tuple[Callable[[Kosmos2Captioner], object], type[DeixisError], str]] = {
    "no questions": (lambda c: c.ask([_IMAGE], []), PromptError, "1 images need as many questions, got 0"),
    "no images": (lambda c: c.ask([], ["it?"]), PromptError, "0 images need as many questions, got 1"),
    "two histories": (lambda c: c.ask([_IMAGE], ["it?"], history=[[], []]), PromptError, "1 images .* got 2"),
    "no phrases": (lambda c: c.ground([_IMAGE], []), PromptError, "as many lists of phrases, got 0"),
    "no sentences": (lambda c: c.ground([_IMAGE], [["a"]], sentences=[]), PromptError, "as many sentences, got 0"),
    "two expressions": (lambda c: c.refer([_IMAGE], ["a", "b"]), PromptError, "as many expressions, got 2"),
    "no boxes": (lambda c: c.describe([_IMAGE], []), PromptError, "as many boxes, got 0"),
    "no texts": (lambda c: c.score([_IMAGE], []), PromptError, "as many texts, got 0"),
    "two texts": (lambda c: c.attend([_IMAGE], ["a", "b"]), PromptError, "as many texts, got 2"),
    "a text for a list": (lambda c: c.ask([_IMAGE], "?"), PromptError, r"a list of questions, got the text '\?'"),
    "a phrase for a list": (lambda c: c.ground([_IMAGE], ["dog"]), PromptError, "a list of phrases, got .* 'dog'"),
    "the second of two": (lambda c: c.ask([_IMAGE] * 2, ["a", ""]), PromptError, "image 1: the question is empty"),
    "the second too long": (lambda c: c.score([_IMAGE] * 2, ["a", "dog " * 300]), PromptError, "image 1: the text has"),
    "a phrase elsewhere": (lambda c: c.ground([_IMAGE], [["x"]], sentences=["y"]), PromptError, "does not stand in"),
    "an empty phrase": (lambda c: c.ground([_IMAGE], [[""]], sentences=["y"]), PromptError, "phrase is empty"),
    "a tag before": (
        lambda c: c.ground([_IMAGE], [["dog"]], sentences=["<object> dog"]),
        PromptError,
        "sentence holds <object>",
    ),
    "no box": (lambda c: c.describe([_IMAGE], [Box(0.5, 0.5, 0.5, 0.9)]), GeometryError, "x0 < x1"),
    "half a box": (lambda c: c.describe([_IMAGE], [Box(0, 0, float("nan"), 1)]), GeometryError, "must lie in"),
    "no samples": (lambda c: c.samples([_IMAGE], 0, seed=0), DecodingError, "count of at least 1"),
    "no seed": (lambda c: c.samples([_IMAGE], 1, seed=-1), DecodingError, "seed of at least 0"),
    "no language": (lambda c: c.caption([_IMAGE], language=""), LanguageError, "does not write ''"),
    "a tag for a language": (lambda c: c.samples([_IMAGE], 1, seed=0, language="</s>"), LanguageError, "</s>"),
    "unknown detail": (lambda c: c.caption([_IMAGE], detail="long"), PromptError, "'long'"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("call", "error", "message"), _WRONG_LISTS.values(), ids=_WRONG_LISTS)
def test_what_does_not_belong_together_is_named(
    captioner: Kosmos2Captioner, call: Callable[[Kosmos2Captioner], object], error: type[DeixisError], message: str
):
    with pytest.raises(error, match=message):
        call(captioner)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": float("nan")},
        {"temperature": 0.0},
        {"temperature": -1.0},
        {"temperature": float("inf")},
        {"top_p": float("nan")},
        {"top_p": 0.0},
        {"length_penalty": float("nan")},
        {"max_new_tokens": 0},
        {"max_boxes": 0},
        {"max_boxes_per_phrase": 0},
        {"beams": 0},
    ],
    ids=str,
)
def test_decoding_options_out_of_range_are_named_with_their_value(options: dict[str, Any]):
    (name, value), *_ = options.items()
    with pytest.raises(DecodingError, match=f"{name} must .*got {value}"):
        Decoding(**options)


@pytest.mark.parametrize("options", [{"temperature": 1e-30}, {"temperature": 1e300}, {"top_p": 1e-12}], ids=str)
def test_extreme_sampling_still_draws(captioner: Kosmos2Captioner, options: dict[str, Any]):
    ((drawn,),) = captioner.samples([_IMAGE], 1, seed=0, decoding=Decoding(max_new_tokens=8, **options))
    assert np.isfinite(drawn.log_probability)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "processor_config.json"])
def test_a_model_folder_with_a_file_missing_is_refused_by_that_name(captioner_folder: Path, tmp_path: Path, name: str):
    folder = shutil.copytree(captioner_folder, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(ModelError) as caught:
        load_captioner(str(folder), threads=1)
    assert str(folder) in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "name", ["", "/no/such/folder", "~nobody-has-this-name/x", "x" * 9000, "a\0b", "\ud800", "<grounding>", __file__]
)
def test_a_model_that_is_not_there_is_refused_with_a_remedy(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelMissingError) as caught:
        load_captioner(name)
    assert caught.value.remedy


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Kosmos2Captioner:
    """A captioner whose memory of what it read is large: 12 MB for each picture with a question of 500 tokens."""
    folder = tmp_path_factory.mktemp("wide")
    # Weights of 1/√128: with larger ones 24 layers amplify the rounding of another batch (1e-7) to 0.3.
    save_captioner(folder, spread=0.09, layers=24, embed_dim=128, max_position_embeddings=1024)
    return Kosmos2Captioner(folder, name="wide", threads=1)


def test_memory_that_really_runs_out_halves_the_batch_and_loses_no_answer(wide: Kosmos2Captioner):
    images = [np.full((9, 9, 3), 25 * number, np.uint8) for number in range(10)]
    questions = ["xyz" * 160 + str(number) for number in range(10)]

    def work() -> tuple[list[Answer], BatchReport]:
        answers = wide.ask(images, questions, decoding=_SHORT)
        return answers, wide.picture_batches.report

    answers, report = with_little_memory(work, 60 << 20)
    assert report.halvings >= 1
    expected = wide.ask(images, questions, decoding=_SHORT)
    assert [answer.text for answer in answers] == [answer.text for answer in expected]
    chances = np.array([answer.log_probability for answer in expected])
    # Different enough that an answer in another's place would be seen, and rounded alike in every batch.
    assert np.ptp(chances) > 0.01
    np.testing.assert_allclose([answer.log_probability for answer in answers], chances, atol=1e-4)


def test_a_picture_for_which_there_is_no_memory_at_all_is_named(wide: Kosmos2Captioner):
    # Zeros that nobody has written to take no memory; their copy would take 300 MB.
    images = [_IMAGE, np.zeros((10_000, 10_000, 3), np.uint8)]
    with pytest.raises(ModelError, match="input 1 alone does not fit into memory") as caught:
        with_little_memory(lambda: wide.caption(images, decoding=_SHORT), 100 << 20)
    assert caught.value.remedy
