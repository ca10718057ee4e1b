"""The nouns of what a picture carries, and the one place that bounds them: all of it comes from strangers."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_NAME_CHARS = 200
"""Of a camera, a lens, a person or a keyword."""

MAX_FACTS = 200
"""Of one picture."""

VERSION = 1
"""Of what is read. Counted up when more is, so that `index --rescan` reads it of pictures that were indexed before."""

EXIF = "exif"
EMBEDDED = (EXIF,)
"""Sources that are read with the picture, in the decoding child."""

TEXTS = frozenset({"camera", "lens"})
"""Facts that are words."""

NUMBERS: Mapping[str, tuple[float, float]] = {
    "exposure": (1e-7, 1e6),
    "aperture": (0.1, 1000.0),
    "iso": (1.0, 1e8),
    "focal": (0.1, 1e5),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "altitude": (-12_000.0, 1e6),
    "rating": (0.0, 5.0),
    "orientation": (1.0, 8.0),
}
"""Facts that are numbers, with the least and the greatest that are believed.

Seconds, f-number, ISO speed, millimetres, degrees north and east, metres above the sea, stars, EXIF's number.
"""

_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
"""Control characters, invisible ones that turn a line round, and halves of characters."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a picture.

    Attributes:
        name: of `TEXTS` or `NUMBERS`.
        text: of the former.
        number: of the latter, in the unit that is said there.
        source: who says it.
    """

    name: str
    source: str
    text: str | None = None
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """All that a picture carries."""

    facts: tuple[Fact, ...] = ()


NOTHING = Carried()


@dataclass(slots=True)
class Gathering:
    """Collects what one source says; what cannot be believed is left out without a word.

    Attributes:
        source: who says it.
    """

    source: str
    _facts: dict[tuple[str, str | float], Fact] = field(default_factory=dict)

    def word(self, name: str, value: Any) -> None:
        """Add a fact of words."""
        text = one_line(value, MAX_NAME_CHARS)
        if text and name in TEXTS:
            self._add(Fact(name, self.source, text=text), text)

    def number(self, name: str, value: Any) -> None:
        """Add a fact of a number, rounded to a ten-millionth."""
        number = as_number(value)
        least, most = NUMBERS[name]
        if number is not None and least <= number <= most:
            number = round(number, 7) + 0.0  # no minus zero
            self._add(Fact(name, self.source, number=number), number)

    def place(self, latitude: Any, longitude: Any, altitude: Any = None) -> None:
        """Add a place on earth, in degrees and metres; 0, 0 is where receivers are that have not found theirs."""
        north, east = as_number(latitude), as_number(longitude)
        if north is None or east is None or not (abs(north) <= 90 and abs(east) <= 180) or (north, east) == (0, 0):
            return
        self.number("latitude", north)
        self.number("longitude", east)
        self.number("altitude", altitude)

    def done(self) -> Carried:
        """All of it."""
        return Carried(tuple(self._facts.values()))

    def _add(self, fact: Fact, value: str | float) -> None:
        if len(self._facts) < MAX_FACTS:
            self._facts.setdefault((fact.name, value), fact)


def together(parts: Sequence[Carried]) -> Carried:
    """What several sources say."""
    return Carried(tuple(fact for part in parts for fact in part.facts)[:MAX_FACTS])


def one_line(value: Any, most: int) -> str:
    """A text on one line, in NFC, without what nobody sees; empty for what is no text."""
    if isinstance(value, bytes):
        value = value[: 4 * most].decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    plain = " ".join(_UNSEEN.sub(" ", value[: 4 * most]).split())
    return unicodedata.normalize("NFC", plain)[:most].strip()


def as_number(value: Any) -> float | None:
    """A number, also one that is written as `1/250` or alone in a list; None for what is none or not finite."""
    if isinstance(value, (tuple, list)) and len(value) == 1:
        value = value[0]
    try:
        if isinstance(value, str):
            above, _, below = value[:40].partition("/")
            number = float(above) / float(below) if below else float(above)
        else:
            number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None


def as_json(carried: Carried) -> dict[str, Any]:
    """For the way between two processes."""
    return {"facts": [[fact.name, fact.source, fact.text, fact.number] for fact in carried.facts]}


def from_json(sent: Any, sources: Sequence[str]) -> Carried:
    """Read what `as_json` wrote; nothing in it is believed unchecked.

    Args:
        sent: from a process that has handled a hostile file.
        sources: those that it may name.

    Raises:
        ValueError, TypeError, KeyError: it makes no sense.
    """
    gathered = {source: Gathering(source) for source in sources}
    for name, source, text, number in sent["facts"][:MAX_FACTS]:
        if name in TEXTS:
            gathered[source].word(name, text)
        else:
            gathered[source].number(name, number)
    return together([one.done() for one in gathered.values()])
