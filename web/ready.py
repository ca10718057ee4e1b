"""Whether searches can be answered, looked at in the background and told at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import anyio.to_thread
from anyio import CapacityLimiter
from sqlalchemy.exc import SQLAlchemyError

from search.service import Readiness
from vision.errors import DeixisError
from web.errors import NotReadyError, in_one_line

log = logging.getLogger(__name__)

FRESH_S = 1.0
"""For so long what was found is told without another look."""

PATIENCE_S = 2.0
"""For so long a question waits for a look that is under way; nothing but the question waits then."""

LOADING = "the model and the indexes are still being loaded"


class ReadyKeeper:
    """Looks whether a search would be answered, in a thread of its own, never twice at a time.

    Args:
        look: loads what has not been loaded yet; raises where a search would.
    """

    def __init__(self, look: Callable[[], Readiness]) -> None:
        self._look = look
        self._task: asyncio.Task[None] | None = None
        self._limiter: CapacityLimiter | None = None
        self._looked_at = 0.0
        self.found: Readiness | None = None
        self._reasons: tuple[str, ...] = (LOADING,)

    def begin(self) -> asyncio.Task[None]:
        """Look now, unless a look is under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._find_out())
        return self._task

    async def state(self) -> Readiness:
        """What was found at the last look, which is a second old at most where a look takes no longer.

        Raises:
            NotReadyError: with every reason that could be found.
        """
        now = asyncio.get_running_loop().time()
        if self.found is None or now - self._looked_at > FRESH_S:
            await asyncio.wait({self.begin()}, timeout=PATIENCE_S)
        if self.found is None:
            raise NotReadyError(self._reasons)
        return self.found

    async def close(self) -> None:
        """Wait for the look that is under way."""
        if self._task is not None:
            await self._task

    async def _find_out(self) -> None:
        if self._limiter is None:
            self._limiter = CapacityLimiter(1)  # its own thread, which no request waits for and which waits for none
        before = self.found
        try:
            self.found = await anyio.to_thread.run_sync(self._look, limiter=self._limiter)
        except DeixisError as error:
            self._fail(in_one_line(error), error)
        except (OSError, SQLAlchemyError) as error:
            self._fail("the library's database or files cannot be read; the server's log says why", error)
        except Exception as error:  # the server goes on: its pages can say what is wrong
            log.exception("could not look whether searches can be answered")
            self._fail("the server could not find out; its log says why", error)
        self._looked_at = asyncio.get_running_loop().time()
        if self.found is not None and before is None:
            log.info("ready: %d pictures, model %s", self.found.images, self.found.model)

    def _fail(self, reason: str, error: Exception) -> None:
        if self.found is not None or self._reasons != (reason,):  # once, however often it is asked for
            log.warning("not ready: %s", error)
        self.found, self._reasons = None, (reason,)
