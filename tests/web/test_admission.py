"""The gate: bounded lanes, deadlines from arrival, clients that leave, work that ends with them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.settings import Settings
from tests.web.test_openapi import routes_of
from vision.wanted import NobodyWaitsError, current_work, still_wanted
from web.access.rules import RULES
from web.admission.costs import Cost, Tariff
from web.admission.gate import Admission, Gate
from web.admission.lanes import LaneLimits, lane_limits
from web.app import SPARE_THREADS, create_app

SEARCH, UPLOAD, STATIC = "/api/v1/search", "/search", "/healthz"


class Client:
    """One request as a server would pass it on; its client can leave, and reads as fast as `reading` lets it."""

    def __init__(self, path: str, method: str = "GET", body: Sequence[bytes] = (b"",), **headers: str) -> None:
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        path, _, query = path.partition("?")
        self.scope: Scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
        self.scope |= {"headers": [(b"host", b"localhost"), *sent], "scheme": "http", "server": ("localhost", 80)}
        self.chunks = list(body)
        self.left = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if self.chunks:
            return {"type": "http.request", "body": self.chunks.pop(0), "more_body": bool(self.chunks)}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        await self.reading.wait()

    def ask(self, app: ASGIApp) -> asyncio.Task[None]:
        async def call() -> None:
            await app(self.scope, self.receive, self.send)

        return asyncio.create_task(call())

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def problem(self) -> Any:
        return json.loads(self.sent[1]["body"])


class Slow:
    """An application whose answers come when the test lets them, in order of the requests."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = 0
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun += 1
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        if scope["path"] != STATIC:
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"answer"})


def one_lane(running: int = 1, waiting: int = 1, deadline_s: float = 30.0, body_bytes: int = 100) -> Gate:
    limits = LaneLimits(running, waiting, deadline_s)
    return Gate({Cost.SEARCH: limits, Cost.UPLOAD: limits}, body_bytes)


