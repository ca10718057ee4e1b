"""The shapes of the JSON API: pydantic models with descriptions and examples, from which OpenAPI is written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field

from web.templating import text_of_path

EXAMPLE_HASH = "9f2b7c1d" * 8

PathText = Annotated[str, BeforeValidator(text_of_path)]
"""A path as text: JSON cannot carry bytes that are not UTF-8, so they read as U+FFFD."""


class Answer(BaseModel):
    """Reads the engine's dataclasses field by field, so that a field cannot be forgotten on the way out."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class BoxModel(Answer):
    """A bounding box as fractions of the upright picture's width and height; origin top left, x0 < x1, y0 < y1."""

    x0: Annotated[float, Field(ge=0, le=1, examples=[0.12], description="Left edge.")]
    y0: Annotated[float, Field(ge=0, le=1, examples=[0.2], description="Top edge.")]
    x1: Annotated[float, Field(ge=0, le=1, examples=[0.58], description="Right edge.")]
    y1: Annotated[float, Field(ge=0, le=1, examples=[0.9], description="Bottom edge.")]


class SpanModel(Answer):
    """Where a phrase stands in its caption: Unicode code points, half-open `[start, end)`."""

    start: Annotated[int, Field(ge=0, examples=[2])]
    end: Annotated[int, Field(ge=1, examples=[12])]


class LinksModel(Answer):
    """Addresses of one picture, relative to the server."""

    self: Annotated[str, Field(description="Everything known of the picture.", examples=["/api/v1/images/5"])]
    page: Annotated[str, Field(description="The page for people.", examples=["/images/5"])]
    gallery: Annotated[str, Field(description="JPEG, longest side 512 px.", examples=["/media/5/gallery"])]
    large: Annotated[str, Field(description="JPEG, longest side 1600 px.", examples=["/media/5/page"])]
    original: Annotated[str, Field(description="The file itself, as a download.", examples=["/media/5/original"])]

    @classmethod
    def of(cls, image_id: int) -> LinksModel:
        """The addresses of the picture with this id."""
        media = f"/media/{image_id}"
        return cls(
            self=f"/api/v1/images/{image_id}",
            page=f"/images/{image_id}",
            gallery=f"{media}/gallery",
            large=f"{media}/page",
            original=f"{media}/original",
        )


class BoxLinksModel(Answer):
    """Where to find more of what a box shows, relative to the server."""

    more: Annotated[str, Field(description="The search.", examples=["/api/v1/search?region=31"])]
    page: Annotated[str, Field(description="The same for people.", examples=["/search?region=31"])]

    @classmethod
    def of(cls, region_id: int) -> BoxLinksModel:
        """The addresses for the box with this number."""
        return cls(more=f"/api/v1/search?region={region_id}", page=f"/search?region={region_id}")


class RegionModel(Answer):
    """A phrase and its box, as stored."""

    region_id: Annotated[int, Field(examples=[31])]
    phrase: Annotated[str, Field(examples=["brown bear"])]
    box: BoxModel
    span: Annotated[SpanModel | None, Field(description="Where the phrase stands in its caption.")]
    score: Annotated[float | None, Field(description="The captioner's confidence, 0 to 1; null for people's boxes.")]
    source: Annotated[str, Field(examples=["import"])]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know pydantic's decorator on top of a property
    @property
    def links(self) -> BoxLinksModel:
        """Where to find more of what it shows."""
        return BoxLinksModel.of(self.region_id)


class CaptionModel(Answer):
    """A sentence about the picture, with the boxes of its phrases."""

    caption_id: Annotated[int, Field(examples=[12])]
    text: Annotated[str, Field(examples=["A brown bear walks through tall grass."])]
    source: Annotated[str, Field(examples=["import"])]
    language: Annotated[str | None, Field(description="BCP 47 tag where known.", examples=["en"])]
    regions: tuple[RegionModel, ...]


