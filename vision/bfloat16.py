"""Says when bfloat16 is a loss: on processors without arithmetic for it, it is slower than float32, not faster."""

from __future__ import annotations

import functools
import logging
import time

import torch

_LOG = logging.getLogger(__name__)
# Of a product like a small encoder's: a few milliseconds in float32.
_ROWS, _WIDTH = 32, 256
_ROUNDS = 3
# Below this it is no accident of the measurement.
_SLOWER = 0.8


def remark_on(precision: str) -> None:
    """Log one line, once per process, where a precision that a user asked for is slower on this CPU than float32."""
    if precision == "bfloat16" and not torch.cuda.is_available():
        _remark()


@functools.cache
def bfloat16_speed() -> float:
    """How fast this CPU multiplies in bfloat16, relative to float32; measured once, because caps and kernels decide."""
    seconds = []
    for dtype in (torch.float32, torch.bfloat16):
        rows, weights = torch.ones(_ROWS, _WIDTH, dtype=dtype), torch.ones(_WIDTH, _WIDTH, dtype=dtype)
        rounds = []
        for _ in range(_ROUNDS + 1):
            started = time.thread_time()
            torch.mm(rows, weights)
            rounds.append(time.thread_time() - started)
        seconds.append(min(rounds[1:]))
    return seconds[0] / max(seconds[1], 1e-9)


@functools.cache
def _remark() -> None:
    speed = bfloat16_speed()
    if speed < _SLOWER:
        _LOG.warning(
            "bfloat16 multiplies at %.2f× the speed of float32 on this processor, which has no arithmetic for it; "
            "float32 or int8 is faster here",
            speed,
        )
