"""The shapes of searches in the JSON API: what is asked, and what an answer says of each hit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, computed_field

from search.query.plan import MAX_QUERY_CHARS
from web.bodies import Asked
from web.schemas import EXAMPLE_HASH, Answer, BoxLinksModel, BoxModel, LinksModel, PathText, SpanModel


class MatchedRegionModel(Answer):
    """A box that explains why a picture answers the query."""

    region_id: Annotated[int | None, Field(description="Null for a box derived from patches.", examples=[31])]
    phrase: Annotated[str, Field(examples=["brown bear"])]
    box: BoxModel
    score: Annotated[float | None, Field(description="Cosine of what it answers and phrase or box.", examples=[0.83])]
    answers: Annotated[str, Field(description="The piece of the query that it answers.", examples=["a brown bear"])]
    strength: Annotated[float, Field(description="How likely the box is right, 0 to 1.", examples=[0.97])]
    source: Annotated[
        str, Field(description="`import` for people's annotations, else the captioner or reader.", examples=["import"])
    ]
    is_read: Annotated[bool, Field(description="Whether the phrase is a line of text that is written there.")]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know pydantic's decorator on top of a property
    @property
    def links(self) -> BoxLinksModel | None:
        """Where to find more of what it shows; null for a box derived from patches."""
        return None if self.region_id is None else BoxLinksModel.of(self.region_id)


class MatchedRelationModel(Answer):
    """A relation of the query that two boxes of the picture show."""

    name: Annotated[str, Field(examples=["left of"])]
    subject: Annotated[int, Field(description="Place of the first box in `regions`.", examples=[0])]
    object: Annotated[int, Field(description="Place of the second.", examples=[1])]
    strength: Annotated[float, Field(description="How well it holds, 0 to 1.", examples=[0.91])]


class MatchedCaptionModel(Answer):
    """The caption that answers the query best."""

    caption_id: Annotated[int | None, Field(examples=[12])]
    text: Annotated[str, Field(examples=["A brown bear walks through tall grass."])]
    score: Annotated[float | None, Field(description="Cosine of query and caption, -1 to 1.", examples=[0.79])]


class HitModel(Answer):
    """A picture that answers the query, with the reasons."""

    rank: Annotated[int, Field(ge=1, description="1 is best, counted over all pages.", examples=[1])]
    image_id: Annotated[int, Field(examples=[5])]
    path: Annotated[
        PathText,
        Field(
            description="One of the files that hold the picture; bytes that are not UTF-8 read as U+FFFD.",
            examples=["/home/ana/Pictures/bear.jpg"],
        ),
    ]
    score: Annotated[float, Field(description="What the ranking sorts by: the sum of `parts`.", examples=[0.31])]
    parts: Annotated[
        dict[str, float],
        Field(
            description="What each source gave or took, in nats; alone, `image` is the cosine. See docs/scores.md.",
            examples=[{"image": 2.1, "words": 9.5, "boxes": 5.8}],
        ),
    ]
    width_px: Annotated[int, Field(description="Upright, after EXIF orientation.", examples=[640])]
    height_px: Annotated[int, Field(description="Upright, after EXIF orientation.", examples=[427])]
    sha256: Annotated[str, Field(description="Of the file's bytes, hex.", examples=[EXAMPLE_HASH])]
    likelihood: Annotated[
        float | None, Field(description="That it is relevant, 0 to 1; null where nothing is known.", examples=[0.98])
    ]
    likely: Annotated[bool, Field(description="Whether it lies before the line under what is likely relevant.")]
    regions: Annotated[tuple[MatchedRegionModel, ...], Field(description="Boxes that explain the match, best first.")]
    relations: Annotated[tuple[MatchedRelationModel, ...], Field(description="Which relations hold between them.")]
    same: Annotated[tuple[int, ...], Field(description="Pictures nearly the same that were folded into this one.")]
    caption: Annotated[MatchedCaptionModel | None, Field(description="Its best caption, where it has any.")]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know pydantic's decorator on top of a property
    @property
    def links(self) -> LinksModel:
        """Where to find more of this picture."""
        return LinksModel.of(self.image_id)


class TokenModel(Answer):
    """A piece of the query: cutting its span out of `query` removes it."""

    kind: Annotated[str, Field(description="words, exact, excluded, filter, like or sort.", examples=["filter"])]
    text: Annotated[str, Field(examples=["date:2024"])]
    means: Annotated[str, Field(examples=["taken from 2024-01-01 to 2024-12-31"])]
    span: SpanModel


class QueryModel(Asked):
    """A search as a JSON body; exactly one of `q` and `tree`."""

    q: Annotated[
        str | None,
        Field(
            max_length=MAX_QUERY_CHARS, description="In the query language.", examples=["a dog left of a tree -snow"]
        ),
    ] = None
    tree: Annotated[
        dict[str, Any] | None,
        Field(description="The same as a tree, see docs/query-language.md.", examples=[{"words": "a dog"}]),
    ] = None
    k: Annotated[int, Field(ge=1, le=100, description="Hits wanted.")] = 20
    offset: Annotated[int, Field(ge=0, le=100_000, description="Hits passed over.")] = 0
    annotations: Annotated[bool, Field(description="Let captions, names and boxes take part.")] = True
    collapse: Annotated[Literal["none", "near"], Field(description="`near`: fold near-identical pictures.")] = "none"


class SearchModel(Answer):
    """One page of an answer, best hit first."""

    query: Annotated[
        str, Field(description="The words as understood; empty for a search by picture.", examples=["a brown bear"])
    ]
    hits: tuple[HitModel, ...]
    likely: Annotated[
        int | None, Field(description="Hits in all before the line of what is likely relevant.", examples=[7])
    ]
    nearest: Annotated[tuple[str, ...], Field(description="Nearest phrases of the library where nothing is likely.")]
    unread: Annotated[tuple[str, ...], Field(description="Words that the encoder cannot read.")]
    tokens: Annotated[tuple[TokenModel, ...], Field(description="The pieces of the query as they were understood.")]
    remarks: Annotated[tuple[str, ...], Field(description="What could not be read as it was written.")]
    k: Annotated[int, Field(description="Hits asked for.", examples=[20])]
    offset: Annotated[int, Field(description="Hits passed over.", examples=[0])]
    more: Annotated[bool, Field(description="Whether hits follow after these.", examples=[True])]
    next: Annotated[
        str | None,
        Field(
            description="Address of the next page; null at the end.", examples=["/api/v1/search?q=bear&k=20&offset=20"]
        ),
    ]
    images_searched: Annotated[int, Field(description="Pictures that took part.", examples=[103])]
    waiting: Annotated[
        int,
        Field(description="Pictures of the library that wait for their publication and took no part.", examples=[0]),
    ]
    took_ms: Annotated[float, Field(description="Milliseconds in the engine, encoding included.", examples=[12.5])]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
