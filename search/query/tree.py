"""A query as a tree: what the small language says, with every piece where it stands in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vision.types import Span

TokenKind: TypeAlias = Literal["words", "exact", "excluded", "filter", "like", "sort"]


@dataclass(frozen=True, slots=True)
class Words:
    """Free text, embedded together with the other words around it.

    Attributes:
        weight: 1 unless `^` says otherwise; below 0 the words count against a picture.
    """

    text: str
    span: Span | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Exact:
    """Words in double quotes: a text of the picture must hold them, in this order, side by side."""

    text: str
    span: Span | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Filter:
    """A fact that a picture must have; `name` is a key of `search.query.filters.FILTERS`."""

    name: str
    value: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Like:
    """A picture, or a region of one, that the hits should look like.

    Attributes:
        of: `image` and `region` are ids of the library; `picture` is the place of an uploaded one, from 0.
    """

    of: Literal["image", "region", "picture"]
    id: int
    span: Span | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Not:
    """What a picture must not have (a filter) or should not show (anything else)."""

    part: Node
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: tuple[Node, ...]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts."""

    parts: tuple[Node, ...]
    span: Span | None = None


Node: TypeAlias = Words | Exact | Filter | Like | Not | And | Or


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query that a page can show and remove: cutting `span` out of the text removes it.

    Attributes:
        text: as typed.
        means: what it was understood to say, in English, e.g. `date 2024-05-01 to 2024-08-31`.
    """

    kind: TokenKind
    text: str
    means: str
    span: Span


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query, read.

    Attributes:
        text: what was read, white space and control characters folded; spans count its characters.
        root: None where nothing is left to search for.
        sort: `relevance`, `date` (newest first) or `-date`; from `sort:`.
        tokens: in the order of the text.
        remarks: what could not be read as it was written and was searched as words, one sentence each.
    """

    text: str
    root: Node | None
    sort: str = "relevance"
    tokens: tuple[Token, ...] = ()
    remarks: tuple[str, ...] = ()
