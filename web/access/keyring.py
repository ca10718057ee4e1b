"""The living keys, in memory: read again every second or so, so that a revoked one soon opens nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from search.errors import LibraryEmptyError
from search.keys import LiveKey, live_keys, note_use
from search.library import Library
from search.settings import Settings
from vision.errors import DeixisError

log = logging.getLogger(__name__)

FRESH_S = 1.0
"""How long what was read counts."""

STALE_S = 60.0
"""How long it counts where the database does not answer; after that nobody is let in."""

NOTE_EVERY_S = 3600.0


class KeyRing:
    """Reads keys in a thread of its own: those of the pool may all be busy with searches.

    Args:
        settings: where the library is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._library: Library | None = None
        self._keys: tuple[LiveKey, ...] = ()
        self._read_at = self._tried_at = float("-inf")
        self._failure: DeixisError | None = None
        self._noted: dict[int, float] = {}
        self._reading = asyncio.Lock()
        self._worker = ThreadPoolExecutor(1, "keys")

    async def living(self) -> tuple[LiveKey, ...]:
        """Keys that are neither revoked nor expired; none where there is no library.

        Raises:
            DeixisError: the library cannot be read, and has not been for a minute.
        """
        if time.monotonic() - self._tried_at >= FRESH_S:
            async with self._reading:
                if time.monotonic() - self._tried_at >= FRESH_S:
                    await asyncio.get_running_loop().run_in_executor(self._worker, self._read)
        if self._failure is not None and time.monotonic() - self._read_at >= STALE_S:
            raise self._failure
        return self._keys

    def note(self, key: LiveKey) -> None:
        """Note, in the background and once an hour, that a key was used."""
        now = time.monotonic()
        if now - self._noted.get(key.id, float("-inf")) >= NOTE_EVERY_S:
            self._noted[key.id] = now
            self._worker.submit(self._note, key)

    def close(self) -> None:
        """Wait for what is being read, and close the library."""
        self._worker.shutdown()
        self.close_library()

    def close_library(self) -> None:
        """Let go of the library; it is opened again at need."""
        if self._library is not None:
            self._library.close()
            self._library = None

    def _read(self) -> None:
        try:
            self._keys = live_keys(self._opened())
        except LibraryEmptyError:
            self._keys = ()
        except DeixisError as error:
            if self._failure is None:
                log.warning("keys cannot be read; those that were read last count for %g s: %s", STALE_S, error)
            self._failure, self._tried_at = error, time.monotonic()
            self.close_library()  # what was open may be what is wrong
            return
        self._failure = None
        self._read_at = self._tried_at = time.monotonic()

    def _note(self, key: LiveKey) -> None:
        try:
            note_use(self._opened(), key)
        except DeixisError as error:  # a busy or read-only library: the key opens all the same
            log.info("the use of key %d is not noted: %s", key.id, error)

    def _opened(self) -> Library:
        if self._library is None:
            self._library = Library.open(self._settings.home, self._settings.database_url)
        return self._library
