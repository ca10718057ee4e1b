"""The lists that `index` reads: of paths, and of URLs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from indexer.addresses import FetchError, read_networks
from indexer.fetching import FetchLimits
from indexer.path_list import MAX_BYTES, PathList, read_path_list
from indexer.places import PathError
from indexer.url_list import read_urls
from search.errors import SettingsError
from search.settings import Settings
from vision.opening import open_regular


def paths_of(name: str | None, *, nul: bool) -> PathList:
    """What the list of `--from-list` names; relative paths begin at its folder, of standard input where one stands.

    Raises:
        PathError: it cannot be read.
    """
    if name is None:
        return PathList()
    folder = os.getcwd() if name == "-" else os.path.dirname(os.path.abspath(name))
    return read_path_list(_content(name), folder, nul=nul)


def urls_of(name: str | None, settings: Settings) -> tuple[str, ...]:
    """The URLs in the list of `--from-urls`.

    Raises:
        SettingsError: fetching is off.
        PathError: the list cannot be read.
    """
    if name is None:
        return ()
    if not settings.fetch_urls:
        raise SettingsError(
            "fetching pictures is off",
            remedy="DEIXIS_FETCH_URLS=1 lets `index --from-urls` ask other servers; docs/inlets.md says how.",
        )
    return tuple(read_urls(_content(name)))


def fetch_limits(settings: Settings) -> FetchLimits:
    """What fetching a picture may cost, and from where.

    Raises:
        SettingsError: a network is none.
    """
    try:
        allowed = read_networks(settings.url_allow or "")
    except FetchError as error:
        raise SettingsError(error.args[0], remedy="Write networks like 192.168.1.0/24,fd00::/8.") from error
    return FetchLimits(min(settings.url_max_bytes, settings.max_file_bytes), settings.url_timeout_s, allowed)


def _content(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with open_regular(Path(name)) as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise PathError(f"{name}: the list cannot be read: {said}", remedy="Check its name and its rights.") from error
