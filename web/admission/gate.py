"""The gate of the server: every request waits here for its turn, before a thread is taken, until its deadline."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vision.wanted import as_work
from web.access.rules import RULES
from web.admission.bodies import Body, Budget, BudgetError
from web.admission.costs import Cost, Tariff
from web.admission.lanes import Lane, LaneLimits, Latencies, RefusedError
from web.admission.visits import Run, Visit
from web.errors import DOMAIN_KINDS, OverloadedError, problem_response

_WHY = {
    "full": "More of this is asked for at once than the server can answer in time.",
    "late": "The server could not answer this in time.",
    "stopping": "The server is stopping.",
    "bytes": "The uploads that the server holds already take all the room there is.",
}
RESTART_S = 5
"""What a client is told to wait for when the server stops."""

ALWAYS = frozenset({"/healthz", "/metrics"})
"""Answered while the server stops, too."""


class Gate:
    """The lanes of a process and what passes through them; belongs to one event loop.

    Args:
        limits: of each lane.
        body_bytes: that bodies may take, all of them together.

    Attributes:
        lanes: by cost.
        budget: of all bodies.
        free: latencies of what never waits.
        answered: (cost, HTTP status) → how many.
        stopping: whether nothing new is begun.
    """

    def __init__(self, limits: Mapping[Cost, LaneLimits], body_bytes: int) -> None:
        self.tariff = Tariff(RULES)
        self.lanes = {cost: Lane(cost, one) for cost, one in limits.items()}
        self.budget = Budget(body_bytes)
        self.free = Latencies()
        self.answered: Counter[tuple[str, int]] = Counter()
        self.stopping = False
        self._running: set[Run] = set()
        self._left_behind: set[asyncio.Task[None]] = set()

    @property
    def threads(self) -> int:
        """Threads that all lanes can take at the same time."""
        return sum(lane.limits.running for lane in self.lanes.values())

    @property
    def busy(self) -> bool:
        """Whether anything is still being answered, or computes on though nobody waits for it."""
        return bool(self._running or self._left_behind)

    def refuse(self) -> None:
        """Begin to stop: what runs goes on, what waits and what comes is refused."""
        self.stopping = True
        for lane in self.lanes.values():
            lane.refuse_waiting()

    def abandon(self) -> None:
        """Let go of what still runs."""
        for run in list(self._running):
            if not run.started:
                run.abandon()

    @contextlib.contextmanager
    def running(self, run: Run) -> Iterator[None]:
        """Keep a run where `abandon` finds it."""
        self._running.add(run)
        try:
            yield
        finally:
            self._running.discard(run)

    def leave_behind(self, task: asyncio.Task[None], then: Callable[[], None]) -> None:
        """Let a task end on its own; nobody wants to hear of what."""
        self._left_behind.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._left_behind.discard(done)
            if not done.cancelled():
                done.exception()
            then()

        task.add_done_callback(ended)


class Admission:
    """Lets requests in.

    A request has a place in the lane of its cost, or is refused at once. Its body is received, then it waits for its
    turn, and until its deadline its answer must have begun. A client that leaves gives up place and turn. Whatever
    nobody waits for is told so (`vision.wanted`); its turn ends when it does.

    Args:
        app: what lies inside.
        gate: the lanes.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        now = asyncio.get_running_loop().time
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        route = self.gate.tariff.of(scope["method"], path, scope["query_string"])
        visit = Visit(route, scope.get("state", {}).get("arrived", now()))
        scope.setdefault("state", {})["visit"] = visit
        lane = self.gate.lanes.get(route.cost)
        latencies = self.gate.free if lane is None else lane.latencies
        try:
            if self.gate.stopping and path not in ALWAYS:
                await self._shed(visit, lane, "stopping", scope, receive, send)
            elif lane is None:
                await self.app(scope, receive, send)
            else:
                await self._through(lane, visit, scope, receive, send)
        finally:
            latencies.add(now() - visit.arrived)

    async def _through(self, lane: Lane, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            lane.enter()
        except RefusedError as refused:
            await self._shed(visit, lane, refused.reason, scope, receive, send)
            return
        body = Body(receive, self.gate.budget)
        try:
            if await self._taken_in(lane, visit, body, scope, send):
                await self._in_turn(lane, visit, body, scope, send)
        finally:
            body.close()

    async def _taken_in(self, lane: Lane, visit: Visit, body: Body, scope: Scope, send: Send) -> bool:
        try:
            await body.take_in(scope["headers"])
        except BudgetError:
            lane.leave()
            await self._shed(visit, lane, "bytes", scope, body.receive, send)
            return False
        except BaseException:
            lane.leave()
            raise
        if body.left:
            lane.leave()
            lane.refused["left"] += 1
            visit.shed = "left"
        return not body.left

    async def _in_turn(self, lane: Lane, visit: Visit, body: Body, scope: Scope, send: Send) -> None:
        now = asyncio.get_running_loop().time
        turn = lane.turn()
        first: set[asyncio.Future[Any]] = {turn, body.departure()}
        try:
            left_s = visit.arrived + lane.limits.deadline_s - now()
            if not turn.done():
                await asyncio.wait(first, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            visit.waited_s = now() - visit.arrived
            if turn.done():
                turn.result()
            elif body.departure().done():
                lane.refused["left"] += 1
                visit.shed = "left"
            else:
                raise RefusedError("late")
        except RefusedError as refused:
            lane.end(turn)
            await self._shed(visit, lane, refused.reason, scope, body.receive, send)
            return
        except BaseException:
            lane.end(turn)
            raise
        if visit.shed:
            lane.end(turn)
        else:
            await self._answer(lane, turn, visit, body, scope, send)

    async def _answer(
        self, lane: Lane, turn: asyncio.Future[None], visit: Visit, body: Body, scope: Scope, send: Send
    ) -> None:
        now, begun = asyncio.get_running_loop().time, asyncio.get_running_loop().time()
        run, ended = Run(), False

        def end() -> None:
            nonlocal ended
            if not ended:
                ended = True
                lane.end(turn, now() - begun)

        async def send_unless_muted(message: Message) -> None:
            if run.muted:
                return
            run.started = True
            end()  # all that is left is sending, which a slow client must not do in the lane
            await send(message)

        async def work() -> None:
            with as_work(run.wanted), run.scope:
                await self.app(scope, body.receive, send_unless_muted)

        with self.gate.running(run):
            inner = asyncio.ensure_future(work())
            try:
                reason = await self._first(run, inner, body, visit.arrived + lane.limits.deadline_s)
            except BaseException:
                run.abandon()
                self.gate.leave_behind(inner, end)
                raise
        if not reason:
            end()
            await inner
            return
        run.abandon()
        self.gate.leave_behind(inner, end)
        if reason == "left":
            lane.refused["left"] += 1
            visit.shed = "left"
        else:
            await self._shed(visit, lane, reason, scope, body.receive, send)

    async def _first(self, run: Run, inner: asyncio.Task[None], body: Body, deadline: float) -> str:
        """What comes first: the end of the answer (empty), the client's leaving, or the deadline."""
        left_s = max(0.0, deadline - asyncio.get_running_loop().time())
        departure = body.departure()
        first: set[asyncio.Future[Any]] = {inner, departure, run.given_up}
        done, _ = await asyncio.wait(first, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if not done and run.started:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if run.muted:  # from outside: the server stops
            return "stopping"
        if inner.done():
            return ""
        return "left" if departure.done() else "late"

    async def _shed(
        self, visit: Visit, lane: Lane | None, reason: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        visit.shed = reason
        if lane is not None:
            lane.refused[reason] += 1
        retry_s = RESTART_S if lane is None or reason == "stopping" else lane.retry_after_s
        headers = {"Retry-After": str(retry_s)}
        if self.gate.stopping:
            headers["Connection"] = "close"
        kind = DOMAIN_KINDS[OverloadedError]
        extra = {"remedy": f"Try again in {retry_s} seconds." if retry_s > 1 else "Try again in a second."}
        response = problem_response(Request(scope), kind, _WHY[reason], extra=extra, headers=headers)
        await response(scope, receive, send)
