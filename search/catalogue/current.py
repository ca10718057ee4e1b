"""Which catalogue answers: the published one with what was committed since, renewed while the older one answers."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from search.catalogue.build import Marks, build, marks
from search.catalogue.catalogue import Catalogue
from search.catalogue.file import load_catalogue, save_catalogue
from search.db.schema import Caption, Embedding, File, Generation, Region
from search.db.session import Database
from search.db.told import told
from search.errors import CorruptionError
from search.vectors.durable import remove

KIND = "catalogue"
"""What `generations.kind` says of a catalogue."""

SUFFIX = ".cat"

SMALL = 5_000
"""Rows up to which every publication writes the whole catalogue: a third of a second."""

BESIDE = 10_000
SHARE = 0.02
"""Rows that are read from the database beside a larger one: so many, and no more than this share. The first search of a
process takes as much longer: 0.2 s."""

_SUM = "file_ids"
"""What notes the sum of the files' ids beside the counts of rows: it tells when one went and another came back."""

_PATIENCE = 10.0
"""For how many times as long as it took to make, an older catalogue goes on answering: a job commits all the time."""

_SLOW_S = 0.2
"""From here on; below, every commit is seen at once."""


@dataclass(frozen=True, slots=True)
class _Live:
    """A catalogue, of which generation it is, how far it has seen, and when it was made in how much time."""

    catalogue: Catalogue
    generation: int
    seen: Marks
    made_at: float
    took_s: float


@dataclass(frozen=True, slots=True)
class _MadeOf:
    """The rows that a catalogue was made of: how far they were seen, how many, and a digest to tell them by."""

    seen: Marks
    counts: dict[str, int]
    digest: str


