"""What `deixis doctor` says of a library: its database, its encoder, and whether the two belong together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deixis.finding import Check, ok, wrong
from search.settings import Settings
from vision.errors import DeixisError


def examine_library(settings: Settings, *, thorough: bool) -> Iterator[Check]:
    """The checks of one library; none is made, and nothing is changed.

    Args:
        settings: say where it is.
        thorough: load the encoder, too, and compare its whole identity.
    """
    from search.db.driver import sqlite_module  # noqa: PLC0415  # inside, so that failure is a finding
    from search.db.session import wal_is_safe  # noqa: PLC0415  # as above

    version = sqlite_module().sqlite_version
    journal = "write-ahead log" if wal_is_safe() else "rollback journal: older than 3.51.3, readers and writer wait"
    yield ok("sqlite", f"{version}, {journal}")
    from search.errors import LibraryEmptyError  # noqa: PLC0415  # as above
    from search.library import Library  # noqa: PLC0415  # as above

    try:
        library = Library.open(settings.home, settings.database_url)
    except LibraryEmptyError as error:
        yield ok("library", f"{error.args[0]}; `deixis index FOLDER` makes one")
        return
    except DeixisError as error:
        yield wrong("database", error.args[0], error.remedy)
        return
    with library:
        yield ok("database", f"{library.database.where}, of this version's form")
        yield from _encoder(library, settings, thorough=thorough)


def _encoder(library: object, settings: Settings, *, thorough: bool) -> Iterator[Check]:
    from search.encoder import EncoderWish, active_row, own_encoder, where_encoder_lies  # noqa: PLC0415  # as above
    from search.library import Library  # noqa: PLC0415  # as above

    assert isinstance(library, Library)
    active = active_row(library)
    if active is None:
        yield ok("encoder", "none yet: nothing has been indexed")
        return
    try:
        place = where_encoder_lies(active)
        _check_folder(place)
        if thorough:
            own_encoder(library, EncoderWish.of(settings))
    except DeixisError as error:
        yield wrong("encoder", error.args[0], error.remedy)
        return
    proved = "its identity agrees with the library's" if thorough else "--thorough loads and compares it"
    yield ok("encoder", f"{active.name}, {active.backend}, in {place}; {proved}")


def _check_folder(place: str) -> None:
    from vision.model_files import check_whole  # noqa: PLC0415  # as above

    if place != "colour":
        check_whole(Path(place))
