"""Fetch one picture over HTTP, to a bounded number of bytes and seconds, from the very address that was judged."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from indexer.addresses import FetchError, Network, Place, parse_url, resolve

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PIECE_BYTES = 64 * 1024
_HEADERS = {
    "User-Agent": "deixis",
    "Accept": "image/*, */*;q=0.1",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What fetching a picture may cost, and from where.

    Attributes:
        max_bytes: a larger one is refused.
        timeout_s: wall-clock seconds of all requests for it together.
        allowed: networks that may be asked though they are not public.
    """

    max_bytes: int = 64 * 1024 * 1024
    timeout_s: float = 60.0
    allowed: tuple[Network, ...] = ()


class Connections:
    """The sockets of several fetches: whoever is stopped hangs up all of them, and waits for no server.

    Attributes:
        ended: whether they were hung up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.ended = False

    @contextlib.contextmanager
    def holding(self, sock: socket.socket) -> Iterator[None]:
        """Count a socket in while it is used."""
        with self._lock:
            self._open.add(sock)
            ended = self.ended
        if ended:
            _hang_up(sock)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(sock)

    def hang_up(self) -> None:
        """End every fetch, also those that are about to begin."""
        with self._lock:
            self.ended = True
            for sock in self._open:
                _hang_up(sock)


def fetch(url: str, limits: FetchLimits, connections: Connections | None = None) -> bytes:
    """The content at a URL; what it is, its bytes alone tell.

    Args:
        url: as a person writes it.
        limits: what it may cost.
        connections: of all fetches of this job.

    Raises:
        FetchError: it is not fetched.
    """
    deadline = time.monotonic() + limits.timeout_s
    place, connections = parse_url(url), connections or Connections()
    for _ in range(MAX_REDIRECTS + 1):
        answer = _ask(place, limits, deadline, connections)
        if isinstance(answer, bytes):
            return answer
        after = parse_url(urljoin(place.url, answer))
        if place.scheme == "https" and after.scheme == "http":
            raise FetchError("not_fetched", "It leads from https:// to http://.")
        place = after
    raise FetchError("not_fetched", f"It leads on more than {MAX_REDIRECTS} times.")


def _ask(place: Place, limits: FetchLimits, deadline: float, connections: Connections) -> bytes | str:
    """The content, or where it is said to be."""
    sock = _connected(resolve(place.host, place.port, limits.allowed), place.port, deadline)
    line = sock.dup()  # TLS takes the socket itself away
    watch = threading.Timer(max(0.0, deadline - time.monotonic()), _hang_up, [line])
    watch.daemon = True
    watch.start()  # A server that sends a byte now and then never runs into a socket's own timeout.
    try:
        with connections.holding(line):
            answer = _answer(sock, place, limits)
        if connections.ended or time.monotonic() >= deadline:  # then it ends where we have hung up
            raise TimeoutError
        return answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= deadline:
            raise FetchError("timeout", f"It did not come within {limits.timeout_s:g} seconds.") from error
        said = error if isinstance(error, ssl.SSLError) else type(error).__name__
        raise FetchError("not_fetched", f"The server hangs up or does not speak HTTP: {said}.") from error
    finally:
        watch.cancel()
        line.close()
        sock.close()


def _answer(sock: socket.socket, place: Place, limits: FetchLimits) -> bytes | str:
    connection = http.client.HTTPConnection(place.host, place.port)
    if place.scheme == "https":
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=place.host)
    connection.sock = sock
    with contextlib.closing(connection):
        connection.request("GET", place.target, headers=_HEADERS | {"Host": place.origin.partition("://")[2]})
        with connection.getresponse() as response:
            if response.status in _REDIRECTS and response.headers.get("Location"):
                return str(response.headers["Location"])
            return _content(response, limits)


def _content(response: http.client.HTTPResponse, limits: FetchLimits) -> bytes:
    if response.status != 200:
        raise FetchError("not_fetched", f"The server answers {response.status}.")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise FetchError("not_fetched", "The server packs what was asked for unpacked.")
    allowed = f"the {limits.max_bytes:,} bytes that DEIXIS_URL_MAX_BYTES allows"
    too_large = FetchError("too_large", f"It has more than {allowed}.")
    if response.length is not None and response.length > limits.max_bytes:
        raise too_large
    data = bytearray()
    while piece := response.read(_PIECE_BYTES):
        data += piece
        if len(data) > limits.max_bytes:
            raise too_large
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    if not data:
        raise FetchError("not_fetched", "The server sends nothing.")
    return bytes(data)


def _connected(addresses: Sequence[tuple[socket.AddressFamily, str]], port: int, deadline: float) -> socket.socket:
    """A connection to one of these addresses, and to none that a second look-up might give."""
    problem: OSError | None = None
    for family, address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            raise FetchError("timeout", "No address of the host answers in time.")
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(left)
            sock.connect((address, port))
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise FetchError("not_fetched", f"The server cannot be reached: {problem}.")


def _hang_up(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # It has ended by itself.