async def settled() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def scenario(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(play())


def test_every_route_has_a_cost_and_every_cost_a_route(tmp_path: Path) -> None:
    routes = set(routes_of(create_app(Settings(home=tmp_path))))
    assert {(rule.method, rule.path) for rule in RULES} - {("GET", "/static/{path:path}")} == routes


@pytest.mark.parametrize(
    ("method", "address", "route", "cost"),
    [
        ("GET", "/healthz", "/healthz", Cost.STATIC),
        ("HEAD", "/static/a/b.css", "/static/{path:path}", Cost.STATIC),
        ("GET", "/images/5", "/images/{image_id}", Cost.READ),
        ("GET", "/images/5?q=a&heat=", "/images/{image_id}", Cost.READ),
        ("GET", "/images/5?heat=red", "/images/{image_id}", Cost.LOOK),
        ("GET", "/images/5?ask=why&heat=red", "/images/{image_id}", Cost.ASK),
        ("GET", "/images/5/more", "-", Cost.READ),
        ("GET", "/images/\n", "/images/{image_id}", Cost.READ),
        ("POST", "/api/v1/search", "/api/v1/search", Cost.UPLOAD),
        ("DELETE", "/api/v1/search", "-", Cost.READ),
    ],
)
def test_a_request_costs_what_its_first_line_says(method: str, address: str, route: str, cost: Cost) -> None:
    path, _, query = address.partition("?")
    found = Tariff(RULES).of(method, path, query.encode())
    assert (found.path, found.cost) == (route, cost)


@pytest.mark.parametrize("cores", [1, 2, 8, 128])
def test_every_cost_but_static_has_a_lane_and_all_lanes_have_threads(cores: int) -> None:
    gate = Gate(lane_limits(cores, cores), 1)
    assert set(gate.lanes) == set(Cost) - {Cost.STATIC}
    assert all(lane.limits.running >= 1 and lane.limits.waiting >= 4 for lane in gate.lanes.values())
    assert gate.threads + SPARE_THREADS < 300


def test_what_finds_no_place_is_refused_at_once_and_the_rest_answered_in_order() -> None:
    async def play() -> None:
        slow = Slow()
        app = Admission(slow, gate := one_lane())
        clients = [Client(SEARCH) for _ in range(4)]
        asked = [client.ask(app) for client in clients]
        await settled()
        assert [client.status for client in clients] == [None, None, 503, 503]
        assert slow.begun == 1
        assert (gate.lanes[Cost.SEARCH].running, gate.lanes[Cost.SEARCH].waiting) == (1, 1)
        assert clients[2].problem["type"] == "urn:deixis:problem:overloaded"
        assert int(clients[2].headers["retry-after"]) >= 1
        static = Client(STATIC)
        await static.ask(app)
        assert static.status == 200, "what is static never waits"
        slow.go.set()
        await asyncio.gather(*asked)
        assert [client.status for client in clients] == [200, 200, 503, 503]
        assert gate.lanes[Cost.SEARCH].refused == {"full": 2}
        assert (gate.lanes[Cost.SEARCH].running, gate.lanes[Cost.SEARCH].places) == (0, 0)

    scenario(play)


def test_the_deadline_counts_while_a_request_waits() -> None:
    async def play() -> None:
        slow = Slow()
        gate = one_lane()
        app = Admission(slow, gate)
        first = Client(SEARCH)
        asked = first.ask(app)
        await settled()
        gate.lanes[Cost.SEARCH].limits = LaneLimits(1, 1, 0.01)
        late = Client(SEARCH)
        await late.ask(app)
        assert (late.status, first.status, slow.begun) == (503, None, 1)
        assert gate.lanes[Cost.SEARCH].refused == {"late": 1}
        slow.go.set()
        await asked
        assert first.status == 200
        again = Client(SEARCH)
        await again.ask(app)
        assert again.status == 200, "a place that was given up is free"

    scenario(play)


def test_a_client_that_leaves_while_it_waits_makes_room() -> None:
    async def play() -> None:
        slow = Slow()
        app = Admission(slow, gate := one_lane())
        first, gone, last = Client(SEARCH), Client(SEARCH), Client(SEARCH)
        asked = first.ask(app)
        await settled()
        leaving = gone.ask(app)
        await settled()
        gone.left.set()
        await leaving
        rest = last.ask(app)
        await settled()
        assert gone.sent == []
        slow.go.set()
        await asyncio.gather(asked, rest)
        assert (first.status, last.status, slow.begun) == (200, 200, 2)
        assert gate.lanes[Cost.SEARCH].refused == {"left": 1}

    scenario(play)


@pytest.mark.parametrize("reason", ["left", "late", "stopping"])
def test_work_that_nobody_waits_for_is_told_so_and_has_its_turn_until_it_ends(reason: str) -> None:
    async def play() -> None:
        told, end, seen, computing = threading.Event(), threading.Event(), [], threading.Event()

        def compute() -> None:
            work = current_work()
            assert work is not None
            with work.telling(told.set):
                computing.set()
                assert end.wait(30)
            try:
                still_wanted()
            except NobodyWaitsError:
                seen.append("nobody")
                raise

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await run_in_threadpool(compute)
            await send({"type": "http.response.start", "status": 200, "headers": []})

        gate = one_lane(deadline_s=0.3 if reason == "late" else 30.0)
        client = Client(SEARCH)
        asked = client.ask(Admission(app, gate))
        lane = gate.lanes[Cost.SEARCH]
        await until(computing.is_set)
        if reason == "left":
            client.left.set()
        elif reason == "stopping":
            gate.refuse()
            gate.abandon()
        await asked
        assert client.status == (None if reason == "left" else 503)
        assert told.is_set()
        assert (lane.running, gate.busy) == (1, True), "its thread is still taken"
        end.set()
        await until(lambda: not gate.busy)
        assert (lane.running, lane.places, seen) == (0, 0, ["nobody"])
        assert lane.refused == {reason: 1}
        assert len(client.sent) <= 2, "only the refusal was sent"

    scenario(play)


def test_a_client_that_reads_slowly_holds_nobody_up() -> None:
    async def play() -> None:
        slow = Slow()
        slow.go.set()
        app = Admission(slow, one_lane(running=1, waiting=0))
        reader, other = Client(SEARCH), Client(SEARCH)
        reader.reading.clear()
        asked = reader.ask(app)
        await settled()
        await other.ask(app)
        assert other.status == 200
        reader.reading.set()
        await asked

    scenario(play)


def test_what_an_answer_raises_reaches_the_error_net_and_gives_the_turn_back() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("a mistake")

    async def play() -> None:
        gate = one_lane()
        with pytest.raises(ValueError, match="a mistake"):
            await Client(SEARCH).ask(Admission(app, gate))
        assert (gate.lanes[Cost.SEARCH].running, gate.lanes[Cost.SEARCH].places) == (0, 0)

    scenario(play)


def test_a_body_is_received_whole_before_its_turn_and_comes_unchanged() -> None:
    async def play() -> None:
        slow = Slow()
        slow.go.set()
        chunks = [bytes([number]) * 300_000 for number in range(8)]
        gate = one_lane(body_bytes=3_000_000)
        app = Admission(slow, gate)
        for body in ([b""], [b"short"], [b"", b"two"], chunks):
            client = Client(UPLOAD, "POST", body)
            await client.ask(app)
            assert (client.status, slow.bodies[-1]) == (200, b"".join(body))
        assert gate.budget.held_bytes == 0

    scenario(play)


def test_a_client_that_sends_slowly_keeps_a_place_and_no_turn() -> None:
    async def play() -> None:
        slow = Slow()
        slow.go.set()
        gate = one_lane()
        app = Admission(slow, gate)
        sending = Client(UPLOAD, "POST", [b"half", b"rest"])
        more = asyncio.Event()
        receive = sending.receive

        async def receive_slowly() -> Message:
            if len(sending.chunks) == 1:
                await more.wait()
            return await receive()

        sending.receive = receive_slowly  # type: ignore[method-assign]
        asked = sending.ask(app)
        await settled()
        other = Client(UPLOAD, "POST", [b"whole"])
        await other.ask(app)
        assert (other.status, sending.status) == (200, None)
        more.set()
        await asked
        assert slow.bodies == [b"whole", b"halfrest"]

    scenario(play)


@pytest.mark.parametrize("declared", [True, False])
def test_all_uploads_together_take_no_more_room_than_there_is(declared: bool) -> None:
    async def play() -> None:
        slow = Slow()
        gate = one_lane(running=1, waiting=5, body_bytes=100)
        app = Admission(slow, gate)
        length = {"content_length": "60"} if declared else {}
        first, second = (Client(UPLOAD, "POST", [b"x" * 30, b"y" * 30], **length) for _ in range(2))
        asked = first.ask(app)
        await settled()
        await second.ask(app)
        assert (second.status, gate.budget.held_bytes) == (503, 60)
        assert gate.lanes[Cost.UPLOAD].refused == {"bytes": 1}
        slow.go.set()
        await asked
        assert (first.status, gate.budget.held_bytes) == (200, 0)

    scenario(play)


def test_a_server_that_stops_finishes_what_runs_and_refuses_the_rest() -> None:
    async def play() -> None:
        slow = Slow()
        app = Admission(slow, gate := one_lane())
        running, waiting, coming, health = (Client(path) for path in (SEARCH, SEARCH, SEARCH, STATIC))
        asked = running.ask(app)
        await settled()
        queued = waiting.ask(app)
        await settled()
        gate.refuse()
        await asyncio.gather(queued, coming.ask(app), health.ask(app))
        for client in (waiting, coming):
            assert client.status == 503
            assert client.headers["connection"] == "close"
            assert client.headers["retry-after"]
        assert (health.status, running.status) == (200, None)
        slow.go.set()
        await asked
        assert (running.status, gate.busy) == (200, False)

    scenario(play)


def test_a_hundred_clients_that_come_and_go_leave_nothing_behind() -> None:
    async def play() -> None:
        gate = one_lane(running=3, waiting=10, deadline_s=0.02)
        turns: list[Awaitable[None]] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(int(scope["query_string"]) % 7 / 400)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        clients = [Client(f"{SEARCH}?{number}") for number in range(100)]
        for number, client in enumerate(clients):
            turns.append(client.ask(Admission(app, gate)))
            if number % 3 == 0:
                asyncio.get_running_loop().call_later(number % 5 / 500, client.left.set)
            await asyncio.sleep(0.0005)
        await asyncio.gather(*turns)
        await until(lambda: not gate.busy)
        lane = gate.lanes[Cost.SEARCH]
        assert (lane.running, lane.places, gate.budget.held_bytes) == (0, 0, 0)
        assert {client.status for client in clients} <= {None, 200, 503}
        assert sum(client.status == 200 for client in clients) > 0

    scenario(play)
