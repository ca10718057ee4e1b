"""Keys: who may ask this library over a network, and what for; only a digest of each is kept."""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from search.db.schema import AccessKey
from search.errors import NotFoundError, QueryError
from search.library import Library

PREFIX = "dxs_"
"""What every key begins with, so that people and programs that look for leaked secrets know one."""

SECRET_BYTES = 32
"""256 bits from the system: nobody guesses one, so a fast digest keeps it as well as a slow one."""

MAX_NAME = 80
MAX_LENGTH = 100
"""Characters of what may be a key at all; longer ones are refused unread."""

_USED_STEP = timedelta(hours=1)
_DURATION = re.compile(r"(\d{1,5})\s*([hdwy])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "y": 24 * 365}


class Scope(enum.IntEnum):
    """What a key allows; each includes those below it."""

    READ = 1
    """Pictures, captions, boxes, lists, counts, figures of the server."""
    SEARCH = 2
    """Also what computes: searches, uploads, heat maps, questions."""
    JOBS = 3
    """Also to start and steer jobs."""
    ADMIN = 4
    """Also to see where files lie, and whatever changes the library itself."""

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()


SCOPES = tuple(scope.word for scope in Scope)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as it is listed; see `search.db.key_table.AccessKey`."""

    id: int
    name: str
    scope: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None

    def state(self, at: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "valid"


@dataclass(frozen=True, slots=True)
class LiveKey:
    """A key that may be used, as a server keeps it in memory."""

    id: int
    name: str
    scope: Scope
    sha256: str
    expires_at: datetime | None
    used_at: datetime | None

    def is_valid(self, at: datetime | None = None) -> bool:
        """Whether it has not expired by then, or by now."""
        return self.expires_at is None or (at or _now()) < self.expires_at


def add_key(library: Library, name: str, scope: Scope, lifetime: timedelta | None = None) -> tuple[KeyInfo, str]:
    """Make a key; it is told this once and cannot be read again.

    Args:
        library: that it opens.
        name: for people; no two living keys share one.
        scope: what it allows.
        lifetime: after which it opens nothing any more; None for never.

    Returns:
        The row, and the key.

    Raises:
        QueryError: the name is empty, too long, or taken by a living key.
    """
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise QueryError(f"a key's name has 1 to {MAX_NAME} characters that can be printed")
    key, at = PREFIX + secrets.token_urlsafe(SECRET_BYTES), _now()
    with library.write() as session:
        for row in session.scalars(select(AccessKey).where(AccessKey.name == name)):
            if _info(row).state(at) == "valid":
                raise QueryError(f"there is a key {name!r} already", remedy="Revoke it first, or take another name.")
        row = AccessKey(
            name=name,
            scope=scope.word,
            sha256=digest(key),
            created_at=at,
            expires_at=None if lifetime is None else at + lifetime,
        )
        session.add(row)
        session.flush()
        return _info(row), key


def list_keys(library: Library) -> list[KeyInfo]:
    """Every key there was, in the order in which they were made."""
    with library.read() as session:
        return [_info(row) for row in session.scalars(select(AccessKey).order_by(AccessKey.id))]


def revoke_key(library: Library, which: str) -> KeyInfo:
    """End a key; servers follow within a second or two.

    Args:
        library: that it opens.
        which: its number, or the name of a living one.

    Raises:
        NotFoundError: no living key has this number or name.
    """
    at = _now()
    with library.write() as session:
        for row in session.scalars(select(AccessKey).where(AccessKey.revoked_at.is_(None)).order_by(AccessKey.id)):
            if which in (str(row.id), row.name) and (which == str(row.id) or _info(row).state(at) == "valid"):
                row.revoked_at = at
                return _info(row)
    raise NotFoundError(f"there is no living key {which!r}", remedy="`deixis keys list` shows them.")


def live_keys(library: Library) -> tuple[LiveKey, ...]:
    """Keys that are neither revoked nor expired."""
    at = _now()
    with library.read() as session:
        rows = session.scalars(select(AccessKey).where(AccessKey.revoked_at.is_(None)).order_by(AccessKey.id)).all()
    found = (
        LiveKey(row.id, row.name, Scope[row.scope.upper()], row.sha256, row.expires_at, row.used_at) for row in rows
    )
    return tuple(key for key in found if key.is_valid(at))


def match_key(keys: Iterable[LiveKey], given: str) -> LiveKey | None:
    """The living key that was given; looks at all of them, for as long whichever it is."""
    if len(given) > MAX_LENGTH or not given.startswith(PREFIX) or not given.isascii():
        return None
    wanted, found, at = digest(given), None, _now()
    for key in keys:
        if hmac.compare_digest(key.sha256, wanted) and key.is_valid(at):
            found = key
    return found


def note_use(library: Library, key: LiveKey) -> None:
    """Note the hour in which a key was last used, unless it is noted already."""
    hour = _now().replace(minute=0, second=0, microsecond=0)
    if key.used_at is not None and hour - key.used_at < _USED_STEP:
        return
    with library.write() as session:
        row = session.get(AccessKey, key.id)
        if row is not None:
            row.used_at = hour


def digest(key: str) -> str:
    """What is kept of a key: SHA-256, 64 hex digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def lifetime_of(said: str) -> timedelta:
    """Read `12h`, `30d`, `8w` or `1y`.

    Raises:
        QueryError: it is none of these.
    """
    read = _DURATION.fullmatch(said.strip().lower())
    if read is None or int(read[1]) == 0:
        raise QueryError(f"{said!r} is no time to live", remedy="Write a number and h, d, w or y: `30d`.")
    return timedelta(hours=int(read[1]) * _HOURS[read[2]])


def _info(row: AccessKey) -> KeyInfo:
    return KeyInfo(row.id, row.name, row.scope, row.created_at, row.expires_at, row.revoked_at, row.used_at)


def _now() -> datetime:
    return datetime.now(UTC)
