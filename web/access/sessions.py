"""Sessions of browsers: a signed cookie that names a key, and tokens that only our own pages can know."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from search.keys import LiveKey
from web.access.caller import asking

log = logging.getLogger(__name__)

COOKIE = "deixis_session"
SESSION_S = 30 * 24 * 3600
"""How long a browser stays signed in; its key may end before."""

TOKEN_S = 7 * 24 * 3600
"""How long a page may lie open before what it sends is refused."""

SECRET_FILE = "secret"  # noqa: S105  # its name, not what is in it
"""In the home: 64 hex digits that sign sessions and tokens, mode 0600. Without it, everybody signs in again."""

FIELD = "csrf_token"
HEADER = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a cookie says: which key began the session, and a name of the session's own."""

    key_id: int
    key_mark: str
    name: str

    def is_of(self, key: LiveKey) -> bool:
        """Whether this key began it; its number alone would not do in a library that was made anew."""
        return self.key_id == key.id and secrets.compare_digest(self.key_mark, _mark(key))


class Sessions:
    """Signs and reads cookies and tokens.

    Args:
        home: the library's folder, where the secret lies.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._made: tuple[URLSafeTimedSerializer, URLSafeTimedSerializer] | None = None

    def begin(self, key: LiveKey) -> str:
        """The cookie of a new session."""
        return str(self._signers()[0].dumps([key.id, _mark(key), secrets.token_urlsafe(16)]))

    def read(self, cookie: str) -> Opened | None:
        """What a cookie says, if it is one of ours and not too old."""
        said = _said(self._signers()[0], cookie, SESSION_S)
        match said:
            case [int(key_id), str(mark), str(name)]:
                return Opened(key_id, mark, name)
        return None

    def token(self, session: str) -> str:
        """A token for the pages of this session."""
        return str(self._signers()[1].dumps(session))

    def is_token(self, token: str, session: str) -> bool:
        """Whether this token was made for this session, and not too long ago."""
        said = _said(self._signers()[1], token, TOKEN_S)
        return isinstance(said, str) and secrets.compare_digest(said.encode(), session.encode())

    def _signers(self) -> tuple[URLSafeTimedSerializer, URLSafeTimedSerializer]:
        if self._made is None:
            secret = _secret(self._home)
            self._made = URLSafeTimedSerializer(secret, salt="session"), URLSafeTimedSerializer(secret, salt="token")
        return self._made


def csrf_token(request: Request) -> str:
    """What a form of ours sends as `csrf_token`, or a script as `X-CSRF-Token`; empty where none is needed."""
    session = asking().session
    sessions: Sessions | None = getattr(request.app.state, "sessions", None)
    return sessions.token(session) if session and sessions is not None else ""


def _mark(key: LiveKey) -> str:
    return key.sha256[:16]


def _said(signer: URLSafeTimedSerializer, text: str, max_age_s: int) -> Any:
    if len(text) > 1000:
        return None
    try:
        return signer.loads(text, max_age=max_age_s)
    except BadSignature:  # also of what is too old, and of what was never signed
        return None


def _secret(home: Path) -> str:
    """The home's secret; made where there is none, and for this process alone where it cannot be kept."""
    path = home / SECRET_FILE
    try:
        _make(path)
        if path.stat().st_mode & 0o077:
            log.warning("%s could be read by others; now it cannot", path)
            path.chmod(0o600)
        secret = path.read_text(encoding="ascii").strip()
        if len(secret) >= 64:
            return secret
        log.warning("%s holds no secret: sessions end with this server; delete it", path)
    except (OSError, ValueError) as error:
        log.warning("%s cannot be kept: sessions end with this server (%s)", path, error)
    return secrets.token_hex(32)


def _make(path: Path) -> None:
    """Write a new secret, whole or not at all; several processes may begin at once, and the first one's counts."""
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
