"""Files of a library that hold the same picture, byte for byte or nearly: found and told, never touched."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.images import below_or_at
from search.db.roots import remembered_path
from search.db.schema import File, Image
from search.library import Library
from search.near import leaders
from search.vectors.live import shown
from vision.perceptual import PLAIN

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class CopyFile:
    """One file of a group, as the last `index` saw it.

    Attributes:
        image_id: files with the same bytes have the same.
        size_bytes: of the file.
        taken_at: by its metadata.
        modified_at: by its file system.
        largest: no other of the group has more pixels or, with as many, more bytes; False where that holds for all.
        oldest: no other was taken (modified, where that is not known) earlier; False where that holds for all.
    """

    path: str
    image_id: int
    width_px: int
    height_px: int
    size_bytes: int
    format: str
    taken_at: datetime | None
    modified_at: datetime
    largest: bool
    oldest: bool


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Files that show one picture.

    Attributes:
        equal: all have the same bytes.
        spare_bytes: what all files but one largest take up.
        files: at least two; the largest first, equal ones together, then by path.
    """

    equal: bool
    spare_bytes: int
    files: tuple[CopyFile, ...]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What `find_duplicates` found.

    Attributes:
        groups: most spare bytes first; no more than were asked for.
        groups_found: of how many.
        files: in all groups found.
        spare_bytes: of all groups found.
        pictures: that were looked at.
        plain: pictures among them without enough structure to be compared by what they show.
        unhashed: pictures among them that cannot be compared so until `index --rescan`. Both are 0 with `exact`.
    """

    groups: tuple[DuplicateGroup, ...]
    groups_found: int
    files: int
    spare_bytes: int
    pictures: int
    plain: int
    unhashed: int


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Those that a file holds, those that may lead first.

    Attributes:
        ids: `(n,)` int64.
        sizes: `(n,)` int64, bytes.
        hashes: `(n,)` uint64, `PLAIN` for those without.
        unhashed: how many have none.
    """

    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    unhashed: int


def find_duplicates(
    library: Library, *, below: str | Path | None = None, exact: bool = False, limit: int | None = None
) -> Duplicates:
    """Group files that show one picture, as `collapse="near"` would fold them behind the largest.

    The largest picture leads, and everything in its group is near to it. Pictures that no file holds at the moment are
    left out.

    Args:
        library: only read.
        below: a folder or file as a person names it; only groups of which a member lies there.
        exact: only files with the same bytes.
        limit: at most so many groups, at least 1; None for all.

    Raises:
        NotFoundError: the library has nothing at or below that path.
    """
    with library.read() as session:
        path = None if below is None else remembered_path(session, os.fspath(below))
        pictures = _pictures(session)
        copies = _several_files(session)
        told = np.flatnonzero(pictures.hashes != np.uint64(PLAIN))
        leading = np.arange(len(pictures.ids))
        if not exact:
            leading[told] = told[leaders(pictures.hashes[told])]
        groups = _gather(pictures.ids, leading, copies)
        if path is not None:
            inside = _held_below(session, path)
            groups = [group for group in groups if not inside.isdisjoint(group)]
        size_of = dict(zip(pictures.ids.tolist(), pictures.sizes.tolist(), strict=True))
        spare = [sum(size_of[one] * copies.get(one, 1) for one in group) - size_of[group[0]] for group in groups]
        order = sorted(range(len(groups)), key=lambda at: (-spare[at], groups[at]))[:limit]
        held = _files(session, [one for at in order for one in groups[at]])
        told_groups = tuple(_group([file for one in groups[at] for file in held[one]], spare[at]) for at in order)
    return Duplicates(
        groups=told_groups,
        groups_found=len(groups),
        files=sum(copies.get(one, 1) for group in groups for one in group),
        spare_bytes=sum(spare),
        pictures=len(pictures.ids),
        plain=0 if exact else len(pictures.ids) - len(told) - pictures.unhashed,
        unhashed=0 if exact else pictures.unhashed,
    )


def _pictures(session: Session) -> _Pictures:
    """The largest first: most pixels, then most bytes, then known longest."""
    query = select(Image.id, Image.size_bytes, Image.width_px, Image.height_px, Image.perceptual_hash)
    rows = session.execute(query.where(shown(Image.id)).execution_options(yield_per=_ROWS_AT_ONCE))
    unhashed = 0
    parts = [np.empty((0, 4), np.int64)]
    for some in rows.partitions():
        unhashed += sum(row.perceptual_hash is None for row in some)
        facts = [
            (one, size, width * height, PLAIN if seen is None else seen) for one, size, width, height, seen in some
        ]
        parts.append(np.array(facts, np.int64))
    found = np.concatenate(parts)
    found = found[np.lexsort((found[:, 0], -found[:, 1], -found[:, 2]))]
    hashes = np.ascontiguousarray(found[:, 3]).view(np.uint64)
    return _Pictures(found[:, 0], found[:, 1], hashes, unhashed)


def _several_files(session: Session) -> dict[int, int]:
    """How many files hold a picture, of those that more than one does."""
    count = func.count()
    query = select(File.image_id, count).where(File.state == "indexed").group_by(File.image_id).having(count > 1)
    return {image_id: files for image_id, files in session.execute(query) if image_id is not None}


def _gather(ids: NDArray[np.int64], leading: NDArray[np.int64], copies: dict[int, int]) -> list[list[int]]:
    """Image ids of each group that has more than one file, its leader first."""
    sizes = np.bincount(leading, minlength=len(ids))
    gathered: dict[int, list[int]] = defaultdict(list)
    for at in np.flatnonzero((sizes[leading] > 1) | np.isin(ids, list(copies))).tolist():
        gathered[int(leading[at])].append(int(ids[at]))
    return list(gathered.values())


def _held_below(session: Session, path: str) -> set[int | None]:
    query = select(File.image_id).where(File.state == "indexed", below_or_at(File.path, path))
    return set(session.scalars(query))


def _files(session: Session, image_ids: list[int]) -> dict[int, list[tuple[File, Image]]]:
    """Files of pictures by image id, in the order of their paths."""
    found: dict[int, list[tuple[File, Image]]] = defaultdict(list)
    for some in chunks(image_ids):
        query = select(File, Image).join(Image, File.image_id == Image.id)
        query = query.where(Image.id.in_(some), File.state == "indexed").order_by(File.path)
        for file, image in session.execute(query):
            found[image.id].append((file, image))
    return found


def _group(files: list[tuple[File, Image]], spare_bytes: int) -> DuplicateGroup:
    sizes = [(image.width_px * image.height_px, image.size_bytes) for _, image in files]
    dates = [image.taken_at or _moment(file.mtime_ns) for file, image in files]
    return DuplicateGroup(
        equal=len({image.id for _, image in files}) == 1,
        spare_bytes=spare_bytes,
        files=tuple(
            CopyFile(
                path=file.path,
                image_id=image.id,
                width_px=image.width_px,
                height_px=image.height_px,
                size_bytes=image.size_bytes,
                format=image.format,
                taken_at=image.taken_at,
                modified_at=_moment(file.mtime_ns),
                largest=size == max(sizes) != min(sizes),
                oldest=date == min(dates) != max(dates),
            )
            for (file, image), size, date in zip(files, sizes, dates, strict=True)
        ),
    )


def _moment(mtime_ns: int) -> datetime:
    """Any time that 64 bits hold is in the calendar."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=mtime_ns // 1000)
