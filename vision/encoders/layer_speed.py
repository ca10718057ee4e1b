"""How much faster one layer computes in another precision on this processor: milliseconds that save minutes."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn

from vision.int8 import Int8Linear

# The tokens of a picture and the width of a base-size tower: enough to tell, and little for the slowest kernel.
_ROWS, _WIDTH = 256, 768
_ROUNDS = 3
_HOPELESS = 4.0
_DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def layer_gain(precision: str) -> float:
    """Time of a float32 layer over that of the same layer in a precision, on the CPU with torch's present threads.

    Processors without instructions for a precision emulate it, up to a hundred times slower, and nothing says so. A
    whole model would take minutes to tell.

    Args:
        precision: `bfloat16`, `float16` or `int8`.

    Returns:
        Above 1 where the precision is faster; 0 where torch cannot compute in it here.
    """
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(_ROWS, _WIDTH, generator=generator)
    layer = nn.Linear(_WIDTH, _WIDTH).eval()
    with torch.inference_mode():
        full_s = _seconds(lambda: layer(rows), at_most_s=1.0)
        try:
            if precision == "int8":
                smaller = Int8Linear(layer)
                smaller_s = _seconds(lambda: smaller(rows), at_most_s=_HOPELESS * full_s)
            else:
                cast, narrow = layer.to(_DTYPES[precision]), rows.to(_DTYPES[precision])
                smaller_s = _seconds(lambda: cast(narrow), at_most_s=_HOPELESS * full_s)
        except RuntimeError:  # no kernel for it on this processor
            return 0.0
    return full_s / smaller_s


def _seconds(compute: Callable[[], object], *, at_most_s: float) -> float:
    """The fastest of a few rounds; one round alone where that already takes too long."""
    best = float("inf")
    for number in range(_ROUNDS + 1):
        started = time.perf_counter()
        compute()
        took = time.perf_counter() - started
        if number or took > at_most_s * 10:  # the first round also makes what the others use
            best = min(best, took)
        if best > at_most_s and number:
            break
        if took > at_most_s * 10:
            break
    return max(best, 1e-9)
