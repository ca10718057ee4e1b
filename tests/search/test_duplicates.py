"""Which files of a library show one picture: groups, what is told of each file, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import event, insert, update

from search.db.schema import File, Image, Root
from search.duplicates import Duplicates, find_duplicates
from search.errors import NotFoundError
from search.library import Library
from search.query.collapse import fold_near
from search.snapshot import take_snapshot

if TYPE_CHECKING:
    from tests.search.stock import Stock

FAR = 0x0F0F_0F0F_0F0F_0F0F
NOW = datetime(2024, 5, 6, tzinfo=UTC)


def add(library: Library, pictures: Sequence[dict[str, Any]]) -> list[int]:
    """Pictures with their files: `files` are paths below /pictures, the rest are columns of the image."""
    with library.write() as session:
        root = Root(path="/pictures", last_scanned_at=NOW)
        session.add(root)
        session.flush()
        images = []
        for number, one in enumerate(pictures):
            files = one.pop("files", [f"{number}.png"])
            known = {"width_px": 640, "height_px": 480, "format": "PNG", "size_bytes": 100} | one
            image = Image(sha256=f"{number:064}", created_at=NOW, **known)
            session.add(image)
            session.flush()
            images.append(image.id)
            for name in files:
                session.add(row(f"/pictures/{name}", root.id, image.id, image.size_bytes))
    return images


def row(path: str, root_id: int, image_id: int, size_bytes: int) -> File:
    name = path.rsplit("/", 1)[-1]
    facts = {"state": "indexed", "size_bytes": size_bytes, "mtime_ns": 10**18, "device": "1", "seen_at": NOW}
    return File(path=path, name=name, root_id=root_id, image_id=image_id, **facts)


def names(found: Duplicates) -> list[list[str]]:
    return [[file.path.removeprefix("/pictures/") for file in group.files] for group in found.groups]


def test_equal_and_near_files_are_grouped_with_the_largest_first(library: Library) -> None:
    add(
        library,
        [
            {"perceptual_hash": FAR ^ 1, "size_bytes": 30, "width_px": 320, "files": ["small.jpg", "again.jpg"]},
            {"perceptual_hash": FAR, "size_bytes": 900, "files": ["big.png"]},
            {"perceptual_hash": ~FAR, "files": ["alone.png"]},
            {"perceptual_hash": None, "files": ["b/twice.png", "a/twice.png"]},
        ],
    )
    found = find_duplicates(library)
    assert names(found) == [["a/twice.png", "b/twice.png"], ["big.png", "again.jpg", "small.jpg"]]
    assert [(group.equal, group.spare_bytes) for group in found.groups] == [(True, 100), (False, 60)]
    assert (found.groups_found, found.files, found.spare_bytes) == (2, 5, 160)
    assert (found.pictures, found.plain, found.unhashed) == (4, 0, 1)


def test_exactly_equal_files_alone_need_no_hash(library: Library) -> None:
    add(library, [{"perceptual_hash": FAR, "files": ["a", "b"]}, {"perceptual_hash": FAR}, {"perceptual_hash": None}])
    found = find_duplicates(library, exact=True)
    assert names(found) == [["a", "b"]]
    assert (found.plain, found.unhashed) == (0, 0)


def test_plain_unknown_and_missing_pictures_are_near_to_nothing(library: Library) -> None:
    ids = add(library, [{"perceptual_hash": seen} for seen in (0, 0, None, None, FAR, FAR)])
    with library.write() as session:
        session.execute(update(File).where(File.image_id == ids[4]).values(state="missing"))
    found = find_duplicates(library)
    assert found.groups == ()
    assert (found.pictures, found.plain, found.unhashed) == (5, 2, 2)


def test_a_missing_file_of_several_is_not_listed(library: Library) -> None:
    add(library, [{"files": ["a", "b", "c"]}, {"files": ["d", "e"]}])
    with library.write() as session:
        session.execute(update(File).where(File.path.in_(["/pictures/b", "/pictures/d"])).values(state="missing"))
    assert names(find_duplicates(library)) == [["a", "c"]]


def test_a_chain_of_small_changes_does_not_end_in_another_picture(library: Library) -> None:
    chain = [{"perceptual_hash": FAR ^ ((1 << 4 * step) - 1), "size_bytes": 100 - step} for step in range(4)]
    add(library, chain)
    assert names(find_duplicates(library)) == [["0.png", "1.png"], ["2.png", "3.png"]]


def test_who_is_largest_and_oldest_is_told_where_that_differs(library: Library) -> None:
    add(
        library,
        [
            {"perceptual_hash": FAR, "size_bytes": 50, "taken_at": NOW},
            {"perceptual_hash": FAR, "size_bytes": 70, "taken_at": NOW - timedelta(days=900)},
            {"perceptual_hash": FAR, "width_px": 2**31 - 1, "height_px": 2**31 - 1, "size_bytes": 10},
            {"perceptual_hash": ~FAR, "files": ["a", "b"]},
        ],
    )
    near, equal = find_duplicates(library).groups
    assert [file.path[-5] for file in near.files] == ["2", "1", "0"]
    assert [(file.largest, file.oldest) for file in near.files] == [(True, True), (False, False), (False, False)]
    assert near.files[0].modified_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    assert [(file.largest, file.oldest) for file in equal.files] == [(False, False)] * 2


@pytest.mark.parametrize("mtime_ns", [-(2**63), 2**63 - 1])
def test_any_time_that_a_file_system_gave_is_a_date(library: Library, mtime_ns: int) -> None:
    add(library, [{"files": ["a", "b"]}])
    with library.write() as session:
        session.execute(update(File).values(mtime_ns=mtime_ns))
    assert find_duplicates(library).groups[0].files[0].modified_at.year in (1677, 2262)


def test_groups_with_a_member_below_a_path(library: Library) -> None:
    add(library, [{"files": ["a/1", "b/1"]}, {"files": ["b/2", "bb/2"]}, {"files": ["a/3", "c/3"]}])
    assert names(find_duplicates(library, below="/pictures/b")) == [["a/1", "b/1"], ["b/2", "bb/2"]]
    assert names(find_duplicates(library, below="/pictures/c/3")) == [["a/3", "c/3"]]
    with pytest.raises(NotFoundError, match="nothing at or below"):
        find_duplicates(library, below="/pictures/d")


def test_the_first_groups_are_those_that_take_up_most(library: Library) -> None:
    add(library, [{"files": [f"{n}/a", f"{n}/b"], "size_bytes": n} for n in (5, 9, 7)])
    found = find_duplicates(library, limit=2)
    assert names(found) == [["9/a", "9/b"], ["7/a", "7/b"]]
    assert (found.groups_found, found.files, found.spare_bytes) == (3, 6, 21)


def test_an_empty_library_has_no_groups(library: Library) -> None:
    assert find_duplicates(library) == Duplicates((), 0, 0, 0, 0, 0, 0)


def test_a_search_folds_as_the_groups_are_where_the_largest_rank_first(sqlite_stock: Stock) -> None:
    stock, rng = sqlite_stock, np.random.default_rng(5)
    hashes = [int(FAR ^ (1 << int(a) | 1 << int(b) | 1 << int(c))) for a, b, c in rng.integers(0, 62, (200, 3))]
    stock.add_pictures(len(hashes))
    with stock.library.write() as session:
        for image_id, seen in zip(stock.images, hashes, strict=True):
            session.execute(update(Image).where(Image.id == image_id).values(perceptual_hash=seen))
    stock.library.publish(stock.model.id)
    with stock.library.read() as session:
        snapshot = take_snapshot(stock.library, session)
        assert snapshot is not None
        rows = snapshot.catalogue.rows_of_images(np.array(stock.images, np.int64))
        folded = fold_near(session, snapshot, rows, wanted=len(rows))
    groups = find_duplicates(stock.library).groups
    grouped = {ids[0]: tuple(ids[1:]) for ids in ([file.image_id for file in group.files] for group in groups)}
    assert grouped == folded


def test_a_hundred_thousand_pictures_cost_few_statements(sqlite_library: Library) -> None:
    count = 100_000
    rng = np.random.default_rng(6)
    hashes = rng.integers(-(2**63), 2**63, count)
    hashes[: count // 10] = hashes[count // 2 : count // 2 + count // 10] ^ 0b11
    with sqlite_library.write() as session:
        session.add(Root(path="/pictures", last_scanned_at=NOW))
        session.flush()
        common = {"size_bytes": 9, "created_at": NOW, "width_px": 8, "height_px": 8, "format": "PNG"}
        images = [
            {"id": n + 1, "sha256": f"{n:064}", "perceptual_hash": seen, **common}
            for n, seen in enumerate(hashes.tolist())
        ]
        session.execute(insert(Image), images)
        common = {"root_id": 1, "state": "indexed", "size_bytes": 9, "mtime_ns": 1, "device": "1", "seen_at": NOW}
        files = [{"path": f"/pictures/{n}", "name": f"{n}", "image_id": n + 1, **common} for n in range(count)]
        session.execute(insert(File), files)
    said: list[str] = []
    event.listen(sqlite_library.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    found = find_duplicates(sqlite_library, limit=100)
    assert (found.pictures, found.groups_found, found.files) == (count, count // 10, count // 5)
    assert len(found.groups) == 100
    assert len(said) < 10
