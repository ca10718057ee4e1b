"""The lock of a home folder: on the folder itself, which nobody can delete from under a running job."""

from __future__ import annotations

import os
import time
from pathlib import Path

from search.errors import LibraryBusyError, LibraryError, LibraryFaultError
from search.locks.file import LockFile, holder_of, is_locked, same, take

LOCK_FILE = "index.lock"

_LANE = "job-{}.lock"
_WATCH = "watch.lock"

_PATIENCE_S = 2.0
"""How long a job waits for another one that begins: that holds the home alone while it clears away."""

_PAUSE_S = 0.05


class HomeLock:
    """Two `flock`s while held: on the folder's own inode, and on `index.lock` in it, which also names the holder.

    The system releases both when the process dies, however it dies. The first is the library's whatever the folder is
    called and by whichever path it is reached, and a deleted lock file admits nobody. Network file systems lock no
    folders; there the second must do, and a job whose lock file is gone ends before its next commit.

    Args:
        home: an existing folder.
        folder: whether the folder itself can be locked.
        shared: beside other jobs that share it, rather than alone.

    Attributes:
        alone: whether no other job holds it; one that shares it lets others in by `share`.

    Raises:
        LibraryBusyError: another process holds it; says which.
        LibraryError: this folder can be locked in neither way.
    """

    def __init__(self, home: Path, *, folder: bool = True, shared: bool = False) -> None:
        self._home = home
        self._file: LockFile | None = None
        self._folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._folder_locked = False
        try:
            self.alone = self._take(folder, shared=shared)
        except BaseException:
            self.release()
            raise

    def share(self) -> None:
        """Let other jobs in that share it too.

        Raises:
            LibraryBusyError: somebody who wants it alone came first.
        """
        self.alone = False
        if self._folder_locked:
            take(self._folder, shared=True, holder=lambda: holders(self._home))
        if self._file is not None:
            self._file.share()

    def check(self) -> None:
        """Make sure that the home is still where it was and still ours.

        Raises:
            LibraryError: it was moved or replaced while the job ran, or the lock file that had to do was deleted.
        """
        if not same(self._home, self._folder):
            raise LibraryError(
                f"The home {self._home} was moved or replaced while a job ran",
                remedy="Run the command again with the home where it is now; what was committed is kept.",
            )
        if not self._folder_locked and self._file is not None:
            self._file.check()

    def release(self) -> None:
        """Let others in."""
        if self._file is not None:
            self._file.release()
        os.close(self._folder)

    def _take(self, folder: bool, *, shared: bool) -> bool:
        """Alone where that is possible, for even a job that shares is to clear away first; returns whether it is."""
        ends = time.monotonic() + _PATIENCE_S
        while True:
            for beside in (False, True) if shared else (False,):
                try:
                    self._folder_locked = folder and take(
                        self._folder, shared=beside, holder=lambda: holders(self._home)
                    )
                    self._file = self._open_file(shared=beside)
                except LibraryBusyError:
                    if beside == shared and (not shared or time.monotonic() > ends):
                        raise
                else:
                    return not beside
            time.sleep(_PAUSE_S)

    def _open_file(self, *, shared: bool) -> LockFile | None:
        try:
            return LockFile(self._home / LOCK_FILE, shared=shared, required=not self._folder_locked)
        except LibraryFaultError:
            # A home that can only be read has no job but `verify`, and the folder is locked.
            if self._folder_locked:
                return None
            raise


def lane_file(home: Path, lane: str) -> Path:
    """The lock file of one lane of jobs."""
    return home / _LANE.format(lane)


def watch_file(home: Path) -> Path:
    """The lock file of whoever watches the folders; no lane's, for it holds nobody up."""
    return home / _WATCH


def holders(home: Path) -> str:
    """Who holds a home, as they have named themselves."""
    lanes = [path for path in sorted(home.glob(_LANE.format("*"))) if is_locked(path)]
    return ", ".join(holder_of(path) for path in lanes) or holder_of(home / LOCK_FILE)
