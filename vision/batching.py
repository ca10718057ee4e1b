"""Batches sized by what earlier ones were seen to take, and halved, without losing an input, where memory ran out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from vision.errors import ModelError
from vision.footprint import Footprint
from vision.lanes import Slices, side_by_side
from vision.memory import HOST_MEMORY, NO_LIMIT, Memory
from vision.types import Embeddings

_LOG = logging.getLogger(__name__)
_FIRST = 2
# A picture's own pixels take more than this in any network's input, so that a smaller figure measures the allocator.
_LEAST_PLAUSIBLE_BYTES = 48 << 10
_GROWTH = 4
# What torch, CUDA's libraries and onnxruntime say where they have no exception class of their own for it. oneDNN, which
# torch computes with on a CPU, says no more than that it could not (seen when the address space was full).
_ALLOCATION_FAILURES = (
    *("out of memory", "can't allocate memory", "failed to allocate memory", "bad_alloc", "bad allocation"),
    *("alloc_failed", "could not create a primitive", "could not create a memory", "could not execute a primitive"),
)


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How the batches of a model were sized.

    Attributes:
        what: `pictures` or `texts`.
        largest: inputs of the largest batch that ran; 0 before the first.
        bytes_per_input: memory that one more input takes, in bytes: as measured, or as estimated.
        measured: which of the two it is.
        free_bytes: memory that this process may still take, now.
        halvings: batches that did not fit into memory and were halved.
    """

    what: str
    largest: int
    bytes_per_input: int
    measured: bool
    free_bytes: int
    halvings: int

    def __str__(self) -> str:
        each = f"{'measured' if self.measured else 'estimated'} {_in_words(self.bytes_per_input)} each"
        if self.bytes_per_input < (_LEAST_PLAUSIBLE_BYTES if self.what == "pictures" else 1):
            each = "too small to measure"
        halved = {0: "", 1: "; halved once"}.get(self.halvings, f"; halved {self.halvings} times")
        return f"batches of up to {self.largest} {self.what} ({each}, {_in_words(self.free_bytes)} free{halved})"


@runtime_checkable
class SizesBatches(Protocol):
    """A model that sizes its own batches of pictures."""

    @property
    def picture_batches(self) -> Batches:
        """How it does."""


def batch_report(model: object) -> BatchReport | None:
    """How a model sized its batches of pictures; None for one that does not, or has run none."""
    report = model.picture_batches.report if isinstance(model, SizesBatches) else None
    return report if report is not None and report.largest else None


def pictures_at_once(model: object, *, otherwise: int) -> int:
    """How many pictures to hand to a model in one call, so that its largest batch can be full."""
    if not isinstance(model, SizesBatches):
        return otherwise
    batches = model.picture_batches
    # Two rounds of all lanes: one that is done early finds more to do.
    return max(otherwise, batches.ceiling if batches.lanes == 1 else 2 * batches.lanes * batches.ceiling)


