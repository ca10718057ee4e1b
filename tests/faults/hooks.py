"""Makes the N-th call fail from within Python, where no C compiler is at hand: not what SQLite does, but the rest."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Callable
from typing import Any

WRITE, SYNC, RENAME, OPEN, UNLINK, MKDIR = 1, 2, 4, 8, 16, 32


class PythonShim:
    """The same three functions as `shim.c` has."""

    def __init__(self) -> None:
        self._below, self._operations, self._number, self._code, self._lasting = "", 0, 0, 0, False
        self._seen = self._fired = 0
        for operation, names in (
            (WRITE, ("write", "pwrite", "ftruncate")),
            (SYNC, ("fsync", "fdatasync")),
            (RENAME, ("rename", "replace", "link")),
            (OPEN, ("open",)),
            (UNLINK, ("unlink", "remove")),
            (MKDIR, ("mkdir",)),
        ):
            for name in names:
                setattr(os, name, self._guarded(operation, getattr(os, name)))
        builtins.open = io.open = self._guarded(OPEN, builtins.open)  # type: ignore[assignment]  # a stand-in

    def fault_arm(self, below: bytes, operations: int, number: int, code: int, lasting: int) -> None:
        """From now on let the call with this number fail, and with `lasting` every one after it."""
        self._below, self._operations, self._number = os.fsdecode(below), operations, number
        self._code, self._lasting = code, bool(lasting)
        self._seen = self._fired = 0

    def fault_seen(self) -> int:
        """How many calls were counted."""
        return self._seen

    def fault_fired(self) -> int:
        """Whether one has failed."""
        return self._fired

    def _guarded(self, operation: int, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(first: Any, *rest: Any, **options: Any) -> Any:
            if self._operations & operation and self._is_below(rest[0] if operation == RENAME else first):
                self._seen += 1
                if self._seen == self._number or (self._lasting and self._seen > self._number):
                    self._fired = 1
                    raise OSError(self._code, os.strerror(self._code), str(first))
            return call(first, *rest, **options)

        return guarded

    def _is_below(self, what: Any) -> bool:
        if not self._below:
            return False
        try:
            path = os.readlink(f"/proc/self/fd/{what}") if isinstance(what, int) else os.path.abspath(os.fsdecode(what))
        except (OSError, TypeError):
            return False
        return path == self._below or path.startswith(self._below + "/")
