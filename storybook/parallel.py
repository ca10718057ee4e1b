"""Several processes train one model: each draws its own batches, and their gradients are averaged at every step."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn


def rank() -> int:
    """This process's number, from 0; 0 where only one trains."""
    return distributed.get_rank() if _together() else 0


def average_gradients(modules: Iterable[nn.Module]) -> None:
    """Replace every gradient by its mean over all processes; nothing where only one trains."""
    if not _together():
        return
    gradients = [
        parameter.grad for module in modules for parameter in module.parameters() if parameter.grad is not None
    ]
    joined = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(joined)
    joined /= distributed.get_world_size()
    at = 0
    for gradient in gradients:
        gradient.copy_(joined[at : at + gradient.numel()].view_as(gradient))
        at += gradient.numel()


def run_together(work: Callable[..., None], arguments: tuple[Any, ...], *, processes: int, meeting: Path) -> None:
    """Run `work(*arguments)` in so many processes and wait for all of them.

    One thread per core waits for the others in every small operation and stands still while another program has a
    core; processes meet once per step (on a busy two-core machine, five times as fast).

    Args:
        work: an importable function.
        arguments: its arguments; they are pickled.
        processes: how many; one runs here.
        meeting: a file of this name is made while they find each other.

    Raises:
        torch.multiprocessing.ProcessRaisedException: one of them failed; its traceback is in the message.
    """
    if processes == 1:
        work(*arguments)
        return
    # A step's large arrays would be given back to the system and asked for again, which took half of its time (glibc
    # reads this when a process starts, so it is heard by the processes started below).
    os.environ.setdefault("MALLOC_MMAP_MAX_", "0")
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(1 << 36))
    meeting.parent.mkdir(parents=True, exist_ok=True)
    meeting.unlink(missing_ok=True)
    told = (work, arguments, processes, str(meeting))
    spawn(_join, told, nprocs=processes)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    meeting.unlink(missing_ok=True)


def _join(number: int, work: Callable[..., None], arguments: tuple[Any, ...], processes: int, meeting: str) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # the processes share one machine
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=number, world_size=processes)
    try:
        work(*arguments)
    finally:
        distributed.destroy_process_group()


def _leave_with_parent() -> None:
    """End when the starting process has ended, however it ended: an orphan would go on writing checkpoints."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _together() -> bool:
    return bool(distributed.is_available() and distributed.is_initialized())
