"""The shapes of the JSON API: pydantic models with descriptions and examples, from which OpenAPI is written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field

from web.templating import text_of_path

_HASH = "9f2b7c1d" * 8

PathText = Annotated[str, BeforeValidator(text_of_path)]
"""A path as text: JSON cannot carry bytes that are not UTF-8, so they read as U+FFFD."""


class _Answer(BaseModel):
    """Reads the engine's dataclasses field by field, so that a field cannot be forgotten on the way out."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class BoxModel(_Answer):
    """A bounding box as fractions of the upright picture's width and height; origin top left, x0 < x1, y0 < y1."""

    x0: Annotated[float, Field(ge=0, le=1, examples=[0.12], description="Left edge.")]
    y0: Annotated[float, Field(ge=0, le=1, examples=[0.2], description="Top edge.")]
    x1: Annotated[float, Field(ge=0, le=1, examples=[0.58], description="Right edge.")]
    y1: Annotated[float, Field(ge=0, le=1, examples=[0.9], description="Bottom edge.")]


class SpanModel(_Answer):
    """Where a phrase stands in its caption: Unicode code points, half-open `[start, end)`."""

    start: Annotated[int, Field(ge=0, examples=[2])]
    end: Annotated[int, Field(ge=1, examples=[12])]


class LinksModel(_Answer):
    """Addresses of one picture, relative to the server."""

    self: Annotated[str, Field(description="Everything known of the picture.", examples=["/api/v1/images/5"])]
    page: Annotated[str, Field(description="The page for people.", examples=["/images/5"])]
    gallery: Annotated[str, Field(description="WebP, longest side 512 px.", examples=["/media/5/gallery.webp"])]
    large: Annotated[str, Field(description="WebP, longest side 1600 px.", examples=["/media/5/page.webp"])]
    original: Annotated[str, Field(description="The file itself, as a download.", examples=["/media/5/original"])]

    @classmethod
    def of(cls, image_id: int) -> LinksModel:
        """The addresses of the picture with this id."""
        media = f"/media/{image_id}"
        return cls(
            self=f"/api/v1/images/{image_id}",
            page=f"/images/{image_id}",
            gallery=f"{media}/gallery.webp",
            large=f"{media}/page.webp",
            original=f"{media}/original",
        )


class MatchedRegionModel(_Answer):
    """A box that explains why a picture answers the query."""

    region_id: Annotated[int, Field(examples=[31])]
    phrase: Annotated[str, Field(examples=["brown bear"])]
    box: BoxModel
    score: Annotated[float | None, Field(description="Cosine of query and phrase, -1 to 1.", examples=[0.83])]
    source: Annotated[
        str, Field(description="`import` for people's annotations, else the captioner.", examples=["import"])
    ]


class MatchedCaptionModel(_Answer):
    """The caption that answers the query best."""

    caption_id: Annotated[int, Field(examples=[12])]
    text: Annotated[str, Field(examples=["A brown bear walks through tall grass."])]
    score: Annotated[float, Field(description="Cosine of query and caption, -1 to 1.", examples=[0.79])]


class HitModel(_Answer):
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
            description="`image`: cosine of query and picture. `text`: what its best caption or phrase adds.",
            examples=[{"image": 0.27, "text": 0.04}],
        ),
    ]
    width_px: Annotated[int, Field(description="Upright, after EXIF orientation.", examples=[640])]
    height_px: Annotated[int, Field(description="Upright, after EXIF orientation.", examples=[427])]
    sha256: Annotated[str, Field(description="Of the file's bytes, hex.", examples=[_HASH])]
    regions: Annotated[tuple[MatchedRegionModel, ...], Field(description="Boxes that explain the match, best first.")]
    caption: Annotated[MatchedCaptionModel | None, Field(description="Its best caption, where it has any.")]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know pydantic's decorator on top of a property
    @property
    def links(self) -> LinksModel:
        """Where to find more of this picture."""
        return LinksModel.of(self.image_id)


class SearchModel(_Answer):
    """One page of an answer, best hit first."""

    query: Annotated[
        str, Field(description="The words as understood; empty for a search by picture.", examples=["a brown bear"])
    ]
    hits: tuple[HitModel, ...]
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


class RegionModel(_Answer):
    """A phrase and its box, as stored."""

    region_id: Annotated[int, Field(examples=[31])]
    phrase: Annotated[str, Field(examples=["brown bear"])]
    box: BoxModel
    span: Annotated[SpanModel | None, Field(description="Where the phrase stands in its caption.")]
    score: Annotated[float | None, Field(description="The captioner's confidence, 0 to 1; null for people's boxes.")]
    source: Annotated[str, Field(examples=["import"])]


class CaptionModel(_Answer):
    """A sentence about the picture, with the boxes of its phrases."""

    caption_id: Annotated[int, Field(examples=[12])]
    text: Annotated[str, Field(examples=["A brown bear walks through tall grass."])]
    source: Annotated[str, Field(examples=["import"])]
    language: Annotated[str | None, Field(description="BCP 47 tag where known.", examples=["en"])]
    regions: tuple[RegionModel, ...]


