"""What the encoder says of pictures and texts by itself: which label fits, and embeddings."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, File, Form, UploadFile

from search.errors import QueryError
from search.picture_vectors import picture_vectors
from search.query.plan import MAX_PICTURES, clean_text
from search.service import SearchService
from vision.classify import TEMPLATES, Classifier
from vision.types import Embeddings
from web.api.common import KNOWN, problems
from web.deps import EngineDep, ImageId
from web.model_schemas import (
    MAX_LABELS,
    MAX_TEMPLATES,
    ClassifyModel,
    EmbeddingsModel,
    EmbedModel,
    Encoding,
    LabelModel,
    LabelsModel,
)
from web.uploads import decoded_uploads

Pictures = Annotated[list[UploadFile], File(min_length=1, description="Picture files, one to eight.")]
FormLabels = Annotated[
    list[str],
    Form(alias="label", min_length=1, max_length=MAX_LABELS, description="In words, each once.", examples=[["cat"]]),
]
FormTemplates = Annotated[
    list[str] | None,
    Form(alias="template", min_length=1, max_length=MAX_TEMPLATES, description="Sentences with `{}` once."),
]

_PROBLEMS = problems(
    s400="There is nothing to embed, or labels cannot be told apart.", s404="A picture is not of this library."
)

router = APIRouter(dependencies=KNOWN)


@router.post("/api/v1/images/{image_id}/classify", responses=_PROBLEMS, tags=["models"], operation_id="classifyImage")
def classify_image(engine: EngineDep, image_id: ImageId, asked: ClassifyModel) -> LabelsModel:
    """Which of some labels fits a picture of the library best, without training."""
    vectors = picture_vectors(engine.library(), [image_id])
    return engine.compute(lambda service: _labels(service, vectors, asked.labels, asked.templates))


@router.post("/api/v1/classify", responses=_PROBLEMS, tags=["models"], operation_id="classify")
def classify(
    engine: EngineDep,
    image: Annotated[UploadFile, File(description="A picture file; nothing of it is kept.")],
    labels: FormLabels,
    templates: FormTemplates = None,
) -> LabelsModel:
    """Which of some labels fits an uploaded picture best, without training."""
    (pixels,) = decoded_uploads(engine, [image], ())
    return engine.compute(
        lambda service: _labels(service, service.encoder().encode_images([pixels]), labels, templates)
    )


@router.post("/api/v1/embeddings", responses=_PROBLEMS, tags=["models"], operation_id="embed")
def embed(engine: EngineDep, asked: EmbedModel) -> EmbeddingsModel:
    """Vectors of texts, and of pictures of the library, in one space: their inner product is a cosine."""
    if not asked.texts and not asked.image_ids:
        raise QueryError("there is nothing to embed", remedy="Give `texts`, `image_ids` or both.")
    started, texts = time.perf_counter(), [clean_text(text) for text in asked.texts]
    stored = picture_vectors(engine.library(), asked.image_ids) if asked.image_ids else None

    def work(service: SearchService) -> EmbeddingsModel:
        read = service.encoder().encode_text(texts) if texts else None
        vectors = np.concatenate([one for one in (read, stored) if one is not None])
        return _embeddings(service, vectors, asked.encoding, started)

    return engine.compute(work)


@router.post("/api/v1/embeddings/pictures", responses=_PROBLEMS, tags=["models"], operation_id="embedPictures")
def embed_pictures(
    engine: EngineDep, image: Pictures, encoding: Annotated[Encoding, Form(description="How to write them.")] = "list"
) -> EmbeddingsModel:
    """Vectors of uploaded pictures; nothing of them is kept."""
    if len(image) > MAX_PICTURES:
        raise QueryError(f"{len(image)} pictures were sent; the limit is {MAX_PICTURES}")
    started = time.perf_counter()
    pixels = decoded_uploads(engine, image, ())
    return engine.compute(
        lambda service: _embeddings(service, service.encoder().encode_images(pixels), encoding, started)
    )


def _labels(
    service: SearchService, vectors: Embeddings, labels: Sequence[str], templates: Sequence[str] | None
) -> LabelsModel:
    started, encoder = time.perf_counter(), service.encoder()
    classifier = Classifier(encoder, labels, templates=templates or TEMPLATES)
    (ranked,) = classifier.rank(vectors)
    return LabelsModel(
        labels=tuple(LabelModel.model_validate(one) for one in ranked),
        probability=classifier.probability,
        model=encoder.facts.name,
        took_ms=round((time.perf_counter() - started) * 1000, 3),
    )


def _embeddings(service: SearchService, vectors: Embeddings, encoding: str, started: float) -> EmbeddingsModel:
    rows: tuple[tuple[float, ...] | str, ...]
    if encoding == "base64":
        rows = tuple(base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors)
    else:
        rows = tuple(tuple(row.tolist()) for row in vectors)
    facts = service.encoder().facts
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    return EmbeddingsModel(
        embeddings=rows, dim=vectors.shape[1], model=facts.name, identity=facts.identity, took_ms=took_ms
    )
