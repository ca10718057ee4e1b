"""The shapes of what models say in the JSON API: labels, embeddings, explanations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from search.query.plan import MAX_QUERY_CHARS
from web.bodies import Asked
from web.schemas import Answer, BoxModel, SpanModel

MAX_LABELS = 50
MAX_TEMPLATES = 8
MAX_TEXTS = 64

Text = Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)]
Label = Annotated[str, Field(min_length=1, max_length=200)]
Labels = Annotated[
    list[Label],
    Field(min_length=1, max_length=MAX_LABELS, description="In words, each once.", examples=[["cat", "dog", "bird"]]),
]
Template = Annotated[str, Field(min_length=2, max_length=200)]
Encoding = Annotated[
    Literal["list", "base64"], Field(description="`base64`: float32, little-endian, one after the other.")
]


class ClassifyModel(Asked):
    """Labels to choose from."""

    labels: Labels
    templates: Annotated[
        list[Template] | None,
        Field(
            min_length=1,
            max_length=MAX_TEMPLATES,
            description="Sentences with `{}` once, where the label goes; null for the built-in English ones.",
            examples=[["a photo of a {}."]],
        ),
    ] = None


class LabelModel(Answer):
    """How well a label fits the picture."""

    label: Annotated[str, Field(examples=["dog"])]
    similarity: Annotated[float, Field(ge=-1, le=1, description="Cosine.", examples=[0.27])]
    probability: Annotated[
        float | None, Field(description="As the model was trained to say it; null where it does not.", examples=[0.91])
    ]


class LabelsModel(Answer):
    """All labels, the best first."""

    labels: tuple[LabelModel, ...]
    probability: Annotated[
        Literal["softmax", "sigmoid"] | None,
        Field(description="`softmax`: they sum to 1; `sigmoid`: each label is judged alone; null: cosines only."),
    ]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
    took_ms: Annotated[float, Field(description="Wall-clock milliseconds.", examples=[120.4])]


class EmbedModel(Asked):
    """Texts, or pictures of the library, to embed."""

    texts: Annotated[list[Text], Field(max_length=MAX_TEXTS, description="In words.", examples=[["a dog"]])] = []  # noqa: RUF012  # pydantic copies it
    image_ids: Annotated[
        list[Annotated[int, Field(ge=1, le=2**53 - 1)]],
        Field(max_length=MAX_TEXTS, description="Pictures of the library.", examples=[[5]]),
    ] = []  # noqa: RUF012  # pydantic copies it
    encoding: Encoding = "list"


class EmbeddingsModel(Answer):
    """Vectors of length 1 in the order in which they were asked for: texts, then pictures."""

    embeddings: Annotated[
        tuple[tuple[float, ...] | str, ...],
        Field(description="Numbers, or base64 of float32, little-endian.", examples=[[[0.01, -0.12, 0.07]]]),
    ]
    dim: Annotated[int, Field(examples=[768])]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
    identity: Annotated[
        str, Field(description="Vectors compare only where this is the same.", examples=["5c1e4b0a" * 8])
    ]
    took_ms: Annotated[float, Field(description="Wall-clock milliseconds.", examples=[22.8])]


class QuestionModel(Asked):
    """A question about a picture."""

    question: Annotated[
        str, Field(min_length=1, max_length=1_000, description="In a language of the captioner.", examples=["Why?"])
    ]


class WordHeatModel(Answer):
    """A piece of the query and where it is in the picture."""

    text: Annotated[str, Field(examples=["a dog"])]
    span: Annotated[SpanModel, Field(description="Where it stands in `text`.")]
    values: Annotated[list[list[float | None]], Field(description="Cosine per patch, row by row from the upper left.")]
    low: Annotated[float, Field(description="Drawn bare, like all below it.", examples=[0.03])]
    high: Annotated[float, Field(description="Drawn strongest.", examples=[0.31])]
    overlay: Annotated[str, Field(description="See-through PNG.", examples=["/api/v1/images/5/explain.png?q=a+dog"])]


class ExplanationModel(Answer):
    """Where a query and its pieces are in a picture: first the whole, then its things and words."""

    image_id: Annotated[int, Field(examples=[5])]
    text: Annotated[str, Field(description="As understood.", examples=["a dog left of a tree"])]
    covers: Annotated[BoxModel, Field(description="The part of the picture that the patches tile.")]
    words: tuple[WordHeatModel, ...]
    model: Annotated[str, Field(description="Name of the encoder.", examples=["siglip2-base-patch16-256"])]
