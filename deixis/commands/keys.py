"""`deixis keys`: who may ask this library over a network, and what for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import err, out, print_json, printable
from search.errors import LibraryEmptyError
from search.keys import KeyInfo, Scope, add_key, lifetime_of, list_keys, revoke_key
from search.library import Library
from search.settings import Settings


def add(
    name: Annotated[str, typer.Argument(help="For you: who or what has it.")],
    scope: Annotated[
        Literal["read", "search", "jobs", "admin"],
        typer.Option("--scope", help="What it allows; each includes those before it."),
    ] = "search",
    expires: Annotated[
        str | None, typer.Option("--expires", help="How long it lives: 12h, 30d, 8w, 1y; for ever if left out.")
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Make a key and print it, this once: only a digest of it is kept.

    Where there is no library yet, an empty one is made.
    """
    lifetime = None if expires is None else lifetime_of(expires)
    with _library(read_settings(home=home, database_url=database_url)) as library:
        info, key = add_key(library, name, Scope[scope.upper()], lifetime)
    if json:
        print_json({"key": key, **_row(info)})
        return exit_codes.OK
    out().print(key)
    until = "" if info.expires_at is None else f", until {_when(info.expires_at)}"
    err().print(f"key {info.id}, {printable(name)}: {scope}{until}. It is not shown again.")
    return exit_codes.OK


def list_(home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Show every key there was: what it allows, when it was last used, whether it still opens anything."""
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        keys = list_keys(library)
    if json:
        print_json({"keys": [_row(key) for key in keys]})
        return exit_codes.OK
    if not keys:
        out().print("There is no key yet; `deixis keys add NAME` makes one.")
    for key in keys:
        used = "never used" if key.used_at is None else f"last used {_when(key.used_at)}"
        until = "" if key.expires_at is None else f", until {_when(key.expires_at)}"
        state = key.state(datetime.now(UTC))
        out().print(f"{key.id:>4}  {key.scope:<6}  {state:<7}  {printable(key.name)}  ({used}{until})")
    return exit_codes.OK


def revoke(
    key: Annotated[str, typer.Argument(help="Its number or name, as `deixis keys list` shows it.", metavar="KEY")],
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """End a key, and every session that it has opened."""
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        info = revoke_key(library, key)
    if json:
        print_json(_row(info))
    else:
        out().print(f"key {info.id}, {printable(info.name)}, opens nothing any more")
    return exit_codes.OK


@contextlib.contextmanager
def _library(settings: Settings) -> Iterator[Library]:
    """The library; an empty one is made where there is none, so that a server can be opened before its first index."""
    try:
        library = open_library(settings)
    except LibraryEmptyError:
        library = open_library(settings, create=True)
    with library:
        yield library


def _row(info: KeyInfo) -> dict[str, Any]:
    return {**asdict(info), "state": info.state(datetime.now(UTC))}


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
