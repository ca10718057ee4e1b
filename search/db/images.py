"""Queries over images and files: what is known of a path, of a content hash, of a picture that is to be shown."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from search.db.chunks import LIMIT, chunks
from search.db.limits import (
    INT32_MAX,
    INT64_MAX,
    MAX_FORMAT_CHARS,
    MAX_NOTE_CHARS,
    MAX_PATH_BYTES,
    UnstorableError,
    holdable,
    instant,
    int64,
)
from search.db.schema import Embedding, File, Image

_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Halves of surrogate pairs that stand for no undecodable byte: no file system has given us these."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the library remembers of one path.

    Attributes:
        embedded: whether its image has a vector of the model that was asked about.
    """

    file_id: int
    path: str
    state: str
    reason: str | None
    size_bytes: int
    mtime_ns: int
    device: str
    image_id: int | None
    embedded: bool
    ctime_ns: int | None = None
    beside: str | None = None
    held: str | None = None


@dataclass(frozen=True, slots=True)
class FileFact:
    """What a scan found at a path: the columns of `files` that come from the file system.

    Times and sizes of more than 64 bits become the nearest that there is: a clock that was wrong costs no picture.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    device: str
    ctime_ns: int | None = None
    held: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "size_bytes", int64(self.size_bytes))
        object.__setattr__(self, "mtime_ns", int64(self.mtime_ns))
        object.__setattr__(self, "ctime_ns", None if self.ctime_ns is None else int64(self.ctime_ns))


@dataclass(frozen=True, slots=True)
class ImageFact:
    """What decoding told of a picture: the columns of `images`. A date outside the calendar is no date.

    Raises:
        UnstorableError: it is said to have a size that no picture has.
    """

    sha256: str
    width_px: int
    height_px: int
    format: str
    size_bytes: int
    taken_at: datetime | None
    taken_offset_min: int | None = None
    pixels_sha256: str | None = None
    remark: str | None = None
    perceptual_hash: int | None = None
    facts_version: int | None = None

    def __post_init__(self) -> None:
        if not (0 < self.width_px <= INT32_MAX and 0 < self.height_px <= INT32_MAX):
            raise UnstorableError(f"the picture is said to have {self.width_px} × {self.height_px} pixels")
        if not 0 <= self.size_bytes <= INT64_MAX:
            raise UnstorableError(f"the file is said to have {self.size_bytes} bytes")
        taken_at = instant(self.taken_at)
        object.__setattr__(self, "taken_at", taken_at)
        if taken_at is None:
            object.__setattr__(self, "taken_offset_min", None)
        object.__setattr__(self, "format", holdable(self.format, MAX_FORMAT_CHARS))
        if self.remark is not None:
            object.__setattr__(self, "remark", holdable(self.remark, MAX_NOTE_CHARS))


def path_fault(path: str) -> str | None:
    """Why no database can hold this path, as `code: sentence`; None for nearly every path that there is."""
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:
        return "unstorable: The path holds characters that no file system can have."
    longest = max(len(raw), len(display_name(path).encode()), len(name_key(path).encode()))
    if longest <= MAX_PATH_BYTES:
        return None
    return f"path_too_long: The path has {longest:,} bytes; {MAX_PATH_BYTES:,} can be kept. Move it further up."


def display_path(path: str) -> str:
    """A path as text that any database stores: undecodable bytes become U+FFFD."""
    bytewise = _NO_BYTE.sub("\ufffd", path).encode("utf-8", "surrogateescape")
    return holdable(bytewise.decode("utf-8", "replace"))


def path_key(path: str) -> str:
    """A path as people compare names: in NFC, without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", display_path(path)).casefold())


def display_name(path: str) -> str:
    """The last part of a path as text that any database stores."""
    return display_path(path.rsplit("/", 1)[-1])


def name_key(path: str) -> str:
    """The last part of a path as people compare names."""
    return path_key(path.rsplit("/", 1)[-1])


