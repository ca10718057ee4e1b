"""Clients for the serving benchmark: keep-alive connections that ask one after the other and obey Retry-After."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import numpy as np
from PIL import Image


@dataclass(slots=True)
class Load:
    """What clients met.

    Attributes:
        accepted_s, shed_s: seconds of each answer with 200, and with 503.
        other: how many answers were anything else.
        took_s: of the whole load.
    """

    accepted_s: list[float] = field(default_factory=list)
    shed_s: list[float] = field(default_factory=list)
    other: int = 0
    took_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers with 200."""
        return len(self.accepted_s) / self.took_s

    def percentile_ms(self, share: float, *, shed: bool = False) -> float:
        """Milliseconds within which this share of the answers came; NaN where there were none."""
        times = self.shed_s if shed else self.accepted_s
        return float(np.percentile(times, 100 * share)) * 1000 if times else float("nan")


async def load(port: int, path: str, words: Sequence[str], clients: int, seconds: float) -> Load:
    """Ask with so many clients at once.

    Args:
        port: of the server on this machine.
        path: with `{}` for the words, or without.
        words: what is asked for, each client beginning elsewhere.
        clients: connections.
        seconds: how long.
    """
    met, begun = Load(), time.perf_counter()
    await asyncio.gather(*(_client(port, path, words, number, begun + seconds, met) for number in range(clients)))
    met.took_s = time.perf_counter() - begun
    return met


async def probe(port: int, path: str, seconds: float, every_s: float = 0.05) -> Load:
    """Ask for something cheap at a steady pace, while others load the server."""
    met, begun = Load(), time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() - begun < seconds:
        await _ask(reader, writer, path, met)
        await asyncio.sleep(every_s)
    writer.close()
    met.took_s = time.perf_counter() - begun
    return met


def costly_upload() -> bytes:
    """A request with a small file of 39.7 million black pixels."""
    picture = io.BytesIO()
    Image.new("RGB", (7700, 5155)).save(picture, "PNG")
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    body = head + picture.getvalue() + b"\r\n--x--\r\n"
    return (
        "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def attack(port: int, count: int, request: bytes) -> None:
    """Send a request so many times at once, and leave as soon as it is sent."""

    async def one() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.close()

    await asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)


async def _client(port: int, path: str, words: Sequence[str], number: int, until: float, met: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = number
    while time.perf_counter() < until:
        wait_s, keep = await _ask(reader, writer, path.format(quote(words[asked % len(words)])), met)
        asked += 1
        if not keep:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(min(wait_s, max(0.0, until - time.perf_counter())))
    writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, met: Load) -> tuple[float, bool]:
    """Ask once; returns how long the server says to wait, and whether the connection goes on."""
    begun = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
    await reader.readexactly(int(headers.get("content-length", 0)))
    took_s, status = time.perf_counter() - begun, head[0].split()[1]
    if status == "200":
        met.accepted_s.append(took_s)
    elif status == "503":
        met.shed_s.append(took_s)
    else:
        met.other += 1
    return float(headers.get("retry-after", 0)), headers.get("connection") != "close"
