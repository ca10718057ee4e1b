"""What a library holds, folder by folder, and what is still to be done: for a page, in few queries."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from search.captioning import GenerationInfo, list_generations
from search.db.roots import is_url, rules_of
from search.db.schema import Embedding, File, Image, Model, Reading, Region, Root
from search.folder_rules import FolderRules
from search.library import Library
from search.vectors.live import shown

_ANSWER_S = 1.0
"""A drive that has not said by then whether a folder is there counts as silent."""

_ASKED_AT_ONCE = 16
"""Roots: one drive that hangs must not keep the others from answering."""

Reach = Literal["here", "gone", "empty", "silent", "closed", "fetched"]
"""Where a root is now: it can be listed; there is nothing at its path; it has become empty although files are known of
it, as the place of a drive does; the drive does not answer; it may not be read; it is no folder but a server."""


@dataclass(frozen=True, slots=True)
class RootOverview:
    """A folder that was given to `index`.

    Attributes:
        indexed: files that can be found.
        refused: files that could not be read.
        missing: files that were there once; they are hidden.
    """

    id: int
    path: str
    last_scanned_at: datetime | None
    rules: FolderRules
    indexed: int
    refused: int
    missing: int
    reach: Reach


@dataclass(frozen=True, slots=True)
class Pending:
    """How far what makes pictures easier to find has come.

    Attributes:
        images: pictures that can be found.
        generations: what captioners have said.
        boxes: boxes that show something.
        boxes_embedded: of how many of them it is known what they look like.
        read: in how many pictures some reader has looked for text.
    """

    images: int
    generations: tuple[GenerationInfo, ...]
    boxes: int
    boxes_embedded: int
    read: int


@dataclass(frozen=True, slots=True)
class ModelOverview:
    """The encoder that made the library's vectors."""

    name: str
    backend: str
    dim: int
    revision: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it; `model` is None before the first picture."""

    roots: tuple[RootOverview, ...]
    pending: Pending
    model: ModelOverview | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that could not be read.

    Attributes:
        code: of the table of refusals.
        sentence: why.
    """

    path: str
    code: str
    sentence: str
    size_bytes: int
    seen_at: datetime


def overview(library: Library) -> Overview:
    """Look at the library's rows, and at whether its folders are there; a drive that hangs costs a second."""
    generations = tuple(list_generations(library))
    with library.read() as session:
        counts = _counts(session)
        roots = sorted(session.scalars(select(Root)), key=lambda root: root.path)
        facts = [(root.id, root.path, root.last_scanned_at, rules_of(root)) for root in roots]
        model = library.active_model(session)
        pending = _pending(session, generations, model)
        told = None if model is None else ModelOverview(model.name, model.backend, model.dim, model.revision)
    known = [sum(counts.get(root_id, {}).values()) for root_id, *_ in facts]
    reaches = _reaches([path for _, path, *_ in facts], known)
    return Overview(
        roots=tuple(
            RootOverview(
                id=root_id,
                path=path,
                last_scanned_at=at,
                rules=rules,
                indexed=counts.get(root_id, {}).get("indexed", 0),
                refused=counts.get(root_id, {}).get("refused", 0),
                missing=counts.get(root_id, {}).get("missing", 0),
                reach=reach,
            )
            for (root_id, path, at, rules), reach in zip(facts, reaches, strict=True)
        ),
        pending=pending,
        model=told,
    )


def refusals(library: Library, *, limit: int, offset: int = 0) -> tuple[list[Refusal], dict[str, int]]:
    """Files that could not be read, in the order of paths, and how many there are by code.

    Args:
        limit: at most so many.
        offset: behind so many.
    """
    with library.read() as session:
        rows = session.execute(
            select(File.path, File.reason, File.size_bytes, File.seen_at)
            .where(File.state == "refused")
            .order_by(File.path)
            .limit(limit)
            .offset(offset)
        ).all()
        code = func.substr(File.reason, 1, 40).label("code")
        by_code: dict[str, int] = {}
        for begin, count in session.execute(select(code, func.count()).where(File.state == "refused").group_by(code)):
            name = str(begin).partition(":")[0]
            by_code[name] = by_code.get(name, 0) + count
    found = []
    for path, reason, size_bytes, seen_at in rows:
        name, _, sentence = str(reason).partition(": ")
        found.append(Refusal(path, name, sentence, size_bytes, seen_at))
    return found, dict(sorted(by_code.items(), key=lambda each: (-each[1], each[0])))


def _counts(session: Session) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    query = select(File.root_id, File.state, func.count()).group_by(File.root_id, File.state)
    for root_id, state, count in session.execute(query):
        found.setdefault(root_id, {})[state] = count
    return found


def _pending(session: Session, generations: tuple[GenerationInfo, ...], model: Model | None) -> Pending:
    def count(query: Select[int]) -> int:
        return session.scalar(query) or 0

    # A picture that two readers have looked at counts once.
    looked = select(Reading.image_id).where(shown(Reading.image_id)).distinct().subquery()
    boxes = select(func.count()).where(Region.is_read.is_(False), shown(Region.image_id))
    model_id = None if model is None else model.id
    embedded = exists().where(Embedding.model_id == model_id, Embedding.region_id == Region.id)
    return Pending(
        images=count(select(func.count()).select_from(Image).where(shown(Image.id))),
        generations=generations,
        boxes=count(boxes),
        boxes_embedded=count(boxes.where(embedded)),
        read=count(select(func.count()).select_from(looked)),
    )


def _reaches(paths: Sequence[str], known: Sequence[int]) -> list[Reach]:
    """Where each root is, asked in threads that nobody waits for longer than `_ANSWER_S` in all."""
    found: dict[int, Reach] = {}
    waiting = iter(range(len(paths)))

    def ask() -> None:
        while (at := next(waiting, None)) is not None:  # `next` of a range is one step of the interpreter
            found[at] = _reach(paths[at], known[at])

    threads = [threading.Thread(target=ask, name="reach", daemon=True) for _ in range(min(len(paths), _ASKED_AT_ONCE))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _ANSWER_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [found.get(at, "silent") for at in range(len(paths))]


def _reach(path: str, known: int) -> Reach:
    if is_url(path):
        return "fetched"
    try:
        if not os.path.isdir(path):
            return "here" if os.path.lexists(path) else "gone"
        with os.scandir(path) as entries:
            return "here" if next(entries, None) is not None or not known else "empty"
    except PermissionError:
        return "closed"
    except OSError:
        return "gone"
