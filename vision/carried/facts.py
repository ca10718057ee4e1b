"""The nouns of what a picture carries, and the one place that bounds them: all of it comes from strangers."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision.carried.boxes import Xyxy
from vision.errors import GeometryError
from vision.types import Box

MAX_NAME_CHARS = 200
"""Of a camera, a lens, a person or a keyword."""

MAX_FACTS, MAX_TEXTS, MAX_BOXES = 200, 8, 100
"""Of one source."""

VERSION = 1
"""Of what is read. Counted up when more is, so that `index --rescan` reads it of pictures that were indexed before."""

MAX_TEXT_CHARS = 5_000
"""Of a title or a description."""

MAX_CHARS = 20_000
"""Of all words of one source together: the answer of a decoding child is bounded, too."""

EXIF, IPTC, XMP = "exif", "iptc", "xmp"
EMBEDDED = (EXIF, IPTC, XMP)
"""Sources that are read with the picture, in the decoding child."""

SIDECAR, TAKEOUT, WEBDATASET = "xmp-sidecar", "takeout", "webdataset"
BESIDE = (SIDECAR, TAKEOUT, WEBDATASET)
"""Sources that lie beside the picture's file."""

SOURCES = (*EMBEDDED, *BESIDE)

TEXTS = frozenset({"camera", "lens", "keyword", "person"})
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
    "taken": (-4_500_000_000.0, 7_250_000_000.0),
}
"""Facts that are numbers, with the least and the greatest that are believed.

Seconds, f-number, ISO speed, millimetres, degrees north and east, metres above the sea, stars, EXIF's number, seconds
since 1970 in UTC.
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
class Said:
    """A text about the picture: a title, a description, or all keywords in one line."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Named:
    """A box that somebody has drawn around somebody, normalised xyxy on the upright picture."""

    name: str
    box: Xyxy
    source: str


@dataclass(frozen=True, slots=True)
class Carried:
    """All that a picture carries."""

    facts: tuple[Fact, ...] = ()
    texts: tuple[Said, ...] = ()
    boxes: tuple[Named, ...] = ()


NOTHING = Carried()


@dataclass(slots=True)
class Gathering:
    """Collects what one source says; what cannot be believed is left out without a word.

    Attributes:
        source: who says it.
    """

    source: str
    _facts: dict[tuple[str, str | float], Fact] = field(default_factory=dict)
    _texts: dict[str, Said] = field(default_factory=dict)
    _boxes: dict[tuple[str, Xyxy], Named] = field(default_factory=dict)
    _chars: int = 0

    def word(self, name: str, value: Any) -> None:
        """Add a fact of words."""
        text = one_line(value, MAX_NAME_CHARS)
        if text and name in TEXTS and self._has_room(text):
            self._add(Fact(name, self.source, text=text), text)

    def say(self, value: Any) -> None:
        """Add a text about the picture."""
        text = one_line(value, MAX_TEXT_CHARS)
        if text and len(self._texts) < MAX_TEXTS and text not in self._texts and self._has_room(text):
            self._texts[text] = Said(text, self.source)

    def keywords(self, values: Sequence[str]) -> None:
        """Add keywords, each as a fact, and all of them as one text, for words that belong together say more."""
        words = dict.fromkeys(word for value in values[:MAX_FACTS] if (word := one_line(value, MAX_NAME_CHARS)))
        for word in words:
            self.word("keyword", word)
        self.say(", ".join(words))

    def named(self, name: str, box: Xyxy | None, *, person: bool) -> None:
        """Add somebody or something that has a name and, perhaps, a box."""
        text = one_line(name, MAX_NAME_CHARS)
        if not text:
            return
        if person:
            self.word("person", text)
        if box is not None and len(self._boxes) < MAX_BOXES and self._has_room(text):
            self._boxes.setdefault((text, box), Named(text, box, self.source))

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
        return Carried(tuple(self._facts.values()), tuple(self._texts.values()), tuple(self._boxes.values()))

    def _has_room(self, text: str) -> bool:
        self._chars += len(text)
        return self._chars <= MAX_CHARS

    def _add(self, fact: Fact, value: str | float) -> None:
        if len(self._facts) < MAX_FACTS:
            self._facts.setdefault((fact.name, value), fact)


def together(parts: Sequence[Carried]) -> Carried:
    """What several sources say."""
    return Carried(
        tuple(fact for part in parts for fact in part.facts),
        tuple(text for part in parts for text in part.texts),
        tuple(box for part in parts for box in part.boxes),
    )


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
    return {
        "facts": [[fact.name, fact.source, fact.text, fact.number] for fact in carried.facts],
        "texts": [[said.text, said.source] for said in carried.texts],
        "boxes": [[named.name, named.box, named.source] for named in carried.boxes],
    }


def from_json(sent: Any, sources: Sequence[str]) -> Carried:
    """Read what `as_json` wrote; nothing in it is believed unchecked.

    Args:
        sent: from a process that has handled a hostile file.
        sources: those that it may name.

    Raises:
        ValueError, TypeError, KeyError: it makes no sense.
    """
    gathered = {source: Gathering(source) for source in sources}
    for name, source, text, number in sent["facts"]:
        if name in TEXTS:
            gathered[source].word(name, text)
        else:
            gathered[source].number(name, number)
    for text, source in sent["texts"]:
        gathered[source].say(text)
    for name, box, source in sent["boxes"]:
        gathered[source].named(name, _checked(box), person=False)
    return together([one.done() for one in gathered.values()])


def _checked(box: Any) -> Xyxy:
    try:
        return Box(*map(float, box)).as_xyxy()
    except GeometryError as error:
        raise ValueError(str(error)) from error
