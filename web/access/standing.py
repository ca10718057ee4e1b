"""Whom a server lets in, and what it says about it when it starts."""

from __future__ import annotations

import enum
import ipaddress
import re
import socket
from dataclasses import dataclass

from search.errors import LibraryEmptyError, SettingsError
from search.keys import SCOPES, Scope, live_keys
from search.library import Library
from search.settings import Settings
from web.access.lan import lan_addresses
from web.access.peers import Network, networks, root_path
from web.access.rates import Rates, read_rates

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  # compared with, not bound to

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")


class Standing(enum.Enum):
    """Whom a server lets in."""

    LOCAL = "this machine alone"
    OPEN = "whoever reaches it"
    GUARDED = "whoever has a key, or is named by a trusted proxy"


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of access, read.

    Attributes:
        standing: whom the server lets in.
        proxies: whose headers are believed.
        user_header: in which they name whom they have let in; empty for none.
        user_scope: what those may do.
        root_path: the prefix of every address.
        origins: of other pages that may ask.
        rates: how often each kind of request may come.
    """

    standing: Standing
    proxies: tuple[Network, ...]
    user_header: str
    user_scope: Scope
    root_path: str
    origins: frozenset[str]
    rates: Rates


def read_rules(settings: Settings) -> Rules:
    """Read the settings of access.

    Raises:
        SettingsError: one of them makes no sense, alone or beside another.
    """
    proxies, header = networks(settings.trusted_proxies), settings.trusted_user_header or ""
    if header and not _HEADER_NAME.fullmatch(header):
        raise SettingsError(f"DEIXIS_TRUSTED_USER_HEADER is {header!r}", remedy="Write a header's name: Remote-User.")
    if header and not proxies:
        raise SettingsError(
            "--trusted-user-header needs --trusted-proxies: anybody could send that header",
            remedy="Name the proxy's address: --trusted-proxies 127.0.0.1.",
        )
    if settings.trusted_user_scope not in SCOPES:
        raise SettingsError(
            f"DEIXIS_TRUSTED_USER_SCOPE is {settings.trusted_user_scope!r}", remedy=f"It is one of {', '.join(SCOPES)}."
        )
    return Rules(
        _standing(settings, exposed=bool(proxies) or not _is_loopback(settings.host)),
        proxies,
        header.lower(),
        Scope[settings.trusted_user_scope.upper()],
        root_path(settings.root_path),
        _origins(settings.cors_origins),
        read_rates(settings.rate_limits),
    )


def require_access(settings: Settings) -> list[str]:
    """Say whom the server lets in, before it starts.

    Returns:
        Lines for whoever starts it.

    Raises:
        SettingsError: it would be reachable from elsewhere, and nothing says who may ask.
    """
    rules = read_rules(settings)
    if rules.standing is Standing.LOCAL:
        return ["It answers this machine alone, without a key."]
    if rules.standing is Standing.OPEN:
        return ["It is OPEN: whoever reaches it can search every picture, without a key."]
    keys = _count_keys(settings)
    if not keys and not rules.user_header:
        where = settings.host if not _is_loopback(settings.host) else "a proxy"
        raise SettingsError(
            f"others could reach this server through {where}, and there is no key",
            remedy="Make one (`deixis keys add NAME`), name a proxy that signs people in (--trusted-user-header with "
            "--trusted-proxies), or let everybody in (--open). docs/access.md says which is for whom.",
        )
    told = []
    if keys:
        told.append(f"It answers whoever has one of {keys} key{'' if keys == 1 else 's'} (`deixis keys list`).")
    if rules.user_header:
        told.append(f"It believes {settings.trusted_user_header} of {settings.trusted_proxies}.")
    return told


def addresses(settings: Settings) -> list[str]:
    """What to open in a browser: on this machine first, then from elsewhere."""
    if settings.host not in EVERYWHERE:
        return [_url(settings.host, settings)]
    here = "127.0.0.1" if settings.host != "::" else "::1"
    others = [one for one in lan_addresses() if settings.host != "0.0.0.0" or ":" not in one]  # noqa: S104  # compared
    return [_url(one, settings) for one in (here, *others)]


def own_names(settings: Settings) -> frozenset[str]:
    """Names by which this server may be asked for from elsewhere: lower case, without port or brackets."""
    said = [name.strip().lower().strip("[]") for name in (settings.allowed_hosts or "").split(",") if name.strip()]
    if settings.host not in EVERYWHERE:
        return frozenset([*said, settings.host.lower().strip("[]")])
    machine = socket.gethostname().lower()
    return frozenset([*said, *([machine, f"{machine.partition('.')[0]}.local"] if machine != "localhost" else [])])


def _standing(settings: Settings, *, exposed: bool) -> Standing:
    if not exposed:
        return Standing.LOCAL
    return Standing.OPEN if settings.open else Standing.GUARDED


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _count_keys(settings: Settings) -> int:
    try:
        with Library.open(settings.home, settings.database_url) as library:
            return len(live_keys(library))
    except LibraryEmptyError:
        return 0


def _origins(said: str | None) -> frozenset[str]:
    origins = frozenset(part.strip().lower().rstrip("/") for part in (said or "").split(",") if part.strip())
    for origin in sorted(origins):
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"DEIXIS_CORS_ORIGINS: {origin!r} is no origin",
                remedy="Write whole origins, none with a star: https://photos.example,http://localhost:3000.",
            )
    return origins


def _url(host: str, settings: Settings) -> str:
    named = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{named}:{settings.port}{root_path(settings.root_path)}/"
