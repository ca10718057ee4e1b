"""Memory that is really taken, and work in a child that may not map much more, so that allocations really fail."""

from __future__ import annotations

import gc
import mmap
import multiprocessing
import resource
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from vision.errors import DeixisError

_STATM = Path("/proc/self/statm")
_Result = TypeVar("_Result")


def touch_fresh_memory(size: int) -> None:
    """Take so many bytes for a moment, all of them new: what the heap already holds would add nothing."""
    if size:
        with mmap.mmap(-1, size) as pages:
            for at in range(0, size, mmap.PAGESIZE):
                pages[at] = 1


def with_little_memory(work: Callable[[], _Result], extra_bytes: int) -> _Result:
    """Run work in a forked child whose address space may grow by so many bytes and no more.

    Returns:
        Its result.

    Raises:
        DeixisError: the one that it raised.
    """
    if not _STATM.exists():
        pytest.skip("needs Linux: /proc/self/statm")
    if torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA, which does not survive a fork")
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(target=_run, args=(work, extra_bytes, theirs))
    with warnings.catch_warnings():
        # Threads that wait, as a runtime's do, are no danger to a child that starts none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    theirs.close()
    try:
        outcome = ours.recv()
    finally:
        ours.close()
        child.join()
    if isinstance(outcome, DeixisError):
        raise outcome
    result: _Result = outcome
    return result


def _run(work: Callable[[], Any], extra_bytes: int, answers: Connection) -> None:
    gc.collect()
    filled = _without_holes()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_mapped_bytes() + extra_bytes, hard))
    try:
        outcome = work()
    except DeixisError as error:
        outcome = error
    del filled
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    answers.send(outcome)


def _without_holes() -> list[torch.Tensor]:
    """Take what earlier tests have given back to the heap: from there an allocation would succeed under any limit."""
    filled: list[torch.Tensor] = []
    for size in (16 << 20, 1 << 20, 1 << 16):
        before = _mapped_bytes()
        while _mapped_bytes() == before:
            filled.append(torch.empty(size, dtype=torch.uint8))
    return filled


def _mapped_bytes() -> int:
    return int(_STATM.read_text().split()[0]) * resource.getpagesize()
