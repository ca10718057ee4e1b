"""Decode many pictures in parallel and in order, while hostile ones take down nothing but their own child."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from vision.decoder.contract import Decoded, DecodeLimits, DecodeRequest, Refused
from vision.decoder.process import DecodingChild, NotBegunError
from vision.errors import DecoderError
from vision.wanted import NobodyWaitsError, Wanted

logger = logging.getLogger(__name__)

_ATTEMPTS = 3

_LOOK_AGAIN_S = 0.5
"""Longest wait without a look at signals: one that arrives just before a wait begins does not wake it, and Ctrl-C
would have to wait for the slowest picture."""


class DecoderPool:
    """A fixed number of decoding children, started when first needed and replaced when spent, hung or dead.

    Each child is driven by one thread that only waits for it, so the caller's own work (an encoder) overlaps with
    decoding. Threads of the caller may share a pool. Use it as a context manager: leaving it ends the children.

    Args:
        limits: what one picture may cost; the defaults of `DecodeLimits` when None.
        workers: how many pictures are decoded at the same time.
        window: how many pictures `map` holds between request and result, 4 × `workers` when None. Results wait
            here for a slow picture before them; at full size each may take 3 × `max_pixels` bytes.
        niceness: how far the children stand back behind other work on the processor, 0 to 19.

    Attributes:
        worked_s: seconds that children have taken for pictures, all of them together.

    Raises:
        DecoderError: `workers` or `window` is less than 1.
    """

    def __init__(
        self, limits: DecodeLimits | None = None, workers: int = 1, *, window: int | None = None, niceness: int = 0
    ) -> None:
        if workers < 1 or (window is not None and window < 1):
            raise DecoderError(f"a pool needs workers and a window of at least 1, got {workers} and {window}")
        self._limits = limits or DecodeLimits()
        self._window = window or 4 * workers
        self._niceness = niceness
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decoder")
        self._lock = threading.Lock()
        self._idle: list[DecodingChild] = []
        self._busy: set[DecodingChild] = set()
        self._closed = False
        self.worked_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def map(self, requests: Iterable[DecodeRequest]) -> Iterator[Decoded | Refused]:
        """Decode pictures; one answer per request, in the order of the requests.

        Args:
            requests: consumed lazily, in the caller's thread, at most `window` ahead of the answers.

        Raises:
            DecoderError: the decoding process itself does not start, or the pool is closed.
        """
        pending: deque[Future[Decoded | Refused]] = deque()
        try:
            for request in requests:
                pending.append(self._submit(request))
                while pending and (len(pending) >= self._window or pending[0].done()):
                    yield _result(pending.popleft())
            while pending:
                yield _result(pending.popleft())
        finally:
            for future in pending:
                future.cancel()

    def decode(self, request: DecodeRequest, wanted: Wanted | None = None) -> Decoded | Refused:
        """Decode one picture and wait for it.

        Args:
            request: what to decode.
            wanted: when it is abandoned, its child is killed, or it is not begun.

        Raises:
            NobodyWaitsError: it was abandoned.
            DecoderError: the decoding process itself does not start, or the pool is closed.
        """
        if wanted is None:
            return _result(self._submit(request))
        wanted.check()
        hold = _Hold(self._lock)
        future = self._submit(request, hold)

        def end() -> None:
            if not future.cancel():
                hold.end()

        with wanted.telling(end):
            try:
                answer = _result(future)
            except CancelledError as error:
                raise NobodyWaitsError from error
        wanted.check()  # a killed child looks like a picture that crashed it
        return answer

    def child_pids(self, *, at_work: bool = False) -> list[int]:
        """Process ids of the living children; with `at_work`, of those that are in the middle of a picture."""
        with self._lock:
            return [child.pid for child in (*self._idle, *self._busy) if child.at_work or not at_work]

    def close(self) -> None:
        """End all children, finished or not, and wait for the threads; answers still pending are lost."""
        with self._lock:
            self._closed = True
            for child in self._busy:
                child.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()

    def _submit(self, request: DecodeRequest, hold: _Hold | None = None) -> Future[Decoded | Refused]:
        with self._lock:
            if self._closed:
                raise DecoderError("this pool is closed")
            return self._threads.submit(self._decode, request, hold or _Hold(self._lock))

    def _decode(self, request: DecodeRequest, hold: _Hold) -> Decoded | Refused:
        for _ in range(_ATTEMPTS):
            child = self._borrow()
            started = time.perf_counter()
            try:
                hold.take(child)
                return child.ask(request)
            except NotBegunError:
                if not hold.ended:
                    logger.warning("decoding child %d was lost while idle; replacing it", child.pid)
            finally:
                hold.take(None)
                with self._lock:
                    self.worked_s += time.perf_counter() - started
                self._give_back(child)
        return Refused(request.path, "crashed", "The decoder could not even take this picture in.")

    def _borrow(self) -> DecodingChild:
        with self._lock:
            if self._closed:
                raise DecoderError("this pool is closed")
            child = self._idle.pop() if self._idle else None
            if child is not None:
                self._busy.add(child)
                return child
        child = DecodingChild(self._limits)
        if self._niceness:
            with contextlib.suppress(OSError):  # without it, it decodes as well
                os.setpriority(os.PRIO_PROCESS, child.pid, self._niceness)
        with self._lock:
            self._busy.add(child)
            if self._closed:
                child.kill()
        return child

    def _give_back(self, child: DecodingChild) -> None:
        with self._lock:
            self._busy.discard(child)
            keep = not child.spent and not self._closed
            if keep:
                self._idle.append(child)
        if not keep:
            child.close()


class _Hold:
    """Which child works for a request that may be abandoned; the lock is the pool's."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._child: DecodingChild | None = None
        self.ended = False

    def take(self, child: DecodingChild | None) -> None:
        """Note the child, or None once it may work for others; raises `NobodyWaitsError` for one that came too late."""
        with self._lock:
            self._child = child
            late = self.ended and child is not None
        if late:
            raise NobodyWaitsError

    def end(self) -> None:
        """Kill the child, if one is at work; none is begun any more."""
        with self._lock:
            self.ended = True
            if self._child is not None:
                self._child.kill()


def _result(future: Future[Decoded | Refused]) -> Decoded | Refused:
    while not future.done():
        wait([future], timeout=_LOOK_AGAIN_S)
    return future.result()
