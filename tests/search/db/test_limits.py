"""What is checked fits the columns, and both databases give back what they were given within those limits."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.db import limits
from search.db.annotations import CaptionFact, add_annotations, check_region, text_ids
from search.db.contents import get_or_create_images
from search.db.images import FileFact, ImageFact, path_fault, record_file
from search.db.limits import UnstorableError
from search.db.roots import root_for
from search.db.schema import Caption, File, Image, Region, TextBody
from search.library import Library
from tests.drawing import examples
from vision.types import Box, Span
from vision.types import Region as RegionFact

NUMBERS = itertools.count(1)
EASTERN = timezone(timedelta(hours=14))
WESTERN = timezone(timedelta(hours=-12))


def sha256() -> str:
    return f"{next(NUMBERS):064x}"


def image_fact(**changes: Any) -> ImageFact:
    plain = {"width_px": 4, "height_px": 3, "format": "PNG", "size_bytes": 9, "taken_at": None}
    return ImageFact(sha256(), **{**plain, **changes})


@pytest.mark.parametrize(
    ("column", "limit"),
    [
        (Caption.language, limits.MAX_LANGUAGE_CHARS),
        (Caption.source, limits.MAX_SOURCE_CHARS),
        (Region.source, limits.MAX_SOURCE_CHARS),
        (Image.format, limits.MAX_FORMAT_CHARS),
    ],
)
def test_a_limit_is_what_its_column_holds(column: Any, limit: int) -> None:
    assert column.type.length == limit


@examples(30)
@given(
    taken_at=st.none() | st.datetimes(timezones=st.none() | st.timezones() | st.just(EASTERN) | st.just(WESTERN)),
    form=st.text(max_size=40),
    remark=st.none() | st.text(max_size=40) | st.just("\ud800\0"),
)
@example(taken_at=datetime(1, 1, 1, tzinfo=EASTERN), form="", remark=None)
@example(taken_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=WESTERN), form="PNG", remark="\0")
@example(taken_at=datetime(1, 1, 1), form="\ud800", remark=None)
@example(taken_at=datetime(9999, 12, 31, 23, 59), form="x" * 99, remark="x" * 5000)
def test_whatever_is_said_of_a_picture_is_stored_or_unknown(
    library: Library, taken_at: datetime | None, form: str, remark: str | None
) -> None:
    fact = image_fact(taken_at=taken_at, taken_offset_min=60, format=form, remark=remark)
    with library.write() as session:
        image_id = get_or_create_images(session, {fact.sha256: fact})[0][fact.sha256]
    with library.read() as session:
        stored = session.get_one(Image, image_id)
        assert stored.taken_at == fact.taken_at
        assert (stored.taken_at is None) == (stored.taken_offset_min is None)
        assert (stored.format, stored.remark) == (fact.format, fact.remark)
        if stored.taken_at is not None:  # it has a local time everywhere, so that every page can show it
            assert stored.taken_at.astimezone(EASTERN)
            assert stored.taken_at.astimezone(WESTERN)


@pytest.mark.parametrize("changes", [{"width_px": 2**31}, {"height_px": 0}, {"width_px": -1}, {"size_bytes": 2**63}])
def test_a_picture_of_impossible_size_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(UnstorableError):
        image_fact(**changes)


WIDE = st.integers(-(2**70), 2**70)


@examples(30)
@given(size=WIDE, mtime=WIDE, ctime=st.none() | WIDE, device=st.integers(0, 2**64 - 1), reason=st.text())
@example(size=0, mtime=10**9 * 2**63, ctime=-(2**63) - 1, device=2**64 - 1, reason="\0\ud800" * 1000)
def test_whatever_a_file_system_says_is_stored(
    library: Library, size: int, mtime: int, ctime: int | None, device: int, reason: str
) -> None:
    fact = FileFact(f"/p/{next(NUMBERS)}.png", size, mtime, str(device), ctime)
    with library.write() as session:
        root_id = root_for(session, "/p").id
        record_file(session, fact, root_id, reason=f"corrupt: {reason}")
    with library.read() as session:
        stored = session.query(File).where(File.path == fact.path).one()
        assert (stored.size_bytes, stored.mtime_ns, stored.ctime_ns) == (fact.size_bytes, fact.mtime_ns, fact.ctime_ns)
        if -(2**63) <= mtime < 2**63:
            assert stored.mtime_ns == mtime


@examples(30)
@given(
    st.lists(st.binary(min_size=1, max_size=255).filter(lambda name: not {0, 47} & set(name)), min_size=1, max_size=12)
)
@example([bytes(range(128, 256)) * 2] * 10)
@example(["ΐ".encode() * 127] * 10)
def test_a_path_is_stored_byte_for_byte_or_said_to_be_too_long(library: Library, names: list[bytes]) -> None:
    path = b"/".join([b"", str(next(NUMBERS)).encode(), *names]).decode("utf-8", "surrogateescape")
    fault = path_fault(path)
    if fault is not None:
        assert fault.startswith("path_too_long: ")
        return
    with library.write() as session:
        record_file(session, FileFact(path, 1, 1, "1"), root_for(session, "/").id, reason="empty: it is")
    with library.read() as session:
        assert session.query(File).where(File.path == path).one().name_key


def test_the_longest_path_that_is_taken_fits_the_index_of_postgres(library: Library) -> None:
    from random import Random

    # Letters without a pattern: Postgres compresses what has one, and then much longer ones would fit.
    letters = "".join(Random(3).choices([chr(code) for code in range(48, 123)], k=limits.MAX_PATH_BYTES - 6))
    long = "/" + "/".join(letters[start : start + 200] for start in range(0, len(letters), 200))
    long = long[: limits.MAX_PATH_BYTES]
    assert path_fault(long) is None
    assert (path_fault(long + "x" * 200) or "").startswith("path_too_long")
    assert (path_fault("/a\ud800") or "").startswith("unstorable")
    with library.write() as session:
        record_file(session, FileFact(long, 1, 1, "1"), root_for(session, "/").id, reason="empty: it is")


BOX = Box(0.1, 0.1, 0.2, 0.2)


@pytest.mark.parametrize("text", ["", "\0", "a\ud800", "x" * 10_001])
def test_a_text_that_no_database_holds_is_refused(text: str) -> None:
    with pytest.raises(UnstorableError):
        CaptionFact(text)
    with pytest.raises(UnstorableError):
        check_region(RegionFact(text, BOX))


@pytest.mark.parametrize(
    "region",
    [
        RegionFact("a", Box(0.5, 0.1, 0.5 + 1e-9, 0.2)),
        RegionFact("a", Box(0.0, 0.0, 5e-324, 1.0)),
        RegionFact("a", BOX, Span(0, 9)),
    ],
)
def test_a_region_without_area_or_behind_its_caption_is_refused(region: RegionFact) -> None:
    with pytest.raises(UnstorableError):
        CaptionFact("a cat", regions=(region,))


@pytest.mark.parametrize(
    ("tag", "kept"),
    [
        ("de", "de"), ("zh-Hant-CN-x-private", "zh-Hant-CN-x"), ("de_DE", "de_DE"),
        ("a-" * 40 + "b", "a-a-a-a-a-a-a-a"),
        ("", None), ("x" * 17, None), ("e\0", None), ("\ud800", None), ("deutsch bitte", None), ("-", None),
    ],
)  # fmt: skip
def test_a_language_tag_is_shortened_by_whole_parts(tag: str, kept: str | None) -> None:
    assert limits.language_tag(tag) == kept
    assert CaptionFact("a", tag).language == kept


@examples(15)
@given(
    text=st.text(min_size=1, max_size=200).filter(limits.is_holdable),
    score=st.none() | st.floats(),
    source=st.text(max_size=90),
    language=st.none() | st.text(max_size=30),
)
@example(text="word" * 2500, score=float("nan"), source="x" * 90, language="en")
@example(text="犬" * 10_000, score=float("inf"), source="\0", language="\0")
@example(text="\x01\x7f\ufffe\U0010ffff", score=-0.0, source="\ud800", language="x" * 17)
@example(text=" ".join(f"w{n}" for n in range(1800)), score=5e-324, source="", language=None)
def test_captions_within_the_limits_are_stored_and_found(
    library: Library, text: str, score: float | None, source: str, language: str | None
) -> None:
    region = RegionFact(text, Box(0.0, 0.0, limits.MIN_SIDE, 1.0), None, score)
    with library.write() as session:
        fact = image_fact()
        image_id = get_or_create_images(session, {fact.sha256: fact})[0][fact.sha256]
        add_annotations(session, image_id, [CaptionFact(text, language)], [region], source)
    with library.write() as session:
        assert session.query(TextBody).where(TextBody.id == text_ids(session, [text])[text]).one().body == text
        stored = session.query(Region).where(Region.image_id == image_id).one()
        assert stored.score is None or 0 <= stored.score <= 1