def below_or_at(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    """The condition that a stored path is `path` or lies below it."""
    return below(column, path) | (column == path)


def below(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    """The condition that a stored path lies below a folder."""
    first = path.rstrip("/") + "/"
    # Paths are stored as bytes and compare bytewise, so "below the folder" is the half-open range up to the next byte.
    return (column >= first) & (column < first[:-1] + chr(ord("/") + 1))


def files_below(session: Session, folder: str, model_id: int, *, after: str, limit: int) -> list[KnownFile]:
    """Files below a folder in the order of their paths, the first `limit` behind the path `after`."""
    query = _known_files(model_id).where(below(File.path, folder), File.path > after)
    return [_known(row) for row in session.execute(query.order_by(File.path).limit(limit))]


def files_at(session: Session, paths: Sequence[str], model_id: int) -> dict[str, KnownFile]:
    """What is known of exactly these paths."""
    found: dict[str, KnownFile] = {}
    for some in chunks(paths):
        found |= {row[1]: _known(row) for row in session.execute(_known_files(model_id).where(File.path.in_(some)))}
    return found


def holds_below(session: Session, folder: str) -> bool:
    """Whether a file below this folder is known."""
    return session.scalar(select(File.id).where(below(File.path, folder)).limit(1)) is not None


def _known_files(model_id: int) -> Select[*tuple[Any, ...]]:
    embedded = exists().where(Embedding.image_id == File.image_id, Embedding.model_id == model_id)
    return select(
        *(File.id, File.path, File.state, File.reason, File.size_bytes, File.mtime_ns, File.device, File.image_id),
        *(embedded, File.ctime_ns, File.beside, File.held),
    )


def _known(row: Row[*tuple[Any, ...]]) -> KnownFile:
    file_id, path, state, reason, size_bytes, mtime_ns, device, image_id, embedded, ctime_ns, beside, held = row
    return KnownFile(
        *(file_id, path, state, reason, size_bytes, mtime_ns, device, image_id, bool(embedded), ctime_ns, beside, held)
    )


def sizes_of_images(session: Session, sizes: Collection[int]) -> set[int]:
    """Which of these byte sizes images have: a file of another size cannot be a copy of a known picture."""
    found: set[int] = set()
    for some in chunks(sorted(sizes)):
        found.update(session.scalars(select(Image.size_bytes).where(Image.size_bytes.in_(some))))
    return found


def image_with_vector(session: Session, sha256: str, model_id: int) -> int | None:
    """Id of the image with this content if it already has a vector of this model."""
    return session.scalar(
        select(Image.id)
        .join(Embedding, Embedding.image_id == Image.id)
        .where(Image.sha256 == sha256, Embedding.model_id == model_id)
    )


def record_file(
    session: Session, fact: FileFact, root_id: int, *, image_id: int | None = None, reason: str | None = None
) -> None:
    """Write what a path holds: an image (`image_id`) or a reason why it does not (`reason`), exactly one of them.

    Raises:
        ValueError: both or neither were given.
    """
    if (image_id is None) == (reason is None):
        raise ValueError("a file holds either an image or a reason")
    file = session.scalar(select(File).where(File.path == fact.path))
    _set_file(session, file, fact, root_id, image_id=image_id, reason=reason)
    session.flush()


def record_files(session: Session, found: Sequence[tuple[FileFact, int, int]]) -> None:
    """Write which images paths hold: `(fact, root_id, image_id)` each, of different paths."""
    known: dict[str, File] = {}
    for some in chunks([fact.path for fact, _, _ in found]):
        known |= {file.path: file for file in session.scalars(select(File).where(File.path.in_(some)))}
    for fact, root_id, image_id in found:
        _set_file(session, known.get(fact.path), fact, root_id, image_id=image_id, reason=None)
    session.flush()


def _set_file(
    session: Session, file: File | None, fact: FileFact, root_id: int, *, image_id: int | None, reason: str | None
) -> None:
    if file is None:
        file = File(path=fact.path, name=display_name(fact.path), name_key=name_key(fact.path), root_id=root_id)
        session.add(file)
    if file.image_id != image_id:
        file.beside = None  # What lies beside it has been read for another picture.
    file.image_id = image_id
    file.state = "indexed" if image_id is not None else "refused"
    file.reason = None if reason is None else holdable(reason, MAX_NOTE_CHARS)
    file.size_bytes = fact.size_bytes
    file.mtime_ns = fact.mtime_ns
    file.ctime_ns = fact.ctime_ns
    file.device = fact.device
    file.held = fact.held
    file.seen_at = datetime.now(UTC)


def mark_state(session: Session, file_ids: Iterable[int], state: str) -> None:
    """Set the state of files, e.g. to `missing` when they are gone or back to `indexed` when they return."""
    left = iter(file_ids)
    while some := list(islice(left, LIMIT)):
        session.execute(update(File).where(File.id.in_(some)).values(state=state))


def note_facts(session: Session, noted: Sequence[tuple[FileFact, KnownFile]]) -> None:
    """Remember what the file system says now of files that are otherwise unaltered."""
    session.execute(
        update(File),
        [{"id": known.file_id, "ctime_ns": fact.ctime_ns, "device": fact.device} for fact, known in noted],
    )


def kept_of(session: Session) -> set[str]:
    """Contents of which the library's own copy is a file, 64 hex digits each."""
    held = session.scalars(select(File.held).where(File.held.startswith("kept "), File.image_id.is_not(None)))
    return {text.removeprefix("kept ") for text in held if text is not None}


def image_dates(session: Session, image_ids: Sequence[int]) -> dict[int, float]:
    """When pictures were taken, in seconds since 1970 of the photographer's clock; undated ones are left out."""
    found: dict[int, float] = {}
    for some in chunks(image_ids):
        query = select(Image.id, Image.taken_at, Image.taken_offset_min).where(Image.id.in_(some))
        for image_id, taken_at, offset_min in session.execute(query):
            if taken_at is not None:
                found[image_id] = taken_at.timestamp() + 60 * (offset_min or 0)
    return found


def first_files(session: Session, image_ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """For each image the first of its indexed files in sorting order: its path, and where its bytes are (`held`)."""
    found: dict[int, tuple[str, str | None]] = {}
    for some in chunks(image_ids):
        query = (
            select(File.image_id, File.path, File.held)
            .where(File.image_id.in_(some), File.state == "indexed")
            .order_by(File.path.desc())
        )
        found.update(
            {image_id: (path, held) for image_id, path, held in session.execute(query) if image_id is not None}
        )
    return found
