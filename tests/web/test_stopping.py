"""The real server under costly requests: clients that leave, an end with uploads queued, several processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.vision.decoder.pictures import slow_gif
from tests.web.conftest import ROOT, StartServer

SLOW = slow_gif(700_000)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def upload(address: str) -> socket.socket:
    """Send a picture that takes very long to decode, and do not wait for the answer."""
    place = urlsplit(address)
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.gif"\r\n\r\n' + SLOW + b"\r\n--x--\r\n"
    head = (
        "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection((place.hostname, place.port), timeout=40)
    connection.sendall(head.encode() + body)
    return connection


def lane(address: str, name: str, more: str = "") -> float:
    with urllib.request.urlopen(address + "metrics", timeout=40) as answer:
        text = answer.read().decode()
    (line,) = (line for line in text.splitlines() if line.startswith(f'deixis_lane_{name}{{cost="upload"{more}}}'))
    return float(line.split()[1])


def read_all(connection: socket.socket) -> bytes:
    with connection, connection.makefile("rb") as file:
        return file.read()


def test_what_nobody_waits_for_ends(home: Path, start_server: StartServer) -> None:
    with start_server(home) as (address, _):
        connections = [upload(address) for _ in range(6)]
        until(lambda: lane(address, "running") + lane(address, "waiting") == 6)
        for connection in connections:
            connection.close()
        until(lambda: lane(address, "running") + lane(address, "waiting") == 0)
        assert lane(address, "refused_total", ',reason="left"') == 6, "none was decoded to its end"
        with urllib.request.urlopen(address + "search?q=red", timeout=40) as answer:
            assert answer.status == 200


def test_an_end_with_uploads_queued_is_orderly(home: Path, start_server: StartServer) -> None:
    with start_server(home) as (address, process):
        with urllib.request.urlopen(address + "readyz", timeout=40) as answer:
            assert answer.status == 200
        connections = [upload(address) for _ in range(5)]
        until(lambda: lane(address, "running") + lane(address, "waiting") == 5)
        process.send_signal(signal.SIGTERM)
        answers = [read_all(connection) for connection in connections]
        _, errors = process.communicate(timeout=40)
    assert process.returncode == 0
    refused = [one for one in answers if not one.startswith(b"HTTP/1.1 200 ")]
    assert len(refused) >= 2, "they take seconds each, one after the other"
    for one in refused:
        head, _, body = one.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 "), one[:300]
        assert b"retry-after: " in head.lower()
        assert b"connection: close" in head.lower()
        assert json.loads(body)["type"] == "urn:deixis:problem:overloaded"
    for sign in ("Traceback", "ERROR", "Killing", "Exception"):
        assert sign not in errors, errors


@contextmanager
def two_workers(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "deixis", "serve", "--home", str(home), "--port", str(port), "--workers", "2"]
    command += ["--threads", "1", "--log-level", "info", "--log-format", "json"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DEIXIS_")}
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environ) as process:
        try:
            yield f"http://127.0.0.1:{port}/", process
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=40)


def test_two_processes_answer_as_one_server_and_end_as_one(home: Path) -> None:
    with two_workers(home) as (address, process):
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if "answers on" in line:
                break

        def figures() -> str:
            with urllib.request.urlopen(address + "metrics", timeout=40) as answer:
                return str(answer.read().decode())

        until(lambda: "deixis_workers 2.0" in figures())
        for _ in range(8):
            with urllib.request.urlopen(address + "api/v1/search?q=red&k=1", timeout=40) as answer:
                assert answer.status == 200
        until(lambda: 'deixis_answers_total{cost="search",status="200"} 8.0' in figures())
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=40)
    said += rest
    assert process.returncode == 0, said
    assert said.count("answers on") == 1
    assert "Traceback" not in said
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert len([one for one in events if one.get("route") == "/api/v1/search"]) == 8
    assert not [one for one in events if one["level"] in ("error", "critical")]
