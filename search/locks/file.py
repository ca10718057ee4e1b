"""A lock on a file: `flock`, which ends with the process; the file names who holds it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from search.errors import LibraryBusyError, LibraryError
from search.vectors.durable import writing_to

_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN)


class LockFile:
    """A file that is locked from its making until `release`; made where there is none.

    Args:
        path: in an existing folder.
        shared: beside others that share it, rather than alone; then the file names nobody.
        required: fail where the file system knows no locks; else `held` says that there is none.

    Raises:
        LibraryBusyError: another process holds it; says which.
        LibraryError: it cannot be made or locked.
    """

    def __init__(self, path: Path, *, shared: bool = False, required: bool = True) -> None:
        self.path = path
        while True:
            with writing_to(path):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self.held = take(descriptor, shared=shared, holder=lambda: holder_of(path))
                if required and not self.held:
                    raise LibraryError(f"The file system of {path.parent} knows no locks", remedy=_RIGHTS)
                if same(path, descriptor):  # Or it was deleted between opening and locking it.
                    break
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        self._descriptor = descriptor
        self._note("" if shared else f"{os.getpid()}\n")

    @property
    def is_there(self) -> bool:
        """Whether the file still lies where it was locked; nobody is kept out by one that does not."""
        return same(self.path, self._descriptor)

    def check(self) -> None:
        """Make sure that the file was not taken away.

        Raises:
            LibraryError: it was deleted, or another one lies in its place.
        """
        if not self.is_there:
            raise LibraryError(
                f"The lock file {self.path} was deleted while a job ran",
                remedy="Make sure that no other job runs on this library, then run the command again.",
            )

    def share(self) -> None:
        """Let others in that share it too.

        Raises:
            LibraryBusyError: somebody who wants it alone came first.
        """
        if self.held:
            take(self._descriptor, shared=True, holder=lambda: holder_of(self.path))
            self._note("")

    def release(self) -> None:
        """Let others in."""
        os.close(self._descriptor)

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError):  # The note is for people; a full disk must not stop a job here.
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)


def take(descriptor: int, *, shared: bool, holder: Callable[[], str]) -> bool:
    """Lock an open file or folder, or change from alone to shared; False where the file system knows no such lock.

    Args:
        holder: who has it, for the message.

    Raises:
        LibraryBusyError: another process holds it.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            raise busy(holder()) from error
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether a process that lives holds a lock file alone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _TAKEN
    finally:
        os.close(descriptor)
    return False


def holder_of(path: Path) -> str:
    """Who holds a lock file, as it has named itself."""
    try:
        said = path.read_bytes()[:32].decode("ascii", "replace").strip()
    except OSError:
        said = ""
    return f"pid {said}" if said else "of unknown number"


_RIGHTS = "Put the home on a local disk, and check that you may write to it."


def busy(holder: str) -> LibraryBusyError:
    """The error of whoever comes second.

    Args:
        holder: the other process, e.g. `pid 123`.
    """
    return LibraryBusyError(
        f"Another process ({holder}) is writing to this library",
        remedy="Wait for it to finish, or stop it; what it has committed stays.",
    )


def same(path: Path, descriptor: int) -> bool:
    """Whether what lies at the path is what was opened."""
    try:
        there, opened = os.stat(path), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (opened.st_dev, opened.st_ino)
