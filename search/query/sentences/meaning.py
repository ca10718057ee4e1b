"""What a natural sentence says: things, their attributes and numbers, relations between them, what is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vision.types import Span

RelationName: TypeAlias = Literal[
    "left of", "right of", "above", "below", "next to", "in front of", "behind", "inside", "on", "under", "near", "with"
]
Place: TypeAlias = Literal["left", "right", "top", "bottom", "middle", "foreground", "background"]
Extent: TypeAlias = Literal["small", "large"]


@dataclass(frozen=True, slots=True)
class Thing:
    """One noun phrase.

    Attributes:
        text: the phrase as it is embedded, with its article and attributes, without number words and places.
        span: where it stands in the sentence.
        head: its noun as written; the whole phrase in languages without blanks.
        content: its content words in lower case, the noun among them.
        count: how many are asked for; None where it does not matter.
        place: where in the picture; None where it does not matter.
        extent: how large in the picture, beyond what the words themselves say; None where it does not matter.
    """

    text: str
    span: Span
    head: str
    content: tuple[str, ...]
    count: int | None = None
    place: Place | None = None
    extent: Extent | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """`things[subject]` stands in this relation to `things[object]`."""

    name: RelationName
    subject: int
    object: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, understood as far as it goes; one without structure has no things.

    Attributes:
        text: the whole sentence.
        positive: the sentence without what is denied; what is embedded.
        language: ISO 639-1 code of the table that was used; None where none fits.
        things: noun phrases in their order; `without` apart.
        relations: between things.
        without: things that must not be there.
    """

    text: str
    positive: str
    language: str | None = None
    things: tuple[Thing, ...] = ()
    relations: tuple[Relation, ...] = ()
    without: tuple[Thing, ...] = ()