class FileModel(Answer):
    """A file that holds the picture, or held it."""

    path: Annotated[PathText, Field(examples=["/home/ana/Pictures/bear.jpg"])]
    size_bytes: Annotated[int, Field(examples=[184213])]
    state: Annotated[str, Field(description="`indexed`, `refused` or `missing`.", examples=["indexed"])]


class FactModel(Answer):
    """One thing that a picture carries: a text or a number."""

    name: Annotated[str, Field(description="As docs/formats.md lists them.", examples=["focal"])]
    text: Annotated[str | None, Field(description="Null where it is a number.", examples=[None])]
    number: Annotated[float | None, Field(description="In the unit of its name; null for a text.", examples=[50.0])]
    source: Annotated[
        str, Field(description="Who says it: `exif`, `xmp`, `iptc`, `xmp-sidecar`, `takeout`, `webdataset`.")
    ]


class ImageModel(Answer):
    """Everything the library knows of one picture."""

    image_id: Annotated[int, Field(examples=[5])]
    sha256: Annotated[str, Field(examples=[EXAMPLE_HASH])]
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
    lines: Annotated[
        tuple[RegionModel, ...],
        Field(description="What is written in the picture: lines of text that were read, in the order of reading."),
    ]
    facts: Annotated[
        tuple[FactModel, ...], Field(description="What its file, and what lies beside it, say of how it was taken.")
    ]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know pydantic's decorator on top of a property
    @property
    def links(self) -> LinksModel:
        """Where to find more of this picture."""
        return LinksModel.of(self.image_id)


class HeatMapModel(Answer):
    """Where in a picture a text is: one cosine per patch, row by row from the upper left."""

    image_id: Annotated[int, Field(examples=[5])]
    text: Annotated[str, Field(description="The words as understood.", examples=["a brown bear"])]
    values: Annotated[
        list[list[float | None]],
        Field(description="Cosine of patch and text; null for a patch without one.", examples=[[[0.02, 0.31]]]),
    ]
    covers: Annotated[BoxModel, Field(description="The part of the picture that the patches tile.")]
    low: Annotated[float, Field(description="Drawn bare, like all below it: the median.", examples=[0.03])]
    high: Annotated[
        float,
        Field(description="Drawn strongest: above the largest value where that is weak.", examples=[0.31]),
    ]
    box: Annotated[
        BoxModel | None, Field(description="Where it is, as far as patches tell; null where they do not differ.")
    ]
    strength: Annotated[
        float | None,
        Field(
            description="How surely it is there at all, in [0, 1], by what other pictures of the library reach: hardly "
            "any without it reaches 0.5. Null in a library of one picture.",
            examples=[0.79],
        ),
    ]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
    took_ms: Annotated[float, Field(description="Milliseconds in the encoder, when it was made.", examples=[180.0])]
    overlay: Annotated[
        str, Field(description="Address of a see-through PNG of it.", examples=["/media/5/heat.png?q=a+brown+bear"])
    ]


class AnswerModel(Answer):
    """What the captioner says to a question about one picture."""

    image_id: Annotated[int, Field(examples=[5])]
    question: Annotated[str, Field(examples=["What colour is the bear?"])]
    answer: Annotated[str, Field(description="May be empty.", examples=["brown"])]
    log_probability: Annotated[
        float, Field(description="Natural logarithm of the probability of its tokens.", examples=[-0.4])
    ]
    model: Annotated[str, Field(description="Name of the captioner.", examples=["kosmos2"])]
    took_ms: Annotated[float, Field(description="Milliseconds in the captioner.", examples=[900.0])]


class HealthModel(Answer):
    """The process lives and answers."""

    status: Annotated[str, Field(examples=["ok"])]
    version: Annotated[str, Field(description="Of Deixis.", examples=["0.1.0"])]


class ReadyModel(Answer):
    """Searches can be answered now."""

    status: Annotated[str, Field(examples=["ready"])]
    images: Annotated[int, Field(description="Pictures that are searched.", examples=[103])]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
    published: Annotated[
        dict[str, int],
        Field(description="Vectors that answer queries, by kind.", examples=[{"image": 103, "text": 709}]),
    ]


class FieldErrorModel(Answer):
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
