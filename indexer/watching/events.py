"""What the file system tells of changes below one folder, heard by a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from watchfiles import watch

MANY = 8_000
"""Changes between two looks at them. The kernel keeps 16,384 and drops the rest: beyond this, look at everything."""

_TICK_MS = 400


class Heard:
    """Changed paths between two looks at them; filled by one thread, taken by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paths: set[str] = set()
        self._too_many = False

    def add(self, paths: Iterable[str]) -> None:
        """Something has changed there."""
        with self._lock:
            self._paths.update(paths)
            if len(self._paths) > MANY:
                self._paths, self._too_many = set(), True

    def take(self) -> tuple[set[str], bool]:
        """Paths at which something has changed since the last time, and whether there were too many to tell."""
        with self._lock:
            taken = self._paths, self._too_many
            self._paths, self._too_many = set(), False
        return taken


class Listener:
    """Listens from its making on; `listening` or `failed` comes true soon after.

    Args:
        folder: that exists; absolute.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._heard = Heard()
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._listen, name=f"listener {folder}", daemon=True)
        self._thread.start()

    @property
    def is_listening(self) -> bool:
        """Whether every change from now on is heard."""
        return self._begun.is_set() and self._failure is None

    @property
    def failure(self) -> str | None:
        """Why the system tells nothing, or nothing more; None while it does."""
        return self._failure

    def take(self) -> tuple[set[str], bool]:
        """As `Heard.take`."""
        return self._heard.take()

    def close(self) -> None:
        """Listen no longer."""
        self._stop.set()
        self._thread.join()

    def _listen(self) -> None:
        try:
            for told in watch(
                self._folder,
                watch_filter=None,  # What is filtered there comes as silence without an end.
                debounce=_TICK_MS,
                rust_timeout=_TICK_MS,
                yield_on_timeout=True,
                stop_event=self._stop,
                force_polling=False,
                ignore_permission_denied=True,
                debug=False,
            ):
                self._begun.set()
                if told:
                    self._heard.add(path for _, path in told)
        # The binding raises errors of its own for limits of the system, and for names that are not UTF-8.
        except (OSError, RuntimeError) as error:
            self._failure = str(error)
