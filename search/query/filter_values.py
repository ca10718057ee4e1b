"""Values of filters: sizes with units, numbers, and patterns that a database compares with."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from search.errors import QueryError

_SIZE = re.compile(r"(>=|<=|>|<|=)?\s*(\d{1,15}(?:[.,]\d{1,6})?)\s*(mp|megapixels?|px|kb|mb|gb|b)", re.IGNORECASE)
_UNITS = {
    "mp": ("mp", 1_000_000),
    "px": ("px", 1),
    "b": ("bytes", 1),
    "kb": ("bytes", 1_000),
    "mb": ("bytes", 1_000_000),
    "gb": ("bytes", 1_000_000_000),
}
_WORDS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most", "=": "exactly"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison: of `mp` pixels, `px` of the longer side, or `bytes`."""

    of: str
    operator: str
    value: float
    shown: str

    @property
    def words(self) -> str:
        """The comparison in words."""
        return _WORDS[self.operator]

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """The comparison with a column."""
        compared: ColumnElement[bool] = {
            ">": column > self.value,
            ">=": column >= self.value,
            "<": column < self.value,
            "<=": column <= self.value,
            "=": column == self.value,
        }[self.operator]
        return compared


def read_bound(value: str) -> Bound:
    """Read a size such as `>2mp`; without a sign it means at least.

    Raises:
        QueryError: it is none.
    """
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise QueryError(f"size:{value} is no size", remedy="For example: size:>2mp, size:<1000px, size:>=1.5mb.")
    unit = match[3].lower()
    of, factor = _UNITS["mp" if unit.startswith("mega") else unit]
    number = float(match[2].replace(",", "."))
    return Bound(of, match[1] or ">=", number * factor, f"{number:g} {unit}")


def read_number(name: str, value: str) -> int:
    """Read a whole number that a primary key can be.

    Raises:
        QueryError: it is none.
    """
    if not re.fullmatch(r"\d{1,40}", value):
        raise QueryError(f"{name}:{value} is no number", remedy=f"For example: {name}:42.")
    return min(int(value), 2**63 - 1)


def like_pattern(value: str, *, prefix: bool = False) -> str:
    """A pattern for LIKE with `\\` as its escape: `*` is any characters, everything else itself, without case.

    Args:
        prefix: it must begin so; otherwise it may stand anywhere, unless it has a `*`.
    """
    folded = value if prefix else unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold())
    escaped = folded.replace("\x00", "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return escaped + "%" if prefix else escaped if "*" in folded else f"%{escaped}%"
