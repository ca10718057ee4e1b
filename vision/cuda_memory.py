"""The memory of the first CUDA device, as PyTorch's allocator counts it.

Written from PyTorch's documentation and type-checked; no line of `CudaMemory` has run on a CUDA device so far. What is
tested is all that stands on it, over main memory, which answers the same questions.
"""

from __future__ import annotations

import gc
from functools import cache

import torch

from vision.memory import HOST_MEMORY, Memory


class CudaMemory(Memory):
    """What the device has left, and the bytes of this process's tensors on it."""

    def free_bytes(self) -> int:
        """Free on the device, and what the allocator keeps without using it."""
        free, _ = torch.cuda.mem_get_info()
        return int(free) + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()

    def held_bytes(self) -> int:
        """Bytes of living tensors."""
        return torch.cuda.memory_allocated()

    def peak_bytes(self) -> int:
        """The most bytes of living tensors since the reset."""
        return torch.cuda.max_memory_allocated()

    def reset_peak(self) -> bool:
        """Forget earlier peaks."""
        torch.cuda.reset_peak_memory_stats()
        return True

    def release(self) -> None:
        """Collect cycles that hold tensors, then hand unused blocks back: a fragmented cache may be what failed."""
        gc.collect()
        torch.cuda.empty_cache()


@cache
def _cuda_memory() -> CudaMemory:
    return CudaMemory()


def memory_of(device: str) -> Memory:
    """The memory in which the work of a device, `cpu` or `cuda`, has its arrays."""
    return _cuda_memory() if device == "cuda" else HOST_MEMORY
