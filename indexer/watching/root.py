"""One root under watch: whether it is there, whether the system tells of it, and when to look at all of it."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Sequence

from indexer.mounts import Mount
from indexer.watching.events import Listener
from search.db.roots import is_below

_AGAIN_S = 60.0
"""Before it is tried again to listen where the system refused."""

_REST = 9
"""A scan that took a second is not repeated within so many: scanning costs a tenth of the time at most."""

Fingerprint = tuple[object, ...]


class WatchedRoot:
    """A root of the library.

    Attributes:
        is_file: whether it is a single file, or an archive; such are not listened to.

    Args:
        path: absolute.
        scan_every_s: so often all of it is looked at, whatever was told.
        silent_every_s: so often those parts of which nothing is told.
        say: told in one line what people should know.
    """

    def __init__(self, path: str, scan_every_s: float, silent_every_s: float, say: Callable[[str], None]) -> None:
        self.path = path
        self._scan_every_s = scan_every_s
        self._silent_every_s = silent_every_s
        self._say = say
        self._fingerprint: Fingerprint | None = None
        self._looked_before = False
        self.is_file = False
        self._listener: Listener | None = None
        self._listen_at = 0.0
        self._deaf: str | None = None
        self._silent: tuple[str, ...] = ()
        self._due: dict[str, float] = {}
        """By folder: when all of it is to be looked at."""

    @property
    def is_there(self) -> bool:
        """Whether it was, when it was looked for last."""
        return self._fingerprint is not None

    @property
    def is_settled(self) -> bool:
        """Whether it is known by now if the system tells of changes."""
        return self._listener is None or self._listener.is_listening

    def look(self, table: Sequence[Mount]) -> None:
        """See whether it is still what it was, and listen to it.

        Args:
            table: the mounts of this moment.
        """
        fingerprint = self._look(table)
        if fingerprint != self._fingerprint or not self._looked_before:
            self.close()
            self._tell_where(fingerprint)
            self._fingerprint, self._looked_before = fingerprint, True
            self._listen_at = 0.0
            self._due = {} if fingerprint is None else {self.path: 0.0}
            self._silent = _silent_parts(self.path, table)
        now = time.monotonic()
        if self._listener is not None and self._listener.failure is not None:
            self._grow_deaf(self._listener.failure, now)
        if self._listens() and self._listener is None and now >= self._listen_at:
            self._listener = Listener(self.path)

    def heard(self) -> set[str]:
        """Where something has changed, as far as the system has told."""
        if self._listener is None:
            return set()
        paths, too_many = self._listener.take()
        if self._deaf is not None and self._listener.is_listening:
            self._deaf = None
            self._due[self.path] = 0.0  # What nobody has told of until now.
        if too_many:
            self._due[self.path] = 0.0
        return paths

    def due(self) -> list[str]:
        """Folders that are to be looked at whole; this path alone, where that is one of them."""
        if not self.is_there:
            return []
        now = time.monotonic()
        for part in self._silent:
            self._due.setdefault(part, now + self._silent_every_s)
        due = [part for part, at in self._due.items() if now >= at]
        return [self.path] if self.path in due else due

    def scanned(self, part: str, took_s: float) -> None:
        """Note that one of them was."""
        now = time.monotonic()
        for one in {part, *(self._silent if part == self.path else ())}:
            unheard = one in self._silent or (one == self.path and not self._is_heard())
            every = self._silent_every_s if unheard else self._scan_every_s
            self._due[one] = now + max(every, _REST * took_s)

    def close(self) -> None:
        """Listen no longer."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _is_heard(self) -> bool:
        return self._listener is not None and self._deaf is None

    def _listens(self) -> bool:
        """A single file is looked at itself: what programs put in its place would not be heard."""
        return self.is_there and not self.is_file and self.path not in self._silent

    def _look(self, table: Sequence[Mount]) -> Fingerprint | None:
        try:
            facts = os.stat(self.path)
        except (OSError, ValueError):
            return None
        self.is_file = not stat.S_ISDIR(facts.st_mode)
        if self.is_file:
            return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        inside = tuple(mount for mount in table if is_below(mount.point, self.path))
        return (facts.st_dev, facts.st_ino, *inside)

    def _tell_where(self, fingerprint: Fingerprint | None) -> None:
        if fingerprint is None:
            self._say(f"{self.path} is not there; what is known of it stays as it is")
        elif self._looked_before and self._fingerprint is None:
            self._say(f"{self.path} is there again")

    def _grow_deaf(self, why: str, now: float) -> None:
        self.close()
        if self._deaf != why:
            self._say(f"the system does not tell of changes in {self.path}; it is scanned instead: {why}")
        # A name that cannot be told is one change: listening goes on behind it at once, and for others later.
        self._listen_at = now + _AGAIN_S if self._deaf is not None else now
        self._deaf = why
        self._due[self.path] = min(self._due.get(self.path, now), now)


def _silent_parts(root: str, table: Sequence[Mount]) -> tuple[str, ...]:
    """Where changes come without a word: the root itself, or what is mounted in it."""
    around = [mount for mount in table if is_below(root, mount.point)]
    own = max(reversed(around), key=lambda mount: len(mount.point), default=None)
    if own is not None and own.is_silent:
        return (root,)
    inside = {mount.point: mount for mount in table if is_below(mount.point, root)}  # The latest lies on top.
    return tuple(sorted(point for point, mount in inside.items() if mount.is_silent))
