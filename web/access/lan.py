"""The addresses by which other machines reach this one."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import sys
from pathlib import Path

_GET_ADDRESS = 0x8915
"""`SIOCGIFADDR` of Linux (netdevice(7)): the IPv4 address of an interface."""


def lan_addresses() -> list[str]:
    """Addresses of this machine that are neither its own alone nor those of one cable: IPv4 first, each once."""
    found = [*_of_interfaces(), *_of_name(), *_of_route()]
    kept: dict[str, bool] = {}
    for text in found:
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(text)
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                kept[str(address)] = True
    return sorted(kept, key=lambda text: ":" in text)


def _of_interfaces() -> list[str]:
    """As the Linux kernel lists them."""
    if sys.platform != "linux":
        return []
    import fcntl  # noqa: PLC0415  # not on every system

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):  # an interface without an IPv4 address
                answer = fcntl.ioctl(asking.fileno(), _GET_ADDRESS, struct.pack("256s", name.encode()[:15]))
                found.append(socket.inet_ntoa(answer[20:24]))
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            found.append(str(ipaddress.IPv6Address(int(line.split()[0], 16))))
    return found


def _of_name() -> list[str]:
    """As the machine's own name leads to them."""
    with contextlib.suppress(OSError):
        return [str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(socket.gethostname(), None)]
    return []


def _of_route() -> list[str]:
    """The one from which a packet would leave; none is sent."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("192.0.2.1", 9))  # RFC 5737: nobody's
        return [str(asking.getsockname()[0])]
    return []
