"""Queries over images and files: what is known of a path, of a content hash, of a picture that is to be shown."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from search.db.chunks import chunks
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
    below = path.rstrip("/") + "/"
    # Paths are stored as bytes and compare bytewise, so "below the folder" is the half-open range up to the next byte.
    return ((column >= below) & (column < below[:-1] + chr(ord("/") + 1))) | (column == path)


def known_files(session: Session, root_path: str, model_id: int) -> dict[str, KnownFile]:
    """All files at or below `root_path`, by path."""
    has_vector = exists().where(Embedding.image_id == File.image_id, Embedding.model_id == model_id)
    rows = session.execute(select(File, has_vector).where(below_or_at(File.path, root_path)))
    return {file.path: _known(file, bool(embedded)) for file, embedded in rows}


def files_at(session: Session, paths: Sequence[str], model_id: int) -> dict[str, KnownFile]:
    """What is known of exactly these paths."""
    found: dict[str, KnownFile] = {}
    has_vector = exists().where(Embedding.image_id == File.image_id, Embedding.model_id == model_id)
    for some in chunks(paths):
        for file, embedded in session.execute(select(File, has_vector).where(File.path.in_(some))):
            found[file.path] = _known(file, bool(embedded))
    return found


def image_sizes(session: Session) -> set[int]:
    """Byte sizes of all images: a file of another size cannot be a copy of a known picture."""
    return set(session.scalars(select(Image.size_bytes).distinct()))


def image_with_vector(session: Session, sha256: str, model_id: int) -> int | None:
    """Id of the image with this content if it already has a vector of this model."""
    return session.scalar(
        select(Image.id)
        .join(Embedding, Embedding.image_id == Image.id)
        .where(Image.sha256 == sha256, Embedding.model_id == model_id)
    )


def get_or_create_image(session: Session, fact: ImageFact) -> int:
    """Id of the image with this content."""
    known = session.scalar(select(Image).where(Image.sha256 == fact.sha256))
    if known is not None:
        # An older library knows neither digests of pixels nor what they look like; `index --rescan` brings them.
        known.pixels_sha256 = known.pixels_sha256 or fact.pixels_sha256
        if fact.perceptual_hash is not None:
            known.perceptual_hash = fact.perceptual_hash
        known.facts_version = fact.facts_version or known.facts_version
        return known.id
    image = Image(
        sha256=fact.sha256,
        width_px=fact.width_px,
        height_px=fact.height_px,
        format=fact.format,
        size_bytes=fact.size_bytes,
        taken_at=fact.taken_at,
        taken_offset_min=fact.taken_offset_min,
        pixels_sha256=fact.pixels_sha256,
        remark=fact.remark,
        perceptual_hash=fact.perceptual_hash,
        facts_version=fact.facts_version,
        created_at=datetime.now(UTC),
    )
    session.add(image)
    session.flush()
    return image.id


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
    file.seen_at = datetime.now(UTC)
    session.flush()


def mark_state(session: Session, file_ids: Iterable[int], state: str) -> None:
    """Set the state of files, e.g. to `missing` when they are gone or back to `indexed` when they return."""
    for some in chunks(list(file_ids)):
        session.execute(update(File).where(File.id.in_(some)).values(state=state))


def note_facts(session: Session, noted: Sequence[tuple[FileFact, KnownFile]]) -> None:
    """Remember what the file system says now of files that are otherwise unaltered."""
    session.execute(
        update(File),
        [{"id": known.file_id, "ctime_ns": fact.ctime_ns, "device": fact.device} for fact, known in noted],
    )


def image_dates(session: Session, image_ids: Sequence[int]) -> dict[int, float]:
    """When pictures were taken, in seconds since 1970 of the photographer's clock; undated ones are left out."""
    found: dict[int, float] = {}
    for some in chunks(image_ids):
        query = select(Image.id, Image.taken_at, Image.taken_offset_min).where(Image.id.in_(some))
        for image_id, taken_at, offset_min in session.execute(query):
            if taken_at is not None:
                found[image_id] = taken_at.timestamp() + 60 * (offset_min or 0)
    return found


def first_paths(session: Session, image_ids: Sequence[int]) -> dict[int, str]:
    """For each image the first of its indexed files' paths in sorting order."""
    paths: dict[int, str] = {}
    for some in chunks(image_ids):
        query = (
            select(File.image_id, File.path)
            .where(File.image_id.in_(some), File.state == "indexed")
            .order_by(File.path.desc())
        )
        paths.update({image_id: path for image_id, path in session.execute(query) if image_id is not None})
    return paths


def _known(file: File, embedded: bool) -> KnownFile:
    return KnownFile(
        file_id=file.id,
        path=file.path,
        state=file.state,
        reason=file.reason,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        device=file.device,
        image_id=file.image_id,
        embedded=embedded,
        ctime_ns=file.ctime_ns,
        beside=file.beside,
    )