class FileModel(_Answer):
    """A file that holds the picture, or held it."""

    path: Annotated[PathText, Field(examples=["/home/ana/Pictures/bear.jpg"])]
    size_bytes: Annotated[int, Field(examples=[184213])]
    state: Annotated[str, Field(description="`indexed`, `refused` or `missing`.", examples=["indexed"])]


class ImageModel(_Answer):
    """Everything the library knows of one picture."""

    image_id: Annotated[int, Field(examples=[5])]
    sha256: Annotated[str, Field(examples=[_HASH])]
    width_px: Annotated[int, Field(examples=[640])]
    height_px: Annotated[int, Field(examples=[427])]
    format: Annotated[str, Field(description="Pillow's name of the file format.", examples=["JPEG"])]
    size_bytes: Annotated[int, Field(examples=[184213])]
    taken_at: Annotated[
        datetime | None,
        Field(description="EXIF date: the photographer's clock, with its offset where the file tells it."),
    ]
    remark: Annotated[
        str | None,
        Field(
            description="What to know about the picture, as `code: sentence`; `truncated` where its file is cut short."
        ),
    ]
    files: tuple[FileModel, ...]
    captions: tuple[CaptionModel, ...]
    regions: Annotated[tuple[RegionModel, ...], Field(description="Regions that belong to no caption.")]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know pydantic's decorator on top of a property
    @property
    def links(self) -> LinksModel:
        """Where to find more of this picture."""
        return LinksModel.of(self.image_id)


class HeatMapModel(_Answer):
    """Where in a picture a text is: one cosine per patch, row by row from the upper left."""

    image_id: Annotated[int, Field(examples=[5])]
    text: Annotated[str, Field(description="The words as understood.", examples=["a brown bear"])]
    values: Annotated[
        list[list[float | None]],
        Field(description="Cosine of patch and text; null for a patch without one.", examples=[[[0.02, 0.31]]]),
    ]
    covers: Annotated[BoxModel, Field(description="The part of the picture that the patches tile.")]
    low: Annotated[float, Field(description="Drawn bare, like all below it: the median.", examples=[0.03])]
    high: Annotated[float, Field(description="Drawn strongest: the largest value.", examples=[0.31])]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
    took_ms: Annotated[float, Field(description="Milliseconds in the encoder, when it was made.", examples=[180.0])]
    overlay: Annotated[
        str, Field(description="Address of a see-through PNG of it.", examples=["/media/5/heat.png?q=a+brown+bear"])
    ]


class AnswerModel(_Answer):
    """What the captioner says to a question about one picture."""

    image_id: Annotated[int, Field(examples=[5])]
    question: Annotated[str, Field(examples=["What colour is the bear?"])]
    answer: Annotated[str, Field(description="May be empty.", examples=["brown"])]
    log_probability: Annotated[
        float, Field(description="Natural logarithm of the probability of its tokens.", examples=[-0.4])
    ]
    model: Annotated[str, Field(description="Name of the captioner.", examples=["kosmos2"])]
    took_ms: Annotated[float, Field(description="Milliseconds in the captioner.", examples=[900.0])]


class HealthModel(_Answer):
    """The process lives and answers."""

    status: Annotated[str, Field(examples=["ok"])]
    version: Annotated[str, Field(description="Of Deixis.", examples=["0.1.0"])]


class ReadyModel(_Answer):
    """Searches can be answered now."""

    status: Annotated[str, Field(examples=["ready"])]
    images: Annotated[int, Field(description="Pictures in the library.", examples=[103])]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
    published: Annotated[
        dict[str, int],
        Field(description="Vectors that answer queries, by kind.", examples=[{"image": 103, "text": 709}]),
    ]


class FieldErrorModel(_Answer):
    """One value of the request that cannot be used."""

    where: Annotated[str, Field(description="Place and name of the value.", examples=["query.k"])]
    message: Annotated[str, Field(examples=["Input should be less than or equal to 100"])]


class ProblemModel(BaseModel):
    """An error, as RFC 9457 (`application/problem+json`) writes it."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(description="Stable; listed in docs/api.md.", examples=["urn:deixis:problem:not-found"])]
    title: Annotated[str, Field(description="The kind of problem, in words.", examples=["Not found"])]
    status: Annotated[int, Field(description="The HTTP status.", examples=[404])]
    detail: Annotated[
        str, Field(description="What went wrong this time.", examples=["there is no picture 999 in this library"])
    ]
    instance: Annotated[str, Field(description="The path that was asked for.", examples=["/api/v1/images/999"])]
    remedy: Annotated[str | None, Field(description="What to do next, where something can be advised.")] = None
    code: Annotated[str | None, Field(description="Why a picture was refused; docs/api.md lists the codes.")] = None
    errors: Annotated[tuple[FieldErrorModel, ...] | None, Field(description="The values that were refused.")] = None
    reasons: Annotated[tuple[str, ...] | None, Field(description="Why the service is not ready.")] = None
