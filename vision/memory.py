"""How much memory there is, and how much a piece of work took at its peak: here of this process on its machine."""

from __future__ import annotations

import gc
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

_FALLBACK_BYTES = 1 << 30
NO_LIMIT = 1 << 62
"""More bytes than there are."""

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


class Memory(ABC):
    """One kind of memory, and what of it this process uses. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._started = 0

    def run(self, work: Callable[[], None], *, measure: bool) -> tuple[int, int] | None:
        """Run work and say what it took.

        A peak belongs to the whole process, so it is only believed when no other work ran through this object
        meanwhile.

        Args:
            work: what to run; its exceptions pass through.
            measure: whether anybody wants to know.

        Returns:
            Bytes held before, and bytes held at the peak; None where that was not asked for or cannot be told.
        """
        with self._lock:
            self._running += 1
            self._started += 1
            mine = self._started
            measures = measure and self._running == 1 and self.reset_peak()
            before = self.held_bytes() if measures else 0
        try:
            work()
        finally:
            with self._lock:
                self._running -= 1
                peak = self.peak_bytes() if measures and self._started == mine else None
        return None if peak is None else (before, max(before, peak))

    @abstractmethod
    def free_bytes(self) -> int:
        """Bytes that this process may still take."""

    @abstractmethod
    def held_bytes(self) -> int:
        """Bytes that it has."""

    @abstractmethod
    def peak_bytes(self) -> int:
        """The most bytes it had since `reset_peak`."""

    @abstractmethod
    def reset_peak(self) -> bool:
        """Let the peak start anew; False where the platform has no such thing."""

    @abstractmethod
    def release(self) -> None:
        """Give back what nobody uses any more, after an allocation has failed."""


class HostMemory(Memory):
    """Main memory: what machine and container have left, and the resident set of this process.

    The peak is Linux's `VmHWM`, which a process may reset for itself (proc_pid_clear_refs(5), value 5, Linux 4.0); a
    reset and two readings cost about 0.1 ms. Elsewhere nothing is measured.
    """

    def free_bytes(self) -> int:
        """The smaller of what the machine and each enclosing control group have left."""
        return min(_machine_bytes(), *_container_bytes())

    def held_bytes(self) -> int:
        """The resident set; mapped files that were touched, such as weights, are part of it."""
        return _resident_bytes("VmRSS")

    def peak_bytes(self) -> int:
        """The largest resident set since the reset."""
        return _resident_bytes("VmHWM")

    def reset_peak(self) -> bool:
        """Forget earlier peaks; False where that is not permitted."""
        try:
            _RESET.write_text("5")
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Collect cycles: a failed call's frames may hold its arrays in one."""
        gc.collect()


HOST_MEMORY = HostMemory()
"""The one of this process; measurements exclude each other only within one object."""


def _resident_bytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def _machine_bytes() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return _FALLBACK_BYTES
    except OSError:  # not Linux
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return _FALLBACK_BYTES


def _container_bytes(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """What each control group around this process has left: its own, and every one that holds that."""
    yield NO_LIMIT
    try:
        entries = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:  # not Linux
        return
    for _, controllers, path in entries:
        if controllers in ("", "memory"):
            top = root / controllers
            # A container sees its own group as the root, though it may be told the path that the host knows.
            inside = top / path.strip("/")
            for group in (inside, *inside.parents):
                if group.is_relative_to(top):
                    yield _group_bytes(group, first_version=bool(controllers))


def _group_bytes(group: Path, *, first_version: bool) -> int:
    names = ("limit_in_bytes", "usage_in_bytes", "total_inactive_file") if first_version else ()
    limit_name, used_name, file_name = names or ("max", "current", "inactive_file")
    try:
        limit = (group / f"memory.{limit_name}").read_text().strip()
        if limit == "max" or int(limit) >= NO_LIMIT:
            return NO_LIMIT
        used = int((group / f"memory.{used_name}").read_text())
        # The kernel gives page cache back under pressure, so clean file pages do not count as taken.
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return NO_LIMIT
    return max(0, int(limit) - used + int(statistics.get(file_name, 0)))
