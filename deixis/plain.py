"""Anything that a command may want to print, as what JSON knows."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(value: Any) -> Any:  # noqa: PLR0911  # one line per kind of value
    """Turn a value into dicts with string keys, lists, strings, finite numbers, booleans and None.

    Dataclasses become objects with their fields, paths and bytes become text, instants ISO 8601, sets sorted lists,
    arrays nested lists. Numbers that are not finite become null, which JSON has in their place; bytes of a file name
    that are no text become U+FFFD.

    Raises:
        TypeError: the value is of a kind that none of this fits.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str | bytes | PurePath):
        return _text(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "tolist"):  # numpy's arrays and scalars, without importing it for commands that have none
        return plain(value.tolist())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_text(key) if isinstance(key, str) else str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _text(value: str | bytes | PurePath) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    text = value if isinstance(value, str) else os.fspath(value)
    try:
        # A name with bytes that are no UTF-8: shown as the terminal would.
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