class Catalogues:
    """The catalogues of one library.

    Args:
        database: where the rows are.
        folder: of the generation files.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._live: dict[int, _Live] = {}
        self._base: dict[int, tuple[int, Catalogue, Marks]] = {}
        self._making = threading.Lock()

    def current(self, session: Session, model_id: int, at: tuple[int, Marks] | None = None) -> Catalogue:
        """The catalogue of this moment; while a newer one is made, others are answered with the one before.

        Args:
            session: open for reading.
            at: the published one's id (0 for none) and the marks, where the caller knows them; else they are looked up.

        Raises:
            CorruptionError: the published one is not what was written.
        """
        number, seen = at or active_and_marks(session, model_id)
        live = self._live.get(model_id)
        if live is not None and (live.generation, live.seen) == (number, seen):
            return live.catalogue
        # Another choice of captioners is no growth that can wait: nobody is answered by those who rest.
        older = live if live is not None and live.seen.choice == seen.choice else None
        if older is not None and self._is_soon_enough(older):
            return older.catalogue
        if older is not None and not self._making.acquire(blocking=False):
            return older.catalogue
        if older is None:
            self._making.acquire()
        try:
            live = self._live.get(model_id)
            if live is None or (live.generation, live.seen) != (number, seen):
                live = self._renew(session, model_id, seen)
                self._live[model_id] = live
            return live.catalogue
        finally:
            self._making.release()

    def publish(self, model_id: int, *, force: bool = False) -> bool:
        """Write the catalogue of this moment, if the published one lacks much or holds what is gone.

        The caller holds the library's lock.

        Returns:
            Whether there is a new one.

        Raises:
            LibraryError: the file cannot be written.
        """
        with self._database.read() as session:
            before = active_catalogue(session, model_id)
            seen, counts = marks(session), _counts(session, model_id)
            digest = _digest(seen, counts)
            kept = None
            if before is not None and not force:
                if before.ids_sha256 == digest:
                    return False
                kept = self._whole(session, before, seen)
                if kept is not None and _may_wait(before.measured or {}, counts):
                    return False
            known = None if force else self._known(session, model_id, digest)
            if known is None:
                catalogue = build(session, model_id) if kept is None else build(session, model_id, *kept)
        if known is not None:
            self._activate(model_id, known)
            return True
        if before is None and len(catalogue.images) == 0:
            return False
        made_of = _MadeOf(seen, counts, digest)
        self._write(model_id, catalogue, made_of, keep=0 if force else 1)
        return True

    def clear(self) -> None:
        """Give the memory back."""
        self._live.clear()
        self._base.clear()

    def _known(self, session: Session, model_id: int, digest: str) -> int | None:
        """A former catalogue of exactly these rows, as when what rested is told again."""
        mine = (Generation.model_id == model_id, Generation.kind == KIND, Generation.ids_sha256 == digest)
        for row in session.scalars(select(Generation).where(*mine).order_by(Generation.id.desc())):
            try:
                load_catalogue(self._folder / row.file_name, row.sha256)
            except (FileNotFoundError, CorruptionError):
                continue
            return row.id
        return None

    def _activate(self, model_id: int, number: int) -> None:
        with self._database.write() as session:
            mine = (Generation.model_id == model_id, Generation.kind == KIND)
            session.execute(update(Generation).where(*mine, Generation.active).values(active=False))
            session.execute(update(Generation).where(Generation.id == number).values(active=True))

    def _write(self, model_id: int, catalogue: Catalogue, made_of: _MadeOf, *, keep: int) -> None:
        """Write the file, then make its row the active one; so many of those before stay for readers about to load."""
        path = self._folder / f"{KIND}-m{model_id}-{secrets.token_hex(8)}{SUFFIX}"
        sha256, size_bytes = save_catalogue(catalogue, made_of.seen, path)
        with self._database.write() as session:
            mine = (Generation.model_id == model_id, Generation.kind == KIND)
            newest = (Generation.active.desc(), Generation.id.desc())
            old = session.scalars(select(Generation).where(*mine).order_by(*newest).offset(keep)).all()
            session.execute(update(Generation).where(*mine, Generation.active).values(active=False))
            names = [row.file_name for row in old]
            for row in old:
                session.delete(row)
            fresh = Generation(
                model_id=model_id,
                kind=KIND,
                file_name=path.name,
                index_key=KIND,
                vectors=len(catalogue.images),
                ids_sha256=made_of.digest,
                sha256=sha256,
                size_bytes=size_bytes,
                measured=made_of.counts,
                active=True,
                created_at=datetime.now(UTC),
            )
            session.add(fresh)
        for name in names:
            remove(self._folder / name)

    def _is_soon_enough(self, live: _Live) -> bool:
        return live.took_s > _SLOW_S and time.monotonic() - live.made_at < _PATIENCE * live.took_s

    def _renew(self, session: Session, model_id: int, seen: Marks) -> _Live:
        started = time.monotonic()
        generation = active_catalogue(session, model_id)
        base, since = self._published(session, model_id, generation)
        if base is None or not since.only_grown(seen):
            catalogue = build(session, model_id)
        else:
            catalogue = base if since == seen else build(session, model_id, base, since)
        catalogue.prepare()
        ended = time.monotonic()
        return _Live(catalogue, 0 if generation is None else generation.id, seen, ended, ended - started)

    def _published(
        self, session: Session, model_id: int, generation: Generation | None
    ) -> tuple[Catalogue | None, Marks]:
        if generation is None:
            return None, Marks()
        kept = self._base.get(model_id)
        if kept is not None and kept[0] == generation.id:
            return kept[1], kept[2]
        try:
            catalogue, since = load_catalogue(self._folder / generation.file_name, generation.sha256)
        except FileNotFoundError as error:
            if self._is_followed(generation):
                return None, Marks()  # Several since this session began; it goes on with the rows that it sees.
            raise CorruptionError(
                f"The catalogue {generation.file_name} is missing", remedy="Run `deixis rebuild`: it makes it again."
            ) from error
        self._base[model_id] = (generation.id, catalogue, since)
        return catalogue, since

    def _is_followed(self, generation: Generation) -> bool:
        with self._database.read() as session:  # of this moment: the caller's may see the rows of an earlier one
            newest = active_catalogue(session, generation.model_id)
            return newest is None or newest.id != generation.id

    def _whole(self, session: Session, before: Generation, now: Marks) -> tuple[Catalogue, Marks] | None:
        """A published catalogue and its marks, if its file is sound and nothing is gone of what it was made of."""
        try:
            catalogue, since = load_catalogue(self._folder / before.file_name, before.sha256)
        except (FileNotFoundError, CorruptionError):
            return None
        same = since.choice == now.choice and _counts(session, before.model_id, since) == before.measured
        return (catalogue, since) if same else None


def _may_wait(then: dict[str, int], now: dict[str, int]) -> bool:
    """Whether what came since is so little that it is read at the first search instead."""
    old, new = (sum(count for name, count in counts.items() if name != _SUM) for counts in (then, now))
    return old > SMALL and new - old <= min(BESIDE, SHARE * old)


def active_catalogue(session: Session, model_id: int) -> Generation | None:
    """The row of the published catalogue of a model."""
    return session.scalar(
        select(Generation).where(Generation.model_id == model_id, Generation.kind == KIND, Generation.active)
    )


def active_and_marks(session: Session, model_id: int) -> tuple[int, Marks]:
    """The id of the published catalogue of a model, 0 for none, and how far the tables have grown."""
    published = active_catalogue(session, model_id)
    return 0 if published is None else published.id, marks(session)


def _counts(session: Session, model_id: int, upto: Marks | None = None) -> dict[str, int]:
    """How many rows a catalogue is made of, and the sum of the ids of the files that are shown.

    Args:
        upto: count those alone that were there then.
    """
    owned = (Embedding.image_id.is_not(None)) | (Embedding.text_id.is_not(None))
    is_shown = File.state == "indexed"
    counted = (
        ("caption", func.count(), Caption, (told(Caption),)),
        ("region", func.count(), Region, (told(Region),)),
        ("embedding", func.count(), Embedding, (Embedding.model_id == model_id, owned)),
        ("file", func.count(), File, (is_shown,)),
        (_SUM, func.sum(File.id), File, (is_shown,)),
    )
    found: dict[str, int] = {}
    for name, wanted, table, conditions in counted:
        query = select(wanted).select_from(table).where(*conditions)
        if upto is not None:
            query = query.where(table.id <= getattr(upto, name if name != _SUM else "file"))
        found[name] = int(session.scalar(query) or 0)
    return found


def _digest(seen: Marks, counts: dict[str, int]) -> str:
    """What tells whether the rows are still those that a catalogue was made of: how many, and the highest ids."""
    rows = {name: count for name, count in counts.items() if name != _SUM}
    facts = {"counts": rows, "marks": asdict(seen), "files": counts[_SUM]}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
