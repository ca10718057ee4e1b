"""The lock of a home folder: on the folder itself, which nobody can delete from under a running job."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from search.errors import LibraryBusyError, LibraryError, LibraryFaultError
from search.vectors.durable import writing_to

LOCK_FILE = "index.lock"

_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN)


class HomeLock:
    """Two `flock`s while held: on the folder's own inode, and on `index.lock` in it, which also names the holder.

    The system releases both when the process dies, however it dies. The first is the library's whatever the folder is
    called and by whichever path it is reached, and a deleted lock file admits nobody. Network file systems lock no
    folders; there the second must do, and a job whose lock file is gone ends before its next commit.

    Args:
        home: an existing folder.

    Raises:
        LibraryBusyError: another process holds it; says which.
        LibraryError: this folder can be locked in neither way.
    """

    def __init__(self, home: Path, *, folder: bool = True) -> None:
        self._home = home
        self._file: int | None = None
        self._folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._folder_locked = folder and self._lock(self._folder)
            self._file = self._open_file()
        except BaseException:
            self.release()
            raise

    def check(self) -> None:
        """Make sure that the home is still where it was and still ours.

        Raises:
            LibraryError: it was moved or replaced while the job ran, or the lock file that had to do was deleted.
        """
        if not _same(self._home, self._folder):
            raise LibraryError(
                f"The home {self._home} was moved or replaced while a job ran",
                remedy="Run the command again with the home where it is now; what was committed is kept.",
            )
        if not self._folder_locked and (self._file is None or not _same(self._home / LOCK_FILE, self._file)):
            raise LibraryError(
                f"The lock file {self._home / LOCK_FILE} was deleted while a job ran",
                remedy="Make sure that no other job runs on this library, then run the command again.",
            )

    def release(self) -> None:
        """Let others in."""
        for descriptor in (self._file, self._folder):
            if descriptor is not None:
                os.close(descriptor)

    def _lock(self, descriptor: int) -> bool:
        """Lock an open file or folder; False where the file system knows no such lock."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _TAKEN:
                raise busy(self._holder()) from error
            return False
        return True

    def _open_file(self) -> int | None:
        path = self._home / LOCK_FILE
        while True:
            try:
                with writing_to(path):
                    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except LibraryFaultError:
                # A home that can only be read has no job but `verify`, and the folder is locked.
                if self._folder_locked:
                    return None
                raise
            try:
                if not self._lock(descriptor) and not self._folder_locked:
                    raise LibraryError(f"The file system of {self._home} knows no locks", remedy=_RIGHTS)
                if _same(path, descriptor):  # Or it was deleted between opening and locking it.
                    with contextlib.suppress(OSError):  # The note is for people; a full disk must not stop a job here.
                        os.ftruncate(descriptor, 0)
                        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _holder(self) -> str:
        try:
            said = (self._home / LOCK_FILE).read_bytes()[:32].decode("ascii", "replace").strip()
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


def _same(path: Path, descriptor: int) -> bool:
    """Whether what lies at the path is what was opened."""
    try:
        there, opened = os.stat(path), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (opened.st_dev, opened.st_ino)
