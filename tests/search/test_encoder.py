"""One rule for which encoder a library has: every wish is obeyed or refused, with the remedy, before anything loads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from indexer.pipeline import index_paths
from search.encoder import (
    EncoderWish,
    active_row,
    encoder_to_index,
    encoder_without_library,
    move_own_encoder,
    own_encoder,
)
from search.errors import LibraryEmptyError, ModelMismatchError, SettingsError
from search.library import Library
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.builtin import built_in_folder
from vision.encoders.registry import load_encoder
from vision.errors import DeixisError, ModelError, ModelMissingError

_MODEL = "storybook-encoder"


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one's own, which may be moved."""
    return shutil.copytree(built_in_folder(_MODEL), tmp_path_factory.mktemp("models") / "mine")


@pytest.fixture
def bound(sqlite_library: Library, model_folder: Path, tmp_path: Path) -> Library:
    """A library whose encoder computes in float32."""
    picture = tmp_path / "red.png"
    Image.new("RGB", (40, 30), "red").save(picture)
    index_paths(sqlite_library, load_encoder(str(model_folder), threads=1), [picture])
    return sqlite_library


@pytest.mark.parametrize(
    ("backend", "precision", "answer"),
    [
        (None, None, "transformers"),
        ("transformers", None, "transformers"),
        ("auto", None, "transformers"),
        (None, "float32", "transformers"),
        ("transformers", "float32", "transformers"),
        ("transformers:float32", None, "transformers"),
        ("onnx", None, ModelMismatchError),
        (None, "int8", ModelMismatchError),
        ("transformers:int8", None, ModelMismatchError),
        ("colour", None, ModelMismatchError),
        ("auto", "int8", SettingsError),
        ("jax", None, ModelError),
        (None, "int4", ModelError),
    ],
)
def test_search_serve_index_and_classify_give_a_wish_the_same_answer(
    bound: Library, backend: str | None, precision: str | None, answer: str | type[DeixisError]
) -> None:
    wish = EncoderWish(backend=backend, precision=precision)
    ways = (
        lambda: own_encoder(bound, wish),
        lambda: encoder_to_index(bound, wish),
        lambda: encoder_without_library(wish, bound),
        lambda: SearchService(bound, wish=wish).search(SearchRequest(text="a red car")),
    )
    for way in ways:
        if isinstance(answer, str):
            found = way()
            assert getattr(getattr(found, "facts", None), "backend", answer) == answer
        else:
            with pytest.raises(answer) as caught:
                way()
            assert caught.value.remedy


def test_a_library_of_colours_has_no_other_backend(sqlite_library: Library, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    index_paths(sqlite_library, load_encoder("colour"), [tmp_path / "red.png"])
    assert own_encoder(sqlite_library, EncoderWish(backend="auto")).facts.name == "colour"
    for wish in (EncoderWish(backend="onnx"), EncoderWish(precision="int8")):
        with pytest.raises(ModelMismatchError, match="DEIXIS_BACKEND"):
            own_encoder(sqlite_library, wish)
    with pytest.raises(ModelError, match="no other precision"):
        load_encoder("colour", precision="int8")


def test_without_an_index_there_is_no_encoder(sqlite_library: Library) -> None:
    with pytest.raises(LibraryEmptyError, match="deixis index"):
        own_encoder(sqlite_library, EncoderWish())


def test_a_moved_model_is_named_and_found_again_once_located(bound: Library, model_folder: Path) -> None:
    moved = model_folder.with_name("moved")
    model_folder.rename(moved)
    try:
        with pytest.raises(ModelMissingError, match=r"was in .*mine, and is not there any more") as caught:
            own_encoder(bound, EncoderWish())
        assert "deixis models locate library FOLDER" in caught.value.remedy
        assert "siglip2" not in caught.value.remedy  # presets that cannot open this library
        assert own_encoder(bound, EncoderWish(model=str(moved))).facts.location == str(moved)

        assert move_own_encoder(bound, moved) == "mine"
        assert own_encoder(bound, EncoderWish()).facts.location == str(moved)
    finally:
        moved.rename(model_folder)


def test_another_model_is_not_taken_for_the_librarys(bound: Library, model_folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(model_folder, tmp_path / "other")
    config = other / "config.json"
    config.write_text(config.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    before = active_row(bound)
    with pytest.raises(ModelMismatchError, match="revision"):
        move_own_encoder(bound, other)
    after = active_row(bound)
    assert before is not None
    assert after is not None
    assert after.location == before.location
