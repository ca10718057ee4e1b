"""Uploads are decoded to what a search needs: smaller where they are large, larger where a part is cut out."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from fastapi import UploadFile
from PIL import Image as Pictures

from search.errors import QueryError
from search.settings import Settings
from vision.errors import ImageRefusedError
from web.deps import Engine
from web.uploads import NEEDED_PIXELS, decoded_uploads


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = Engine(settings)
    yield engine
    engine.close()


def upload(kind: str = "JPEG", size_wh: tuple[int, int] = (4800, 3600)) -> UploadFile:
    file = io.BytesIO()
    Pictures.new("RGB", size_wh, "red").save(file, kind)
    file.seek(0)
    return UploadFile(file, filename="a")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_upload_keeps_what_is_needed(engine: Engine, kind: str) -> None:
    (whole,) = decoded_uploads(engine, [upload(kind)], ())
    assert whole.shape == (900, 1200, 3)
    assert NEEDED_PIXELS / 4 <= 900 * 1200 <= NEEDED_PIXELS


def test_a_part_has_as_many_pixels_as_it_can_have(engine: Engine) -> None:
    (part,) = decoded_uploads(engine, [upload()], ["0.25,0.25,0.5,0.5"])
    assert part.shape == (900, 1200, 3), "cut from the whole picture"


def test_a_small_one_stays_as_it_is(engine: Engine) -> None:
    small, other = decoded_uploads(engine, [upload(size_wh=(40, 30)), upload(size_wh=(50, 60))], [""])
    assert (small.shape, other.shape) == ((30, 40, 3), (60, 50, 3))


@pytest.mark.parametrize("crops", [["no crop"], ["0,0,2,2"], ["", ""]])
def test_a_crop_that_is_none_is_refused_before_anything_is_decoded(engine: Engine, crops: list[str]) -> None:
    file = upload()
    with pytest.raises(QueryError):
        decoded_uploads(engine, [file], crops)
    assert file.file.tell() == 0


def test_more_pixels_than_an_upload_may_have_are_refused(engine: Engine) -> None:
    with pytest.raises(ImageRefusedError) as refused:
        decoded_uploads(engine, [upload("PNG", (20_000, 12_600))], ())
    assert refused.value.code == "too_many_pixels"
