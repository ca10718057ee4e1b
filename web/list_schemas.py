"""The shapes of lists in the JSON API: pictures, what is told of them, what they have in common, how much there is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, computed_field

from web.schemas import EXAMPLE_HASH, Answer, LinksModel, PathText, RegionModel

Next = Annotated[
    str | None,
    Field(description="Address of the next page; null at the end.", examples=["/api/v1/images?k=2&cursor=WyI5Zj"]),
]


class ListedImageModel(Answer):
    """A picture in a list."""

    image_id: Annotated[int, Field(examples=[5])]
    sha256: Annotated[str, Field(description="Of the file's bytes, hex.", examples=[EXAMPLE_HASH])]
    width_px: Annotated[int, Field(description="Upright.", examples=[640])]
    height_px: Annotated[int, Field(description="Upright.", examples=[427])]
    format: Annotated[str, Field(description="Pillow's name of the file format.", examples=["JPEG"])]
    size_bytes: Annotated[int, Field(examples=[184213])]
    taken_at: Annotated[
        str | None, Field(description="By the photographer's clock, ISO 8601.", examples=["2024-05-17T12:30:05"])
    ]
    path: Annotated[PathText, Field(description="One of its files.", examples=["/home/ana/Pictures/bear.jpg"])]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know pydantic's decorator on top of a property
    @property
    def links(self) -> LinksModel:
        """Where to find more of this picture."""
        return LinksModel.of(self.image_id)


class ImagesModel(Answer):
    """One page of a list of pictures."""

    images: tuple[ListedImageModel, ...]
    next: Next


class ListedCaptionModel(Answer):
    """A sentence about a picture."""

    caption_id: Annotated[int, Field(examples=[12])]
    image_id: Annotated[int, Field(examples=[5])]
    text: Annotated[str, Field(examples=["A brown bear walks through tall grass."])]
    source: Annotated[str, Field(description="`import` for people's own, else the captioner.", examples=["import"])]
    language: Annotated[str | None, Field(description="BCP 47 tag where known.", examples=["en"])]


class CaptionsModel(Answer):
    """One page of a list of captions."""

    captions: tuple[ListedCaptionModel, ...]
    next: Next


class ListedRegionModel(RegionModel):
    """A phrase and its box, and the picture that it is on."""

    image_id: Annotated[int, Field(examples=[5])]


class RegionsModel(Answer):
    """One page of a list of boxes, or of lines that were read."""

    regions: tuple[ListedRegionModel, ...]
    next: Next


class FacetValueModel(Answer):
    """One value that some of the pictures have."""

    text: Annotated[str, Field(description="To be shown.", examples=["Canon EOS R5"])]
    count: Annotated[int, Field(description="How many of the pictures.", examples=[12])]
    token: Annotated[
        str, Field(description="What to add to the query to find just these.", examples=['camera:"Canon EOS R5"'])
    ]
    at_least: Annotated[bool, Field(description="Whether the token may find more of them.", examples=[False])]


class FacetModel(Answer):
    """The values of one kind, the most frequent first; dates in their order."""

    name: Annotated[
        str,
        Field(
            description="`phrase`, `folder`, `date`, `camera`, `place`, `format`, `source`, `person`, `tag` or `has`.",
            examples=["camera"],
        ),
    ]
    values: tuple[FacetValueModel, ...]
    more: Annotated[bool, Field(description="Whether there are rarer values.", examples=[False])]
    step: Annotated[
        Literal["month", "year", "decade", "century"] | None,
        Field(description="What a bar of `date` stands for.", examples=["month"]),
    ]


class FacetsModel(Answer):
    """What the pictures of a query, or of the whole library, have in common."""

    images: Annotated[int, Field(description="How many pictures were counted.", examples=[103])]
    of: Annotated[
        Literal["library", "filters", "likely", "nearest"],
        Field(
            description="Which: all; all that fulfil the filters of a query without words; the likely hits of one with "
            "words, as far as a search for 1,000 sees them; the 200 nearest, where nobody can say what is likely."
        ),
    ]
    facets: tuple[FacetModel, ...]
    took_ms: Annotated[float, Field(description="Wall-clock milliseconds.", examples=[41.2])]


class RootModel(Answer):
    """A folder that was given to `index`, with what was said about it."""

    path: Annotated[PathText, Field(examples=["/home/ana/Pictures"])]
    exclude: Annotated[tuple[str, ...], Field(description="Patterns that are passed over.", examples=[["*.tmp"]])]
    include: Annotated[tuple[str, ...], Field(description="Patterns that are not.", examples=[[]])]
    follow_links: Annotated[bool, Field(description="Whether links are followed.", examples=[False])]
    archives: Annotated[bool, Field(description="Whether archives are looked into.", examples=[False])]


class IndexModel(Answer):
    """An index that answers queries."""

    kind: Annotated[str, Field(description="`image`, `text` or `region`.", examples=["image"])]
    vectors: Annotated[int, Field(description="How many.", examples=[103])]
    index_key: Annotated[str, Field(description="FAISS factory string.", examples=["Flat"])]
    measured: Annotated[dict[str, Any] | None, Field(description="What its search was measured to find.")]


class StatsModel(Answer):
    """How much there is, as `deixis status --json` says it."""

    images: Annotated[int, Field(description="Pictures that at least one file holds.", examples=[103])]
    files_indexed: Annotated[int, Field(examples=[104])]
    files_refused: Annotated[int, Field(examples=[1])]
    files_missing: Annotated[int, Field(examples=[0])]
    captions: Annotated[int, Field(examples=[515])]
    regions: Annotated[int, Field(description="Boxes of what is shown.", examples=[1240])]
    texts: Annotated[int, Field(description="Distinct captions and phrases.", examples=[980])]
    model: Annotated[str | None, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
    published: Annotated[dict[str, int], Field(description="Vectors in the indexes, by kind.")]
    roots: Annotated[tuple[RootModel, ...], Field(description="What was given to `index`.")]
    indexes: Annotated[tuple[IndexModel, ...], Field(description="What answers queries.")]
    facts: Annotated[int, Field(description="Words and numbers that pictures carry.", examples=[412])]
    lines: Annotated[int, Field(description="Lines of text that were read.", examples=[23])]


class CopyFileModel(Answer):
    """One file of a group of duplicates."""

    path: Annotated[PathText, Field(examples=["/home/ana/Pictures/bear.jpg"])]
    image_id: Annotated[int, Field(description="The same for files with the same bytes.", examples=[5])]
    width_px: Annotated[int, Field(examples=[640])]
    height_px: Annotated[int, Field(examples=[427])]
    size_bytes: Annotated[int, Field(examples=[184213])]
    format: Annotated[str, Field(examples=["JPEG"])]
    taken_at: Annotated[datetime | None, Field(description="By its metadata.")]
    modified_at: Annotated[datetime, Field(description="By its file system.")]
    largest: Annotated[bool, Field(description="No other has more pixels or, with as many, more bytes.")]
    oldest: Annotated[bool, Field(description="No other is older.")]


class DuplicateGroupModel(Answer):
    """Files that show one picture, the largest first."""

    equal: Annotated[bool, Field(description="Whether all have the same bytes.", examples=[True])]
    spare_bytes: Annotated[int, Field(description="What all but one largest take up.", examples=[184213])]
    files: tuple[CopyFileModel, ...]


class DuplicatesModel(Answer):
    """Groups of files that show one picture, those with most spare bytes first."""

    groups: tuple[DuplicateGroupModel, ...]
    groups_found: Annotated[int, Field(description="Of how many these are the first.", examples=[4])]
    files: Annotated[int, Field(description="In all groups found.", examples=[9])]
    spare_bytes: Annotated[int, Field(description="Of all groups found.", examples=[912345])]
    pictures: Annotated[int, Field(description="That were looked at.", examples=[103])]
    plain: Annotated[int, Field(description="Of these, too plain to be compared by look.", examples=[2])]
    unhashed: Annotated[int, Field(description="Of these, not comparable until `index --rescan`.", examples=[0])]
