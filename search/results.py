"""What goes into a search and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # a command that counts needs neither numpy nor pictures
    from search.index_info import IndexInfo
    from search.query.tree import Node, Token
    from vision.types import Box, RgbImage, Span


@dataclass(frozen=True, slots=True, eq=False)
class SearchRequest:
    """One question: a text, a tree, pictures, a picture of the library, or several of these together.

    Attributes:
        text: in the query language (docs/query-language.md), in words of any language that the encoder knows.
        tree: the same, read already; not together with `text`.
        pictures: HWC uint8 RGB, upright: find pictures that look like all of them.
        like_image_id: the same for a picture of the library, which itself is left out of the hits.
        like_region_id: the same for what a box of the library shows.
        k: hits wanted, 1 to 1,000.
        offset: hits to pass over, for the next page.
        annotations: let captions, phrases, names and boxes take part; off, the score is the bare cosine of query and
            picture.
        collapse: `near` folds pictures that are nearly the same into the best of them.
    """

    text: str | None = None
    tree: Node | None = None
    pictures: tuple[RgbImage, ...] = ()
    like_image_id: int | None = None
    like_region_id: int | None = None
    k: int = 20
    offset: int = 0
    annotations: bool = True
    collapse: Literal["none", "near"] = "none"


PATCHES = "patches"
"""Source of a box that was derived from the patches of its picture."""


@dataclass(frozen=True, slots=True)
class MatchedRegion:
    """A box that explains why a picture answers the query.

    Attributes:
        region_id: None for a box that was derived from the patches of the picture.
        answers: which piece of the query it answers; `region:ID` of a box that is like that one.
        score: cosine of that piece and the phrase, in [-1, 1]; of a derived box, of the piece and its patches; of a box
            that is like a given one, of the two.
        strength: how likely it is right, in [0, 1].
        source: who tied the phrase to the box; `PATCHES` for a derived one.
        is_read: whether the phrase is a line of text that is written there.
    """

    region_id: int | None
    phrase: str
    box: Box
    score: float | None
    source: str
    answers: str = ""
    strength: float = 1.0
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class MatchedRelation:
    """A relation of the query that two boxes of the picture show.

    Attributes:
        name: of `search.query.sentences.meaning.RelationName`.
        subject: place of the first box in the hit's `regions`.
        object: place of the second.
        strength: how well it holds, in [0, 1].
    """

    name: str
    subject: int
    object: int
    strength: float


@dataclass(frozen=True, slots=True)
class MatchedCaption:
    """The text that answers the query best.

    Attributes:
        caption_id: None for a file or folder name.
        score: cosine of query and text, in [-1, 1]; None for a name.
    """

    caption_id: int | None
    text: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that answers the query.

    Attributes:
        rank: 1 is best.
        path: one of the files that hold it.
        score: what the ranking sorts by: the sum of `parts`.
        parts: what each source gave or took, see docs/scores.md; `image` alone is the cosine of query and picture.
        likelihood: that it is relevant, in [0, 1]; None where nothing is known about that.
        likely: whether it lies before the line under what is likely relevant.
        regions: boxes that explain the match, best first; none on a hit that is not likely.
        relations: which of the query's relations hold between those.
        same: pictures that are nearly the same and were folded into this one.
    """

    rank: int
    image_id: int
    path: str
    score: float
    parts: Mapping[str, float]
    width_px: int
    height_px: int
    sha256: str
    likelihood: float | None = None
    likely: bool = True
    regions: tuple[MatchedRegion, ...] = ()
    relations: tuple[MatchedRelation, ...] = ()
    caption: MatchedCaption | None = None
    same: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """An answer.

    Attributes:
        query: the text as it was understood; empty for a search by picture.
        more: whether hits follow after these.
        images_searched: pictures that took part.
        took_ms: wall-clock milliseconds in the engine, encoding included.
        model: name of the encoder.
        waiting: pictures that are in the library and could not take part yet; `index` publishes them.
        likely: how many hits in all lie before the line under what is likely relevant; None where nobody can tell.
        nearest: phrases of the library that come nearest, where nothing is likely relevant.
        unread: words that the encoder cannot read.
        tokens: the pieces of the query, as they were understood.
        remarks: what could not be read as it was written, one sentence each.
        timings_ms: milliseconds of CPU by stage.
    """

    query: str
    hits: tuple[Hit, ...]
    more: bool
    images_searched: int
    took_ms: float
    model: str
    waiting: int = 0
    likely: int | None = None
    nearest: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    tokens: tuple[Token, ...] = ()
    remarks: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """A region as it is stored."""

    region_id: int
    phrase: str
    box: Box
    span: Span | None
    score: float | None
    source: str


@dataclass(frozen=True, slots=True)
class CaptionInfo:
    """A caption as it is stored, with the regions of its phrases."""

    caption_id: int
    text: str
    source: str
    language: str | None
    regions: tuple[RegionInfo, ...]


@dataclass(frozen=True, slots=True)
class FactInfo:
    """One thing that a picture carries: a text, or a number in the unit of its name (docs/formats.md)."""

    name: str
    text: str | None
    number: float | None
    source: str


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file that holds, or held, a picture.

    Attributes:
        held: where the bytes are, if not in a file at `path`; see `vision.originals`.
    """

    path: str
    size_bytes: int
    state: str
    held: str | None = None


@dataclass(frozen=True, slots=True)
class ImageDetail:
    """Everything the library knows of one picture.

    Attributes:
        taken_at: the photographer's clock; aware where its offset is known, naive where not.
        remark: what to know about it, as `code: sentence`, e.g. that its file is cut short.
        regions: those that belong to no caption, lines of text left out.
        lines: what is written in it, line by line, in the order of reading.
    """

    image_id: int
    sha256: str
    width_px: int
    height_px: int
    format: str
    size_bytes: int
    taken_at: datetime | None
    remark: str | None
    files: tuple[FileInfo, ...]
    captions: tuple[CaptionInfo, ...]
    regions: tuple[RegionInfo, ...]
    facts: tuple[FactInfo, ...] = ()
    lines: tuple[RegionInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class RootInfo:
    """A folder that was given to `index`, and what was said about it; patterns are gitignore's."""

    path: str
    exclude: tuple[str, ...]
    include: tuple[str, ...]
    follow_links: bool
    archives: bool = False


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """How much there is.

    Attributes:
        images: pictures that at least one file holds.
        published: vectors in the indexes that answer queries, by kind (`image`, `text`, `region`); a few may lie
            beside those.
        indexes: these, by kind.
        roots: what was given to `index`, in the order of paths.
        facts: words and numbers that pictures carry, each source's counted.
        lines: lines of text that were read.
    """

    images: int
    files_indexed: int
    files_refused: int
    files_missing: int
    captions: int
    regions: int
    texts: int
    model: str | None
    published: Mapping[str, int]
    roots: tuple[RootInfo, ...] = ()
    indexes: tuple[IndexInfo, ...] = ()
    facts: int = 0
    lines: int = 0
