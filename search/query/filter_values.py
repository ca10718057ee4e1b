"""Values of filters: sizes with units, numbers, and patterns that a database compares with."""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_

from search.db.limits import INT64_MAX
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
_NUMBER = r"\d{1,12}(?:[.,]\d{1,6})?"
_COMPARED = re.compile(rf"(>=|<=|>|<|=)?\s*({_NUMBER})")
_BETWEEN = re.compile(rf"({_NUMBER})?\s*\.\.\s*({_NUMBER})?")
_LITERAL = re.compile(r"(?:[^\\%_]|\\.)*", re.DOTALL)
_WORDS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most", "=": "exactly"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, read: what it is, and what it means in words."""

    value: Any
    means: str


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers between two ends, which belong to it or do not; None where there is no end.

    Attributes:
        words: in words.
    """

    least: float | None
    most: float | None
    words: str
    open: bool = False

    def holds(self, column: SQLColumnExpression[Any]) -> ColumnElement[bool]:
        """The condition that a column of numbers lies in it."""
        conditions: list[ColumnElement[bool]] = []
        if self.least is not None:
            conditions.append(column > self.least if self.open else column >= self.least)
        if self.most is not None:
            conditions.append(column < self.most if self.open else column <= self.most)
        return and_(*conditions)


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
        """The comparison with a column of whole numbers."""
        value = self._whole()
        compared: ColumnElement[bool] = {
            ">": column > value,
            ">=": column >= value,
            "<": column < value,
            "<=": column <= value,
            "=": column == value,
        }[self.operator]
        return compared

    def _whole(self) -> int | float:
        """The number that says the same of whole ones: Postgres uses no index of these for any other."""
        if self.operator == "=" and not self.value.is_integer():
            return self.value
        nearest = math.ceil if self.operator in (">=", "<") else math.floor
        return min(nearest(self.value), INT64_MAX)


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


def read_interval(name: str, value: str, unit: str = "") -> Interval:
    """Read `50`, `>=50`, `<50` or `35..85`, each with or without its unit; a number without a sign is exactly that.

    Raises:
        QueryError: it is none of these.
    """
    plain = re.sub(rf"\s*{unit}\b", "", value, flags=re.IGNORECASE) if unit else value
    suffix = f" {unit}" if unit else ""
    if match := _COMPARED.fullmatch(plain.strip()):
        sign, number = match[1] or "=", float(match[2].replace(",", "."))
        least = number if sign in (">", ">=", "=") else None
        most = number if sign in ("<", "<=", "=") else None
        return Interval(least, most, f"{_WORDS[sign]} {number:g}{suffix}", open=sign in ("<", ">"))
    match = _BETWEEN.fullmatch(plain.strip())
    if match is None or not (match[1] or match[2]):
        raise QueryError(
            f"{name}:{value} is no number", remedy=f"For example: {name}:50, {name}:>=50, {name}:<50, {name}:35..85."
        )
    ends = [None if one is None else float(one.replace(",", ".")) for one in match.groups()]
    shown = [f"{word} {end:g}{suffix}" for word, end in zip(("from", "to"), ends, strict=True) if end is not None]
    return Interval(ends[0], ends[1], " ".join(shown))


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


def literal_start(pattern: str) -> tuple[str, str]:
    """What all that is like a pattern begins with, and the first text behind all that begins so; empty where unknown.

    Args:
        pattern: from `like_pattern`.
    """
    start = re.sub(r"\\(.)", r"\1", _LITERAL.match(pattern)[0], flags=re.DOTALL)  # type: ignore[index]  # may be empty
    if not start or ord(start[-1]) >= sys.maxunicode:
        return start, ""
    following = ord(start[-1]) + 1
    # Halves of surrogate pairs are no characters, and U+E000 is the next that is one.
    return start, start[:-1] + chr(0xE000 if following == 0xD800 else following)
