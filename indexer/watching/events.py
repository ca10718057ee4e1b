"""What the file system tells of changes below one folder, heard by a thread of its own."""

from __future__ import annotations

import threading

from watchfiles import watch

MANY = 8_000
"""Changes between two looks at them. The kernel keeps 16,384 and drops the rest: beyond this, look at everything."""

_TICK_MS = 400


class Listener:
    """Listens from its making on; `listening` or `failed` comes true soon after.

    Args:
        folder: that exists; absolute.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._lock = threading.Lock()
        self._heard: set[str] = set()
        self._too_many = False
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
        """Paths at which something has changed since the last time, and whether there were too many to tell."""
        with self._lock:
            heard, too_many = self._heard, self._too_many
            self._heard, self._too_many = set(), False
        return heard, too_many

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
                    self._hear({path for _, path in told})
        # The binding raises errors of its own for limits of the system, and for names that are not UTF-8.
        except (OSError, RuntimeError) as error:
            self._failure = str(error)

    def _hear(self, paths: set[str]) -> None:
        with self._lock:
            self._heard |= paths
            if len(self._heard) > MANY:
                self._heard, self._too_many = set(), True
