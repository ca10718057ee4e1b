"""Jobs that may be asked for from outside: what is given is checked, and becomes what the queue keeps.

The forms that run them (`indexer.jobs.kinds`) are out of reach here; a test holds the two together. What takes away
(`prune`, `replace_model`), and what names other files of the server, is for the command line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from search.db.roots import is_below, root_paths
from search.encoder import EncoderWish
from search.errors import QueryError
from search.jobs.queue import Queue
from search.library import Library
from search.settings import Settings
from vision.grounding.presets import CAPTIONERS
from vision.readers.presets import DEFAULT_READER

KINDS = ("index", "caption", "read", "rebuild")
MAX_PATHS = 100


@dataclass(frozen=True, slots=True)
class AskedJob:
    """A job as `Queue.add` takes it."""

    kind: str
    lane: str | None
    arguments: dict[str, Any]

    def queue(self, library: Library, key: str | None = None) -> int:
        """Queue it, once for each key; returns its number.

        Raises:
            SameKeyError: with that key another job was asked for.
        """
        return Queue(library).add(self.kind, self.lane, self.arguments, key)


def index_job(
    library: Library, settings: Settings, paths: Sequence[str], *, retry_refused: bool = False, rescan: bool = False
) -> AskedJob:
    """Bring the library up to date with folders that it knows; with all of them where none is named.

    Raises:
        QueryError: a path is not at or below a folder that was given to `index`, or there are too many.
    """
    if len(paths) > MAX_PATHS:
        raise QueryError(f"{len(paths)} paths were named; the limit is {MAX_PATHS}", remedy="Name a folder above them.")
    with library.read() as session:
        known = root_paths(session)
    wanted = tuple(_below_known(path, known) for path in paths)
    options = {
        "retry_refused": retry_refused,
        "rescan": rescan,
        "decode_workers": settings.decoders,
        "limits": _limits(settings),
        "archives": asdict(settings.archive_limits),
    }
    return AskedJob("index", "pictures", {"paths": list(wanted), "options": options, "encoder": _encoder(settings)})


def caption_job(
    settings: Settings,
    captioner: str | None = None,
    *,
    detail: Literal["brief", "detailed"] = "brief",
    language: str | None = None,
    retry_refused: bool = False,
) -> AskedJob:
    """Let a captioner write about every picture that it has not captioned yet.

    Raises:
        QueryError: there is no such captioner.
    """
    chosen = captioner or settings.captioner or "kosmos2"
    if chosen != settings.captioner and chosen not in CAPTIONERS:
        raise QueryError(f"there is no captioner {chosen}", remedy=f"Known: {', '.join(CAPTIONERS)}.")
    options = {
        "detail": detail,
        "language": language,
        "retry_refused": retry_refused,
        "decode_workers": settings.decoders,
        "limits": _limits(settings),
    }
    return AskedJob("caption", "captions", {"captioner": chosen, "options": options, "encoder": _encoder(settings)})


def read_job(settings: Settings, *, thorough: bool = False, retry_refused: bool = False) -> AskedJob:
    """Read the text in every picture that was not read yet."""
    options = {
        "retry_refused": retry_refused,
        "decode_workers": settings.decoders,
        "limits": _limits(settings),
    }
    given = {"reader": DEFAULT_READER, "options": options, "encoder": _encoder(settings), "thorough": thorough}
    return AskedJob("read", "reading", given)


def rebuild_job(*, compact: bool = False) -> AskedJob:
    """Make every index again."""
    return AskedJob("rebuild", None, {"compact": compact})


def _below_known(path: str, known: Sequence[str]) -> str:
    if "\0" in path or not os.path.isabs(path):
        raise QueryError("a path is not absolute", remedy="Name a folder as `GET /api/v1/stats` lists it, or below it.")
    plain = os.path.normpath(path)
    if not any(plain == root or is_below(plain, root) for root in known):
        raise QueryError(
            f"{plain[:200]!r} was never given to `index`", remedy="Run `deixis index FOLDER` on the server first."
        )
    return plain


def _encoder(settings: Settings) -> dict[str, Any]:
    wish = asdict(EncoderWish.of(settings, bulk=True))
    folder = None if settings.model is None else Path(settings.model).expanduser()
    if folder is not None and folder.is_dir():
        wish["model"] = str(folder.absolute())  # as the worker finds it from wherever it runs
    return wish


def _limits(settings: Settings) -> dict[str, Any]:
    return {
        "max_file_bytes": settings.max_file_bytes,
        "max_pixels": settings.max_pixels,
        "max_expansion": settings.max_expansion,
        "timeout_s": settings.decode_timeout_s,
        "memory_bytes": settings.decode_memory_bytes,
    }
