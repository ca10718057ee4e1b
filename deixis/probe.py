"""Serves a library in a process of its own and asks a page of each kind, to prove that what was installed works."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from search.errors import LibraryError

START_WITHIN_S = 120
ANSWER_WITHIN_S = 120
STOP_WITHIN_S = 30
_POLL_S = 0.2


def probe(home: Path, query: str, say: Callable[[str], None], *, model: str, captioner: str | None = None) -> None:
    """Ask the pages, the API and a picture of the library, then stop the server as Ctrl-C does.

    Args:
        home: the library's folder.
        query: words for which the library has pictures.
        say: told each address that answered, with what came back.
        model: encoder that the server is to use.
        captioner: captioner that the server is to use, if any.

    Raises:
        LibraryError: an address did not answer as it should, or the server did not start or stop cleanly.
    """
    with _server(home, model, captioner) as address:
        asked = _Asked(address, say)
        asked.until_ready("readyz")
        asked.get("healthz")
        asked.get("", b"<form")
        found = json.loads(asked.get("api/v1/search?" + urllib.parse.urlencode({"q": query, "k": 3})))
        if not found["hits"]:
            raise LibraryError(f"{query!r} found nothing")
        picture = found["hits"][0]["image_id"]
        asked.get("search?" + urllib.parse.urlencode({"q": query}), f"/images/{picture}".encode())
        asked.get(f"images/{picture}", b"<img")
        asked.get(f"media/{picture}/gallery", b"JFIF")
        asked.get("api/v1/openapi.json", b'"openapi"')


class _Asked:
    """Asks one server; an answer that is not 200, or lacks what it must hold, is an error."""

    def __init__(self, address: str, say: Callable[[str], None]) -> None:
        self.address = address
        self.say = say
        self.direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy leads elsewhere

    def get(self, path: str, holds: bytes = b"") -> bytes:
        """The body at `path`, which must contain `holds`."""
        url = self.address + path
        try:
            with self.direct.open(url, timeout=ANSWER_WITHIN_S) as answer:
                body: bytes = answer.read()
        except (OSError, urllib.error.URLError) as error:
            raise LibraryError(f"{url} does not answer: {error}") from error
        if holds not in body:
            raise LibraryError(f"{url} answers without {holds.decode()!r}")
        self.say(f"{url} answers, {len(body):,} bytes")
        return body

    def until_ready(self, path: str) -> None:
        """Wait for a 200: the model is loaded while the first pages are served already."""
        end = time.monotonic() + START_WITHIN_S
        while True:
            try:
                self.get(path)
                return
            except LibraryError:
                if time.monotonic() > end:
                    raise
                time.sleep(_POLL_S)


@contextlib.contextmanager
def _server(home: Path, model: str, captioner: str | None) -> Iterator[str]:
    """A `deixis serve` on a free port; gives its address, and stops it with Ctrl-C's signal."""
    command = [
        *(sys.executable, "-m", "deixis", "serve", "--home", str(home), "--port", str(_free_port())),
        *("--model", model, *(("--captioner", captioner) if captioner else ())),
    ]
    environment = os.environ | {"DEIXIS_HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)  # noqa: S603  # ourselves
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield _address(lines)
        process.send_signal(signal.SIGINT)
        if process.wait(timeout=STOP_WITHIN_S) != 0:
            raise LibraryError(f"the server ended with exit code {process.returncode} after Ctrl-C")
    except subprocess.TimeoutExpired as error:
        raise LibraryError(f"the server did not stop within {STOP_WITHIN_S} seconds of Ctrl-C") from error
    finally:
        if process.poll() is None:
            process.terminate()  # its worker ends with it, which it would not if it were killed
            process.wait()
        reader.join()


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stderr is not None  # a pipe was asked for
    with process.stderr:
        for line in process.stderr:
            lines.put(line)
    lines.put("")


def _address(lines: queue.Queue[str]) -> str:
    said = ""
    end = time.monotonic() + START_WITHIN_S
    while True:
        try:
            line = lines.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise LibraryError(f"the server did not answer within {START_WITHIN_S} seconds\n{said}") from None
        if not line:
            raise LibraryError(f"the server ended before it answered\n{said}")
        said += line
        words = [word for word in line.split() if word.startswith("http://")]
        if words:
            return words[0]


def _free_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port: int = probe_socket.getsockname()[1]
        return port
