"""A library: a home folder and its database, opened, checked and closed together."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from search.belonging import MARK_FILE, check_claim, claim, lies_in, tie
from search.catalogue.current import Catalogues
from search.db.limits import holdable
from search.db.readonly import why_not_writable
from search.db.schema import Model
from search.db.session import Database, database_url, open_database
from search.db.upgrade import nothing_here, require_form
from search.errors import LibraryEmptyError, LibraryFaultError, ModelMismatchError
from search.lock import JobLock
from search.patches.kept import KeptPatches
from search.vectors.durable import writing_to
from search.vectors.live import KINDS
from search.vectors.store import VectorStore
from vision.encoders.base import EncoderFacts
from vision.whole_files import remove_unfinished


class Library:
    """Everything that is stored: rows in a database, vectors and previews in a home folder.

    Made by `Library.open`; close it, or use it as a context manager. Safe to use from several threads.

    Attributes:
        home: the folder.
        database: its engine and transactions, for the rooms that keep this library.
        vectors: the vector store.
        catalogues: what belongs to what, in memory.
        patches: of the pictures, where the library keeps them.
    """

    def __init__(self, home: Path, database: Database, uid: str) -> None:
        self.home = home
        self.database = database
        self._lock = JobLock(home, database.engine, uid)
        self._claimed = False
        self.vectors = VectorStore(home, database, uid, self._guard)
        self.catalogues = Catalogues(database, self.vectors.generations_folder)
        self.patches = KeptPatches(home)

    @classmethod
    def open(cls, home: Path, database_url: str | None = None, *, create: bool = False) -> Library:
        """Open the library in `home`.

        Args:
            home: its folder.
            database_url: SQLAlchemy URL of SQLite or Postgres; None means SQLite inside `home`.
            create: make what is missing and bring the database to the form that this version needs.

        Raises:
            LibraryEmptyError: there is no library here, and `create` is off.
            LibraryError: the database has the form of another version, or belongs to another home or to something
                else.
            LibraryFaultError: it cannot be reached or read; or `create` is on, and it cannot be written.
            CorruptionError: the SQLite file is damaged.
        """
        home = home.absolute()
        url = _database_url(home, database_url)
        if create:
            with writing_to(home):
                home.mkdir(parents=True, exist_ok=True, mode=0o700)
            refusal = why_not_writable(home, home / "segments", home / "generations")
            if refusal is not None:
                raise refusal
        elif not home.is_dir() or (url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file()):
            raise nothing_here(home)
        database = open_database(url, writing=create)
        try:
            require_form(database, home, create=create)
            return cls(home, database, tie(database, home, create=create))
        except BaseException:
            database.close()
            raise

    @property
    def engine(self) -> Engine:
        """The database's engine, for tools; transactions go through `read` and `write`."""
        return self.database.engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one snapshot of the database; it cannot write."""
        with self.database.read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """The one writing session: commits at the end of the block, rolls back when it raises.

        Raises:
            LibraryBusyError: another writer did not finish within five seconds.
            LibraryError: the disk is full, or a bulk job has lost the library's lock.
        """
        with self.database.write() as session:
            yield session
            self._lock.check()
            if self._claimed and session.in_transaction():  # Whoever has rolled back commits nothing.
                check_claim(session, self.home)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the library for one bulk job, whose thread may enter again, after clearing leftovers away.

        Raises:
            LibraryBusyError: another bulk job holds it; says which process.
            LibraryError: the library's vectors have come to lie in another home.
        """
        with self._lock.hold() as fresh, self._claiming(fresh=fresh, alone=True):
            yield

    @contextmanager
    def working(self, lane: str, *, take_over: bool = False) -> Iterator[None]:
        """Hold one lane of the library, beside jobs that write other things; the first of them clears away.

        Args:
            lane: what the job writes: `pictures`, `captions`, …
            take_over: take the lane from a process that lives and does not answer; its next commit fails.

        Raises:
            LibraryBusyError: another job has that lane, or holds the library alone.
            LibraryError: the library's vectors have come to lie in another home.
        """
        entered = self._lock.work(lane, take_over=take_over)
        with entered as entry, self._claiming(fresh=entry.fresh, alone=entry.alone):
            self._lock.admit_others()
            yield

    def watching(self) -> contextlib.AbstractContextManager[None]:
        """As `JobLock.watch`: be the only process that watches the folders."""
        return self._lock.watch()

    @contextmanager
    def turn(self, name: str, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Wait for other jobs that do the same at this moment, ten minutes at most; `meanwhile` is called all the time.

        Raises:
            LibraryBusyError: another process holds the library alone.
        """
        with self._lock.share(), self._lock.turn(name, meanwhile):
            yield

    @contextmanager
    def _claiming(self, *, fresh: bool, alone: bool) -> Iterator[None]:
        if not fresh:
            yield
            return
        with self.database.write() as session:
            claim(session, self.database, self.home)
        self._claimed = not lies_in(self.database, self.home)
        try:
            if alone:  # Beside others, what looks like a leftover may be what they are writing.
                self.vectors.recover()
                for name in ("", "previews", "patches"):
                    remove_unfinished(self.home / name)
            yield
        finally:
            self._claimed = False

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Hold the library without touching anything: for `verify`, which is to see what was left.

        A library that cannot be written is held by nobody here: there is no lock that this process could take.

        Raises:
            LibraryBusyError: a bulk job holds it.
        """
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(self._lock.hold())
            except LibraryFaultError:
                if not self.read_only:
                    raise
            yield

    @property
    def read_only(self) -> bool:
        """Whether this process can search the library and not change it."""
        return self.database.why_read_only is not None or why_not_writable(self.home) is not None

    def register_model(self, session: Session, facts: EncoderFacts) -> Model:
        """The row of this encoder's identity, made where there is none; its name and location become the latest.

        Args:
            session: from `write`.
            facts: the encoder.
        """
        model = session.scalar(select(Model).where(Model.identity == facts.identity))
        if model is None:
            model = Model(
                identity=facts.identity,
                backend=facts.backend,
                revision=facts.revision,
                dim=facts.dim,
                active=False,
                created_at=datetime.now(UTC),
            )
            session.add(model)
        model.name = holdable(facts.name)  # a folder's name may hold any bytes
        model.location = facts.location
        model.facts = asdict(facts)
        session.flush()
        return model

    def active_model(self, session: Session) -> Model | None:
        """The model that answers queries, or None before the first `index`."""
        return session.scalar(select(Model).where(Model.active))

    def activate_model(self, session: Session, model: Model) -> None:
        """Let this model answer queries, and no other, once the session commits."""
        session.execute(update(Model).where(Model.active, Model.id != model.id).values(active=False))
        session.execute(update(Model).where(Model.id == model.id).values(active=True))
        session.refresh(model)

    def check_model(self, session: Session, facts: EncoderFacts) -> Model:
        """The active model, if this encoder is the one that made its vectors.

        Raises:
            LibraryEmptyError: no model is active.
            ModelMismatchError: the encoder is another one; says in which facts.
        """
        active = self.active_model(session)
        if active is None:
            raise LibraryEmptyError("Nothing has been indexed yet", remedy="Run `deixis index FOLDER` first.")
        if active.identity != facts.identity:
            raise ModelMismatchError(
                f"The library was made with {active.name}, not with {facts.name}: {_differences(active, facts)}",
                remedy="Use that model, run `deixis index --replace-model`, or choose another DEIXIS_HOME.",
            )
        return active

    def publish(self, model_id: int, kinds: Sequence[str] = KINDS, *, force: bool = False) -> list[str]:
        """Make what lives now searchable: the vectors of these kinds, then the catalogue.

        Returns:
            Kinds of which there is a new generation; `catalogue` is one.

        Raises:
            LibraryBusyError: another process holds the library.
            CorruptionError: a segment is damaged, or a live embedding is in none.
            LibraryError: a file cannot be written.
        """
        with self.turn("publishing"):
            published = [kind for kind in kinds if self.vectors.publish(model_id, kind, force=force)]
            if self.catalogues.publish(model_id, force=force):
                published.append("catalogue")
        return published

    def close(self) -> None:
        """Close files and connections."""
        self.catalogues.clear()
        self.vectors.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        with self._lock.share():
            self._lock.check()  # Before a file is written where this home may no longer be.
            yield


_database_url = database_url  # `Library.open` has an argument of that name, which outsiders rely on.


def _differences(active: Model, facts: EncoderFacts) -> str:
    """`dim 512 instead of 768`, for each fact that counts."""
    ours: dict[str, Any] = json.loads(json.dumps(asdict(facts)))
    parts = [
        f"{name} {active.facts.get(name)} instead of {value}"
        for name, value in ours.items()
        if name not in ("name", "location") and active.facts.get(name) != value
    ]
    return ", ".join(parts)


__all__ = ["MARK_FILE", "Library"]
