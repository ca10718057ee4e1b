"""What the decoder knows of a picture reaches the library, the report and the pages: dates, remarks, digests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select

from indexer.pipeline import IndexOptions, index_paths
from search.db.details import as_taken, image_detail
from search.db.schema import Image
from search.library import Library
from tests.vision.decoder.pictures import dated, encoded, upright
from vision.encoders.base import Encoder

ONE_CHILD = IndexOptions(decode_workers=1)


@pytest.mark.parametrize(
    ("moment", "offset", "expected"),
    [
        (
            "2024:01:01 00:30:00",
            "+09:00",
            datetime(2024, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=9))),
        ),
        (
            "2023:12:31 23:30:00",
            "-03:30",
            datetime(2023, 12, 31, 23, 30, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
        ),
        ("2024:01:01 00:30:00", None, datetime(2024, 1, 1, 0, 30)),
    ],
)
def test_a_date_comes_out_as_the_photographer_saw_it(
    library: Library,
    encoder: Encoder,
    pictures: Path,
    moment: str,
    offset: str | None,
    expected: datetime,
) -> None:
    pictures.joinpath("a.jpg").write_bytes(dated("JPEG", moment, offset))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    with library.read() as session:
        image = session.scalars(select(Image)).one()
        detail = image_detail(session, image.id)
    assert detail is not None
    assert detail.taken_at is not None
    assert detail.taken_at.isoformat() == expected.isoformat()


def test_no_date_stays_no_date() -> None:
    assert as_taken(None, None) is None
    assert as_taken(None, 60) is None


def test_pictures_that_are_cut_short_are_counted_and_marked(library: Library, encoder: Encoder, pictures: Path) -> None:
    whole = encoded(upright().resize((480, 320)), "JPEG")
    pictures.joinpath("cut.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    pictures.joinpath("whole.jpg").write_bytes(whole)
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert report.cut_short == [str(pictures / "cut.jpg")]
    assert (report.embedded, report.refused) == (2, [])
    with library.read() as session:
        remarks = {image.remark is None for image in session.scalars(select(Image))}
        digests = {image.pixels_sha256 for image in session.scalars(select(Image))}
        cut = session.scalars(select(Image).where(Image.remark.is_not(None))).one()
        detail = image_detail(session, cut.id)
    assert remarks == {True, False}
    assert len(digests) == 2
    assert None not in digests
    assert detail is not None
    assert (detail.remark or "").startswith("truncated: ")
