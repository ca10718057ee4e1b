"""Filters find the same pictures on both databases, and no value makes a database fail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from search.catalogue.build import build
from search.db.schema import Fact, File, Image, Root
from search.library import Library
from search.query.filters import fulfilling
from search.query.tree import Filter, Not

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
CASES = [
    ("date:2024-05", [1]), ("date:..2023", []), ('date:0001..9999', [1]),
    ("folder:trip", [1]), ("folder:photos", [1, 2]), ("folder:home", []), ("folder:t_ip", []),
    ("name:BEACH", [1]), ("name:100%", [2]), ("name:b*.jpg", [1]), ("name:b_ach", []),
    ("orient:landscape", [1]), ("orient:portrait", [2]), ("size:>2mp", [1]), ("size:<=1000px", [2]),
    ("size:>=999999999999gb", []), ("size:>999999999999px", []), ("format:jpg", [1]), ("has:boxes", []),
    ("has:captions", []), ("lang:de", []), ("source:x", []), ("id:2", [2]), ("id:99999999999999999999", []),
    ("camera:Canon", [1]), ("camera:EOS*", []), ("camera:*90d", [1]), ("camera:b_ach", []), ("lens:24-70MM", [2]),
    ("iso:1600", [1]), ("iso:>1600", []), ("iso:100..1600", [1]), ("iso:..99999999999", [1, 2]), ("iso:<1600", [2]),
    ("focal:50mm", [1]), ("focal:>=50", [1, 2]), ("focal:50,5..", [2]), ("rating:>=3", [1]), ("rating:0", [2]),
    ("person:ana", [1]), ("person:SILVA", [1]), ("person:_na", []), ("tag:été", [2]), ("tag:*", [2]),
    ("has:gps", [1, 2]), ("near:48.85,2.35,10km", [1]), ("near:48.85,2.35", []), ("near:48.86,2.34,500m", [1]),
    ("near:-17.8,-179.9,50km", [2]), ("near:-17.8,-179.9,5km", []),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "expected"), CASES)
def test_a_filter_and_its_negation_share_out_the_library(library: Library, wanted: str, expected: list[int]) -> None:
    name, _, value = wanted.partition(":")
    with library.database.write() as session:
        _fill(session)
        catalogue = build(session, 1)

        def found(one: Filter | Not) -> list[int]:
            rows = fulfilling(session, catalogue, [one], TODAY)
            assert rows is not None
            return catalogue.images[rows].tolist()

        assert found(Filter(name, value)) == expected
        assert found(Not(Filter(name, value))) == [one for one in (1, 2) if one not in expected]
        assert fulfilling(session, catalogue, []) is None


def _fill(session) -> None:  # type: ignore[no-untyped-def]
    session.add(Root(id=1, path="/home/photos"))
    # 30 April in UTC, and the first of May for who stood there.
    taken = datetime(2024, 4, 30, 23, tzinfo=UTC)
    facts = [(1, 3000, 2000, "JPEG", taken, 120, "/home/photos/trip/Beach.jpg", "beach.jpg"),
             (2, 500, 800, "PNG", None, None, "/home/photos/100%.png", "100%.png")]  # fmt: skip
    for id_, wide, high, kind, when, offset, path, key in facts:
        session.add(Image(id=id_, sha256=str(id_) * 64, width_px=wide, height_px=high, format=kind, size_bytes=5000,
                          taken_at=when, taken_offset_min=offset, created_at=NOW))  # fmt: skip
        session.flush()
        session.add(File(path=path, name=key, name_key=key, root_id=1, image_id=id_, state="indexed", size_bytes=1,
                         mtime_ns=1, device="1", seen_at=NOW))  # fmt: skip
    told = [(1, "camera", "Canon EOS 90D"), (1, "iso", 1600), (1, "focal", 50), (1, "rating", 4),
            (1, "latitude", 48.8606), (1, "longitude", 2.3376), (2, "lens", "24-70mm f/2.8"), (2, "iso", 64),
            (2, "focal", 50.7), (2, "rating", 0), (2, "latitude", -17.8), (2, "longitude", 179.8),
            (1, "person", "Ana Silva"), (2, "keyword", "ÉTÉ")]  # fmt: skip
    for id_, name, what in told:
        text, number = (what, None) if isinstance(what, str) else (None, what)
        session.add(Fact(image_id=id_, name=name, text=text, key=text and text.lower(), number=number, source="exif"))
    session.flush()