class Batches:
    """Runs a function over consecutive slices as large as the memory allows. Safe to use from several threads.

    The first batch is of two inputs, each further one up to four times the largest before; on the way the peak of
    memory is measured. Until two sizes are known an estimate bounds the size to a quarter of the free memory, from then
    on the measurement to half of it: decoding, the index and the page cache live in the rest. A slice that does not fit
    is halved and run again; a size that failed is not tried again. With several lanes, slices run side by side as soon
    as they have grown to their full size.

    Args:
        bytes_per_input: what one input takes at its largest, estimated.
        ceiling: the size beyond which larger batches gain nothing on this device.
        memory: where the work has its arrays.
        what: the inputs' plural, for reports.
        lanes: slices of one call that run at the same time, each in a thread of its own.

    Attributes:
        ceiling: as given.
        lanes: as given.
    """

    def __init__(
        self,
        bytes_per_input: int,
        *,
        ceiling: int,
        memory: Memory = HOST_MEMORY,
        what: str = "pictures",
        lanes: int = 1,
    ) -> None:
        self.ceiling = ceiling
        self.lanes = lanes
        self._threads = ThreadPoolExecutor(lanes, thread_name_prefix="lane") if lanes > 1 else None
        self._memory = memory
        self._what = what
        self._lock = threading.Lock()
        self._estimate = max(1, bytes_per_input)
        self._footprint = Footprint()
        self._largest_run = 0  # estimated bytes; and below, of what failed
        self._failed: int | None = None
        self._largest = 0
        self._halvings = 0

    @property
    def report(self) -> BatchReport:
        """What has become of the sizes so far."""
        with self._lock:
            ratio = self._footprint.ratio
            each = self._estimate if ratio is None else round(self._estimate * ratio)
            free = self._memory.free_bytes()
            return BatchReport(self._what, self._largest, each, ratio is not None, free, self._halvings)

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

    def each(self, count: int, work: Callable[[slice], None], *, bytes_per_input: int | None = None) -> None:
        """Call `work` with half-open slices that cover 0 to `count` in order; what does not fit comes again, halved.

        Args:
            count: how many inputs there are.
            work: changes nothing before its last allocation, so that it may be called again.
            bytes_per_input: the estimate for these inputs, where inputs of different calls differ.

        Raises:
            ModelError: a single input does not fit into memory; the message names its position.
        """
        estimate = max(1, bytes_per_input or self._estimate)
        share = self._share(count)
        start = 0
        while start < count and (self._threads is None or self._largest < share):
            start += self._next(start, count, share, work, estimate)
        if self._threads is not None and start < count:

            def whole(part: slice) -> None:
                done = part.start
                while done < part.stop:
                    done += self._next(done, part.stop, share, work, estimate)

            side_by_side(self._threads, self.lanes, Slices(start, count, share), whole)

    def _share(self, count: int) -> int:
        """Inputs of a full slice: the ceiling, or less where each lane is to have as many slices as the others."""
        if self.lanes == 1:
            return self.ceiling
        rounds = -(-count // (self.ceiling * self.lanes))
        return max(1, -(-count // max(1, rounds * self.lanes)))

    def _next(self, start: int, end: int, most: int, work: Callable[[slice], None], estimate: int) -> int:
        """Run the next slice, of at most `most` inputs; returns how many are done, 0 where the slice did not fit."""
        size = self._size(min(most, end - start), estimate)
        try:
            self._run(slice(start, start + size), work, estimate)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise ModelError(
                    f"input {start} alone does not fit into memory", remedy="Free memory or use a smaller model."
                ) from error
            self._halve(size, estimate)
        else:
            return size
        # Behind the except clause, where the error and the arrays in its frames are gone.
        self._memory.release()
        return 0

    def _size(self, count: int, estimate: int) -> int:
        """Inputs of the next batch, 1 to `count`."""
        most = min(count, self.ceiling)
        if most == 1:
            return 1
        with self._lock:
            grown = max(_FIRST * estimate, _GROWTH * self._largest_run)
            fits = self._footprint.fits(self._memory.free_bytes()) // self.lanes
            return max(1, min(most, min(grown, fits, self._after_failure()) // estimate))

    def _after_failure(self) -> int:
        """Half of what failed, or what has run where that is more and below it."""
        if self._failed is None:
            return NO_LIMIT
        return max(self._failed // 2, self._largest_run if self._largest_run < self._failed else 0)

    def _run(self, part: slice, work: Callable[[slice], None], estimate: int) -> None:
        size = part.stop - part.start
        taken = self._memory.run(lambda: work(part), measure=self._footprint.wants(size * estimate))
        with self._lock:
            self._estimate = estimate
            self._largest_run = max(self._largest_run, size * estimate)
            grew = size > self._largest
            self._largest = max(self._largest, size)
            if taken is not None:
                self._footprint.add(size * estimate, *taken)
        if grew and _LOG.isEnabledFor(logging.INFO):
            _LOG.info("%s", self.report)

    def _halve(self, size: int, estimate: int) -> None:
        with self._lock:
            self._failed = min(size * estimate, self._failed or size * estimate)
            self._halvings += 1
        _LOG.warning("a batch of %d %s did not fit into memory; now %d", size, self._what, size // 2)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python, torch or onnxruntime means that an allocation failed."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    # onnxruntime's exceptions are no RuntimeErrors: they share no base class below Exception.
    of_a_runtime = isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime")
    return of_a_runtime and any(words in str(error).lower() for words in _ALLOCATION_FAILURES)


def _in_words(size: int) -> str:
    """Bytes for people, in decimal units."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1000:.0f} kB"
