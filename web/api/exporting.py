"""Rows of the library as JSON Lines or CSV, read page by page while they are sent: memory does not grow with them."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, TypeAlias

from search.library import Library
from search.listing import ListedImage, Place, ToldRow, list_images, list_told
from web.templating import text_of_path

Format: TypeAlias = Literal["jsonl", "csv"]
MEDIA_TYPES: Mapping[str, str] = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}

_PAGE = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run: such a text gets an apostrophe before it."""

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "images": ("image_id", "sha256", "width_px", "height_px", "format", "size_bytes", "taken_at", "path"),
    "captions": ("caption_id", "image_id", "text", "source", "language"),
    "regions": ("region_id", "image_id", "phrase", "x0", "y0", "x1", "y1", "score", "source"),
}


def exported(library: Library, of: str, filters: str | None, written: Format) -> Iterator[bytes]:
    """Rows as bytes, a page at a time; the first page is read at once, so that errors come before any row.

    Raises:
        LibraryEmptyError: there are filters, and nothing has been indexed yet.
        QueryError: the filters cannot be read, or are no filters.
    """
    columns = _COLUMNS["regions" if of == "texts" else of]
    pages = _pages(library, of, filters)
    first = next(pages)
    return _written(itertools.chain([first], pages), columns, written)


def _pages(library: Library, of: str, filters: str | None) -> Iterator[list[dict[str, Any]]]:
    after: Place | None = None
    while True:
        if of == "images":
            images, after = list_images(library, filters, "-added", _PAGE, after)
            yield [_image(one) for one in images]
        else:
            told, after = list_told(library, of, filters, _PAGE, after)  # type: ignore[arg-type]  # the others are these
            yield [_told(row) for row in told]
        if after is None:
            return


def _image(image: ListedImage) -> dict[str, Any]:
    return {**asdict(image), "path": text_of_path(image.path)}


def _told(row: ToldRow) -> dict[str, Any]:
    if row.caption is not None:
        said = row.caption
        return {"caption_id": said.caption_id, "image_id": row.image_id, "text": said.text, "source": said.source,
                "language": said.language}  # fmt: skip
    assert row.region is not None  # a row is one of the two
    one = row.region
    return {"region_id": one.region_id, "image_id": row.image_id, "phrase": one.phrase, **asdict(one.box),
            "score": one.score, "source": one.source}  # fmt: skip


def _written(pages: Iterator[list[dict[str, Any]]], columns: tuple[str, ...], written: Format) -> Iterator[bytes]:
    if written == "jsonl":
        for page in pages:
            lines = (json.dumps({name: _plain(row[name]) for name in columns}, ensure_ascii=False) for row in page)
            yield "".join(line + "\n" for line in lines).encode()
        return
    head = True
    for page in pages:
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        if head:
            rows.writerow(columns)
            head = False
        rows.writerows([_harmless(row[name]) for name in columns] for row in page)
        yield text.getvalue().encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _harmless(value: Any) -> Any:
    plain = _plain(value)
    return f"'{plain}" if isinstance(plain, str) and plain.startswith(_FORMULA) else plain
