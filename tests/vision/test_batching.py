"""Batches follow the memory, shrink when it runs out, and never lose or reorder an input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision.batching import Batches, available_memory_bytes, batch_size_for, is_out_of_memory
from vision.errors import ModelError
from vision.types import Embeddings


@pytest.mark.parametrize(
    ("bytes_per_input", "available", "size"),
    [(1 << 20, 400 << 20, 16), (50 << 20, 400 << 20, 2), (1 << 30, 400 << 20, 1), (0, 400 << 20, 16), (1 << 20, 0, 1)],
)
def test_a_batch_takes_a_quarter_of_what_is_there(bytes_per_input: int, available: int, size: int) -> None:
    assert batch_size_for(bytes_per_input, ceiling=16, available_bytes=available) == size


def test_the_memory_that_is_there_is_measured() -> None:
    assert available_memory_bytes() > 1 << 20
    assert 1 <= batch_size_for(1, ceiling=7) <= 7


@pytest.mark.parametrize("fits", [1, 2, 3, 7, 100])
def test_every_input_arrives_once_and_in_order_however_little_fits(fits: int) -> None:
    def embed(part: slice) -> Embeddings:
        if part.stop - part.start > fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return np.arange(part.start, part.stop, dtype=np.float32)[:, None]

    batches = Batches(16)
    np.testing.assert_array_equal(batches.run(23, embed, dim=1)[:, 0], np.arange(23))
    assert batches.size <= max(fits, 1) or fits >= 16


def test_one_input_that_does_not_fit_is_named() -> None:
    def embed(part: slice) -> Embeddings:
        if part.stop > 3:
            raise MemoryError
        return np.zeros((part.stop - part.start, 1), np.float32)

    with pytest.raises(ModelError, match="input 3 alone does not fit"):
        Batches(8).run(6, embed, dim=1)


def test_another_failure_is_not_taken_for_lack_of_memory() -> None:
    def embed(part: slice) -> Embeddings:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Batches(8).run(6, embed, dim=1)


def test_a_real_allocation_that_fails_in_torch_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), ValueError("out of memory"), OSError("full")])
def test_errors_of_other_kinds_are_told_apart(error: Exception) -> None:
    assert not is_out_of_memory(error)
