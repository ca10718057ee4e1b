"""Cursors: where the next page of a list begins, signed, so that nobody can make one up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeSerializer

from search.listing import Place, library_uid
from search.secret import secret
from web.deps import Engine
from web.errors import CursorError, CursorGoneError


class Cursors:
    """Writes and reads the cursors of one list.

    Args:
        engine: of the library.
        route: path of the list.
        asked: parameters that the list depends on; a cursor belongs to just these.
    """

    def __init__(self, engine: Engine, route: str, asked: Mapping[str, object]) -> None:
        self._route = route
        self._asked = {name: value for name, value in asked.items() if value is not None}
        self._uid = library_uid(engine.library())
        self._signer = URLSafeSerializer(secret(engine.settings.home), salt="deixis cursor")

    def next(self, place: Place | None, k: int) -> str | None:
        """Address of the page that begins behind a row; None at the end."""
        if place is None:
            return None
        date = None if place.date is None else place.date.isoformat()
        cursor = self._signer.dumps([self._uid, self._list, place.id, date])
        return f"{self._route}?" + urlencode({**self._asked, "k": k, "cursor": cursor})

    def read(self, cursor: str | None) -> Place | None:
        """Where a page begins.

        Raises:
            CursorError: it was not made here, or for another list.
            CursorGoneError: it is of a library that this was before.
        """
        if cursor is None:
            return None
        try:
            uid, of_list, number, date = self._parts(self._signer.loads(cursor))
        except (BadData, ValueError, TypeError) as error:
            raise CursorError("this cursor was not made here", remedy="Begin again without one.") from error
        if uid != self._uid:
            raise CursorGoneError("this cursor is of a library that is gone", remedy="Begin again without one.")
        if of_list != self._list:
            raise CursorError("this cursor is of another list", remedy="Repeat the other parameters as they were.")
        return Place(number, None if date is None else datetime.fromisoformat(date))

    @staticmethod
    def _parts(held: Any) -> tuple[str, str, int, str | None]:
        uid, of_list, number, date = held
        return uid, of_list, int(number), date

    @property
    def _list(self) -> str:
        said = json.dumps([self._route, sorted((name, str(value)) for name, value in self._asked.items())])
        return hashlib.sha256(said.encode()).hexdigest()[:16]
