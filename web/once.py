"""Work that many ask for at the same time is done once, and everybody gets its result."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from anyio import CancelScope

from vision.wanted import Wanted, as_work

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Work(Generic[Result]):
    """Work under way, and how many wait for it."""

    task: asyncio.Task[Result]
    wanted: Wanted
    scope: CancelScope
    waiting: int = field(default=0)


class Once(Generic[Result]):
    """Knows what is being worked on; keeps nothing that is finished.

    Work that nobody waits for any more is told so (`vision.wanted`), and cancelled where it waits in the event loop.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, _Work[Result]] = {}
        self._ending: set[asyncio.Task[Result]] = set()

    async def get(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of the work under way for this key, which is begun where there is none.

        Raises whatever the work raises.
        """
        under_way = self._running.get(key)
        if under_way is None:
            under_way = self._running[key] = self._begin(key, work)
        under_way.waiting += 1
        try:
            # Shielded: a reader that leaves must not take the result from the others.
            return await asyncio.shield(under_way.task)
        finally:
            under_way.waiting -= 1
            if under_way.waiting == 0 and not under_way.task.done():
                self._abandon(key, under_way)
                # The last to leave keeps its turn until the work has ended: threads are bounded by turns.
                with CancelScope(shield=True):
                    await asyncio.wait({under_way.task})

    async def close(self) -> None:
        """Wait for what is under way."""
        tasks = [work.task for work in self._running.values()]
        await asyncio.gather(*tasks, *self._ending, return_exceptions=True)

    def _begin(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Result]]) -> _Work[Result]:
        wanted, scope = Wanted(), CancelScope()

        async def run() -> Result:
            # Work of its own: whoever asked first may leave while others wait.
            with as_work(wanted), scope:
                return await work()
            raise asyncio.CancelledError  # by the scope, for nobody

        under_way = _Work(asyncio.create_task(run()), wanted, scope)
        under_way.task.add_done_callback(lambda done: self._forget(key, under_way))
        return under_way

    def _abandon(self, key: Hashable, work: _Work[Result]) -> None:
        """Let it end; whoever asks from now on begins anew."""
        del self._running[key]
        self._ending.add(work.task)
        work.wanted.abandon()
        work.scope.cancel()

    def _forget(self, key: Hashable, work: _Work[Result]) -> None:
        if self._running.get(key) is work:
            del self._running[key]
        self._ending.discard(work.task)
        if not work.task.cancelled():
            work.task.exception()  # looked at, so that a failure which nobody waits for any more is not logged as lost


class Remembered(Generic[Result]):
    """Does work once for all who ask, and keeps the results that were asked for last.

    Args:
        most: results in memory.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Result] = OrderedDict()
        self._once: Once[Result] = Once()

    async def get(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result for this key, known, under way or begun now.

        Raises whatever the work raises.
        """
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        return await self._once.get(key, lambda: self._work(key, work))

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._once.close()

    async def _work(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        made = await work()
        self._known[key] = made
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return made
