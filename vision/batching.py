"""Batches sized by the memory that is there, and halved, without losing an input, where it was not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vision.errors import ModelError
from vision.types import Embeddings

_FALLBACK_BYTES = 1 << 30
# What torch and onnxruntime say on the CPU, where neither has an exception class of its own for it.
_ALLOCATION_FAILURES = ("out of memory", "can't allocate memory", "failed to allocate memory", "bad_alloc")


def available_memory_bytes() -> int:
    """Bytes that this process may still take: the smaller of what the machine and the container have left."""
    return min(_machine_bytes(), _container_bytes())


def batch_size_for(bytes_per_input: int, *, ceiling: int, available_bytes: int | None = None) -> int:
    """How many inputs to run at once.

    Args:
        bytes_per_input: activations of one input at their largest, in bytes.
        ceiling: the size beyond which larger batches gain nothing on this device.
        available_bytes: memory to share; measured when None. A quarter of it is used, because decoding,
            the index and the page cache live in the rest.

    Returns:
        Between 1 and `ceiling`.
    """
    available = available_memory_bytes() if available_bytes is None else available_bytes
    return max(1, min(ceiling, available // 4 // max(1, bytes_per_input)))


class Batches:
    """Runs a function over consecutive slices; a slice that does not fit is halved and run again, in order.

    Args:
        size: inputs per slice to begin with; a smaller size that was needed once is kept.
    """

    def __init__(self, size: int) -> None:
        self.size = max(1, size)

    def run(self, count: int, embed: Callable[[slice], Embeddings], *, dim: int) -> Embeddings:
        """Embed inputs 0 to `count`.

        Args:
            count: how many inputs there are.
            embed: called with a half-open slice of positions; returns `(stop - start, dim)` float32.
            dim: width of the result, needed when `count` is 0.

        Returns:
            `(count, dim)` float32 in input order.

        Raises:
            ModelError: a single input does not fit into memory; the message names its position.
        """
        embeddings = np.empty((count, dim), dtype=np.float32)

        def fill(part: slice) -> None:
            embeddings[part] = embed(part)

        self.each(count, fill)
        return embeddings

    def each(self, count: int, work: Callable[[slice], None]) -> None:
        """Call `work` with half-open slices that cover 0 to `count` in order; what does not fit comes again, halved.

        Raises:
            ModelError: a single input does not fit into memory; the message names its position.
        """
        start = 0
        while start < count:
            part = slice(start, min(start + self.size, count))
            try:
                work(part)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                taken = part.stop - part.start
                if taken == 1:
                    raise ModelError(
                        f"input {start} alone does not fit into memory", remedy="Free memory or use a smaller model."
                    ) from error
                self.size = taken // 2
                continue
            start = part.stop


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python, torch or onnxruntime means that an allocation failed."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _ALLOCATION_FAILURES)


def usable_cores() -> int:
    """CPU cores that this process may run on, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


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


def _container_bytes() -> int:
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        # The kernel gives page cache back under pressure, so clean file pages do not count as taken.
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 1 << 62
    return 1 << 62 if limit == "max" else max(0, int(limit) - used + int(statistics.get("inactive_file", 0)))
