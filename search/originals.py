"""Where the bytes of the library's pictures are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from search.db.images import first_files
from search.kept import kept_folder
from vision.archives.member import LocatorError
from vision.originals import Original


def first_originals(session: Session, home: Path, image_ids: Sequence[int]) -> dict[int, Original]:
    """For each image the original of the first of its indexed files in sorting order.

    Args:
        home: of the library.
    """
    kept_in = kept_folder(home)
    return {
        image_id: _original(path, held, kept_in) for image_id, (path, held) in first_files(session, image_ids).items()
    }


def _original(path: str, held: str | None, kept_in: str) -> Original:
    try:
        return Original.of(path, held, kept_in)
    except LocatorError:  # a damaged row: the decoder finds nothing there and says so, `verify` says why
        return Original(path, path)
