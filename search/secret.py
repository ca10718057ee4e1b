"""The secret of a home, with which cursors and sessions are signed."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from pathlib import Path

from search.errors import LibraryError
from vision.whole_files import write_whole

log = logging.getLogger(__name__)

SECRET_FILE = "secret"  # noqa: S105  # the name of the file
SECRET_BYTES = 32

_known: dict[Path, bytes] = {}
_finding = threading.Lock()


def secret(home: Path) -> bytes:
    """32 random bytes, the same for every process that serves this home, made at the first need.

    Where the home does not exist yet or cannot be written, they are this process's alone: what is signed with them is
    worth nothing to another one.

    Raises:
        LibraryError: the file is there, and cannot be read or holds something else.
    """
    with _finding:
        if home not in _known:
            _known[home] = _read(home / SECRET_FILE) or _make(home)
        return _known[home]


def _read(path: Path) -> bytes | None:
    try:
        held = path.read_bytes()
        others = path.stat().st_mode & 0o077
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LibraryError(f"{path} cannot be read: {error.strerror}", remedy="Let its owner run Deixis.") from error
    if len(held) != SECRET_BYTES:
        raise LibraryError(
            f"{path} holds {len(held)} bytes instead of {SECRET_BYTES}",
            remedy="Remove it: another is made, and who has signed in does so again.",
        )
    if others:
        log.warning("%s can be read by other users of this machine; chmod 600 it", path)
    return held


def _make(home: Path) -> bytes:
    made = secrets.token_bytes(SECRET_BYTES)
    path, whole = home / SECRET_FILE, home / f".{secrets.token_hex(8)}.tmp"
    try:
        write_whole(whole, made, mode=0o600)
        try:
            os.link(whole, path)  # of several processes that make one at once, one succeeds
        except FileExistsError:
            return _read(path) or made
        except OSError:  # a file system without links
            write_whole(path, made, mode=0o600)
    except OSError as error:
        log.warning("no secret can be kept in %s (%s): pages of results end with this process", home, error.strerror)
    finally:
        with contextlib.suppress(OSError):
            whole.unlink(missing_ok=True)
    return made
