"""Work that many ask for at the same time is done once, and everybody gets its result."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Knows what is being worked on; keeps nothing that is finished."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[Result]] = {}

    async def get(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of the work under way for this key, which is begun where there is none.

        Raises whatever the work raises.
        """
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(work())
            self._running[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # Shielded: a reader that leaves must not take the result from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _forget(self, key: Hashable, done: asyncio.Task[Result]) -> None:
        del self._running[key]
        if not done.cancelled():
            done.exception()  # looked at, so that a failure which nobody waits for any more is not logged as lost


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
