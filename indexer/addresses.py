"""Which network addresses pictures may be fetched from: never those that only this machine or its network can reach."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

from search.db.limits import MAX_PATH_BYTES
from vision.errors import DeixisError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_SAFE_IN_PATH = "/%:@!$&'()*+,;=-._~?"
_PORTS = {"http": 80, "https": 443}


class FetchError(DeixisError):
    """A picture is not fetched.

    Attributes:
        code: `bad_url`, `forbidden_address`, `not_fetched`, `too_large` or `timeout`.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """A URL taken apart.

    Attributes:
        origin: scheme, host and port, as URLs of the library begin.
        target: path and query, as a request names them.
        host: in ASCII, without brackets.
    """

    scheme: str
    host: str
    port: int
    origin: str
    target: str

    @property
    def url(self) -> str:
        """The address as the library stores it."""
        return self.origin + self.target


def parse_url(url: str) -> Place:
    """Take a URL apart and spell it as the library does.

    Raises:
        FetchError: bad_url.
    """
    try:
        parts = urlsplit(url.strip())
        scheme, port = parts.scheme.lower(), parts.port
        host = parts.hostname or ""
        host = host if ":" in host else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise FetchError("bad_url", f"It is no URL: {error}.") from error
    if scheme not in _PORTS:
        raise FetchError("bad_url", "Only http:// and https:// are fetched.")
    if not host or any(not char.isprintable() or char == " " for char in host) or port == 0:
        raise FetchError("bad_url", "It names no host.")
    if parts.username is not None or parts.password is not None:
        raise FetchError("bad_url", "It holds a name or a password, which the library would store.")
    shown = f"[{host}]" if ":" in host else host
    origin = f"{scheme}://{shown}" + (f":{port}" if port not in (None, _PORTS[scheme]) else "")
    target = quote(parts.path or "/", safe=_SAFE_IN_PATH.replace("?", ""))
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE_IN_PATH)
    if len(origin + target) > MAX_PATH_BYTES:
        raise FetchError("bad_url", f"It is longer than {MAX_PATH_BYTES:,} characters.")
    return Place(scheme, host, port or _PORTS[scheme], origin, target if target.startswith("/") else "/" + target)


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR form, separated by commas.

    Raises:
        FetchError: bad_url: one of them is none.
    """
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise FetchError("bad_url", f"DEIXIS_URL_ALLOW is {text!r}: {error}.") from error


def resolve(host: str, port: int, allowed: Sequence[Network]) -> Sequence[tuple[socket.AddressFamily, str]]:
    """The addresses of a host, all of which may be asked.

    Args:
        allowed: networks that may be asked though they are not public.

    Raises:
        FetchError: forbidden_address, where one of them may not; not_fetched, where it has none.
    """
    with contextlib.suppress(ValueError):  # a name, and no address
        _require_public(host, ip_address(host), allowed)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError("not_fetched", f"The host has no address: {error}.") from error
    addresses = list(dict.fromkeys((family, str(where[0])) for family, _, _, _, where in found))
    for _, text in addresses:
        # All of them: a name that means both a public and a private address is made to deceive.
        _require_public(text, ip_address(text.partition("%")[0]), allowed)
    if not addresses:
        raise FetchError("not_fetched", "The host has no address.")
    return addresses


def _require_public(text: str, address: Address, allowed: Sequence[Network]) -> None:
    if not may_ask(address, allowed):
        raise FetchError("forbidden_address", f"The host has the address {text}, which is not a public one.")


def may_ask(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether an address is public, or in a network that is allowed.

    An IPv6 address that stands for an IPv4 address (mapped, 6to4, Teredo, NAT64) is judged by both.
    """
    if any(address in network for network in allowed if network.version == address.version):
        return True
    inner = _inner(address) if isinstance(address, IPv6Address) else []
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64):
        return all(may_ask(one, allowed) for one in inner)  # the other address is all that it means
    public = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    return public and all(may_ask(one, allowed) for one in inner)


def _inner(address: IPv6Address) -> list[IPv4Address]:
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    if int(address) >> 32 == 0 and int(address) > 1:  # IPv4-compatible, out of use
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]
