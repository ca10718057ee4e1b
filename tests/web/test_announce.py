"""The address is said once, and not before something answers there."""

from __future__ import annotations

import asyncio
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from web.announce import Announcing

WITHIN_S = 60


class Refuses(BaseHTTPRequestHandler):
    """Answers every request with "not for you", as a server does that knows itself by another name."""

    def do_GET(self) -> None:
        self.send_error(421)

    def log_message(self, *_: object) -> None: ...


class HangsUp(Refuses):
    """Accepts, and closes without an answer."""

    def do_GET(self) -> None:
        self.close_connection = True


def test_nothing_is_said_before_somebody_answers_and_a_refusal_is_an_answer() -> None:
    said = threading.Semaphore(0)
    with socket.socket() as held:  # bound, so that nobody else takes the port, but deaf
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with TestClient(Announcing(FastAPI(), "127.0.0.1", port, said.release)) as client:
            assert client.get("/nothing").status_code == 404  # requests pass through
            assert not said.acquire(blocking=False)
            held.close()
            with HTTPServer(("127.0.0.1", port), Refuses) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                assert said.acquire(timeout=WITHIN_S)
                server.shutdown()
    assert not said.acquire(blocking=False)


def test_a_connection_that_is_closed_unanswered_is_no_answer() -> None:
    said = threading.Semaphore(0)
    asked = threading.Semaphore(0)

    class Counted(HangsUp):
        def do_GET(self) -> None:
            super().do_GET()
            asked.release()

    with HTTPServer(("127.0.0.1", 0), Counted) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with TestClient(Announcing(FastAPI(), "127.0.0.1", server.server_port, said.release)):
            for _ in range(3):
                assert asked.acquire(timeout=WITHIN_S)
            assert not said.acquire(blocking=False)
            server.RequestHandlerClass = Refuses
            assert said.acquire(timeout=WITHIN_S)
        server.shutdown()


def test_an_application_that_fails_to_start_announces_nothing() -> None:
    sent: list[Message] = []

    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no"})

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    before = threading.active_count()
    asyncio.run(Announcing(broken, "127.0.0.1", 1, lambda: None)({"type": "lifespan"}, receive, send))
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert threading.active_count() == before
