"""Previews and patches of a library, to Parquet and back; what does not convince is left out and made again later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import Image
from search.patches.store import Kept, PatchStore, unpacked
from search.portable.parquet import Parquet
from search.previews import SIZES_PX, PreviewStore, sides_px
from search.vectors.durable import writing_to
from vision.images import Decoded, DecodeRequest, DecoderPool

PREVIEWS = "previews.parquet"
PATCHES = "patches.parquet"

_GROUP_BYTES = 16 << 20
_MOST_BYTES = 8 << 20
"""Of one preview or one picture's patches; the largest that there are have a fifth of it."""

_AT_ONCE = 16


def previews_schema(parquet: Parquet) -> Any:
    """The picture's SHA-256, the longest side, the JPEG or WebP bytes."""
    arrow = parquet.arrow
    return arrow.schema([("sha256", arrow.string()), ("size_px", arrow.int32()), ("preview", arrow.binary())])


def patches_schema(parquet: Parquet) -> Any:
    """The picture's SHA-256, the bytes of a patch file."""
    arrow = parquet.arrow
    return arrow.schema([("sha256", arrow.string()), ("patches", arrow.binary())])


def write_previews(
    session: Session, parquet: Parquet, store: PreviewStore, path: Path, on_rows: Callable[[int], None]
) -> int:
    """Write the previews that there are; returns how many.

    Raises:
        LibraryError: the file cannot be written.
    """

    def found() -> Iterator[tuple[Any, ...]]:
        for sha256 in _pictures(session):
            on_rows(1)
            for size_px in SIZES_PX:
                preview = store.read(sha256, size_px)
                if preview is not None and len(preview) <= _MOST_BYTES:
                    yield sha256, size_px, preview

    return _write(parquet, path, previews_schema(parquet), found())


def write_patches(session: Session, parquet: Parquet, store: PatchStore, kept: Kept, path: Path) -> int:
    """Write the patches that there are; returns of how many pictures.

    Raises:
        LibraryError: the file cannot be written.
    """

    def found() -> Iterator[tuple[Any, ...]]:
        for sha256 in _pictures(session):
            try:
                data = store.path(sha256, kept.model).read_bytes()
            except OSError:
                continue
            if len(data) <= _MOST_BYTES and unpacked(data) is not None:
                yield sha256, data

    return _write(parquet, path, patches_schema(parquet), found())


def restore_previews(
    session: Session, parquet: Parquet, store: PreviewStore, path: Path, pool: DecoderPool
) -> Iterator[tuple[int, int]]:
    """Keep the previews of a file that a decoding child can read; yields how many were kept and how many left out.

    No preview is decoded in this process before a child has decoded it: these bytes may be anybody's.

    Raises:
        ExportFormatError: the file is damaged.
        LibraryError: a preview cannot be written.
    """
    for batch in parquet.read(path, _AT_ONCE):
        items = batch.to_pylist()
        known = _known(session, [item["sha256"] for item in items])
        sound = [item for item in items if item["sha256"] in known and _is_preview(item["size_px"], item["preview"])]
        requests = (DecodeRequest(path=item["sha256"], preview_px=32, data=item["preview"]) for item in sound)
        kept = 0
        for item, answer in zip(sound, pool.map(requests), strict=True):
            if isinstance(answer, Decoded) and not answer.is_cut_short:
                with writing_to(store.folder):
                    store.put(item["sha256"], item["size_px"], item["preview"])
                kept += 1
        yield kept, len(items) - kept


def restore_patches(
    session: Session, parquet: Parquet, store: PatchStore, kept: Kept, dim: int, path: Path
) -> Iterator[tuple[int, int]]:
    """Keep the patches of a file that can be read; yields how many were kept and how many left out.

    Raises:
        ExportFormatError: the file is damaged.
        LibraryError: patches cannot be written.
    """
    store.keep(kept)
    for batch in parquet.read(path, _AT_ONCE):
        items = batch.to_pylist()
        known = _known(session, [item["sha256"] for item in items])
        done = 0
        for item in items:
            if item["sha256"] in known and item["patches"] is not None:
                done += store.put_packed(item["sha256"], kept, item["patches"], dim)
        yield done, len(items) - done


def _write(parquet: Parquet, path: Path, schema: Any, rows: Iterator[tuple[Any, ...]]) -> int:
    names, count, size_bytes = schema.names, 0, 0
    waiting: list[tuple[Any, ...]] = []
    with parquet.writing(path, schema) as write:
        for row in rows:
            waiting.append(row)
            count += 1
            size_bytes += len(row[-1])
            if size_bytes >= _GROUP_BYTES:
                write(dict(zip(names, zip(*waiting, strict=True), strict=True)))
                waiting, size_bytes = [], 0
        if waiting:
            write(dict(zip(names, zip(*waiting, strict=True), strict=True)))
    return count


def _pictures(session: Session) -> Iterator[str]:
    yield from session.scalars(select(Image.sha256).order_by(Image.id).execution_options(yield_per=2000))


def _known(session: Session, hashes: list[str | None]) -> set[str]:
    found: set[str] = set()
    for some in chunks([one for one in hashes if one is not None]):
        found.update(session.scalars(select(Image.sha256).where(Image.sha256.in_(some))))
    return found


def _is_preview(size_px: int | None, preview: bytes | None) -> bool:
    if size_px not in SIZES_PX or preview is None or len(preview) > _MOST_BYTES:
        return False
    sides = sides_px(preview)
    return sides is not None and 0 < min(sides) <= max(sides) <= size_px
