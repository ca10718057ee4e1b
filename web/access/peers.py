"""Who is at the other end, as the connection says, or as a proxy says that we were told to believe."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from search.errors import SettingsError
from web.access.caller import NOBODY, now_asks
from web.addresses import use_prefix

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

PEER = "deixis.peer"
"""Where in the scope of a request its `Peer` stands."""

_FORWARDING = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded")
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a request.

    Attributes:
        address: of the client; None where the connection has none, as a socket in the file system.
        trusted: whether a proxy that we believe has passed it on.
        forwarded: whether some other proxy says that it has passed it on.
    """

    address: Address | None
    trusted: bool = False
    forwarded: bool = False

    @property
    def is_here(self) -> bool:
        """Whether it is this machine itself, with no proxy between."""
        return not self.trusted and not self.forwarded and (self.address is None or self.address.is_loopback)

    @property
    def bucket(self) -> str:
        """Whose requests its own are counted with: an address, or an IPv6 network of 64 bits, as one client has."""
        if isinstance(self.address, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((self.address, 64), strict=False))
        return str(self.address or "this machine")


class Forwarded:
    """Puts client, scheme, host and prefix of a request where everything inside looks for them.

    Headers of proxies count only where the connection comes from one that we were told to believe.

    Args:
        app: what lies inside; it sees paths without the prefix.
        proxies: whom to believe.
        root_path: the prefix where no proxy names one.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[Network], root_path: str) -> None:
        self.app = app
        self.proxies = tuple(proxies)
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        said = _address((scope.get("client") or ("", 0))[0])
        prefix = self.root_path
        inner = dict(scope)
        if said is not None and self._believes(said):
            peer = Peer(self._client(headers, said), trusted=True)
            prefix = _prefix(headers.get("x-forwarded-prefix", "")) or prefix
            _believe(inner, headers, peer)
        else:
            peer = Peer(said, forwarded=any(name in headers for name in _FORWARDING))
        inner[PEER] = peer
        _below(inner, prefix)
        use_prefix(prefix)
        now_asks(NOBODY)  # until the gate knows better
        await self.app(inner, receive, send)

    def _believes(self, address: Address) -> bool:
        return any(address in network for network in self.proxies if network.version == address.version)

    def _client(self, headers: Headers, proxy: Address) -> Address:
        """The last address in the chain that is none of our proxies: those before it anybody could have written."""
        client = proxy
        for part in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            address = _address(_without_port(part.strip()))
            if address is None:
                break
            client = address
            if not self._believes(address):
                break
        return client


def networks(said: str | None) -> tuple[Network, ...]:
    """Read `DEIXIS_TRUSTED_PROXIES`.

    Raises:
        SettingsError: a part is neither an address nor a network.
    """
    found = []
    for part in (one.strip() for one in (said or "").split(",")):
        if part:
            try:
                found.append(ipaddress.ip_network(part))
            except ValueError as error:
                raise SettingsError(
                    f"DEIXIS_TRUSTED_PROXIES: {part!r} is no network",
                    remedy="Write addresses or networks: 127.0.0.1, 10.0.0.0/8.",
                ) from error
    return tuple(found)


def root_path(said: str | None) -> str:
    """Read `DEIXIS_ROOT_PATH`: empty, or `/pictures`.

    Raises:
        SettingsError: it is no path.
    """
    path = (said or "").rstrip("/")
    if path and not _PREFIX.fullmatch(path):
        raise SettingsError(f"DEIXIS_ROOT_PATH is {said!r}", remedy="Write a path that begins with /: /pictures.")
    return path


def peer_of(scope: Scope) -> Peer:
    """The other end of a request; an unknown one that is not here where nobody has looked."""
    peer: Peer = scope.get(PEER) or Peer(None, forwarded=True)
    return peer


def _believe(scope: Scope, headers: Headers, peer: Peer) -> None:
    """What a proxy says of the request that it passed on."""
    port = (scope.get("client") or ("", 0))[1]
    scope["client"] = (str(peer.address), port)
    scheme = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    if scheme in ("http", "https"):
        scope["scheme"] = scheme
    host = headers.get("x-forwarded-host", "").split(",")[0].strip()
    if _HOST.fullmatch(host):
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope["headers"] = [(b"host", host.encode()), *others]


def _below(scope: Scope, prefix: str) -> None:
    """Take the prefix off the path, where the proxy has not done so already."""
    if not prefix:
        return
    for name, start in (("path", prefix), ("raw_path", prefix.encode())):
        value = scope.get(name)
        if value and value[: len(start)] == start and value[len(start) : len(start) + 1] in ("/", b"/", "", b""):
            scope[name] = value[len(start) :] or type(value)(start[:1])


def _prefix(said: str) -> str:
    path = said.split(",", maxsplit=1)[0].strip().rstrip("/")
    return path if _PREFIX.fullmatch(path) else ""


def _without_port(said: str) -> str:
    if said.startswith("["):
        return said[1:].partition("]")[0]
    return said.partition(":")[0] if said.count(":") == 1 else said


def _address(said: str) -> Address | None:
    try:
        address = ipaddress.ip_address(said.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
