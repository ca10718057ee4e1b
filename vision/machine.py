"""Which machine a figure was measured on, in one line."""

from __future__ import annotations

import platform
from pathlib import Path

from vision.lanes import usable_cores


def machine_line(threads: int | None = None) -> str:
    """The processor and the cores in use, as `AMD EPYC 9B14, 2 cores`.

    Args:
        threads: cores that were used; None for all that this process may use.
    """
    cores = threads or usable_cores()
    return f"{processor_name()}, {cores} core{'s' if cores != 1 else ''}"


def processor_name() -> str:
    """The processor, as its maker calls it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()


def processor_flags() -> frozenset[str]:
    """What the processor can do, by Linux' names (`avx2`, `avx512_vnni`, `asimddp`); empty elsewhere."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("flags", "Features")):
                return frozenset(line.partition(":")[2].split())
    except OSError:  # not Linux
        pass
    return frozenset()
