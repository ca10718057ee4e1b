"""How the service is doing: alive, ready, and in figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from web.api.common import KNOWN, problems
from web.metrics import CONTENT_TYPE, Metrics
from web.ready import ReadyKeeper
from web.schemas import HealthModel, ReadyModel
from web.version import VERSION

router = APIRouter(dependencies=KNOWN, tags=["service"])


def _keeper(request: Request) -> ReadyKeeper:
    keeper: ReadyKeeper = request.app.state.ready
    return keeper


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


@router.get("/healthz", responses=problems(), operation_id="health")
async def health() -> HealthModel:
    """Whether the process lives; touches nothing else."""
    return HealthModel(status="ok", version=VERSION)


@router.get(
    "/readyz",
    responses=problems(s503="Searches cannot be answered; `reasons` lists why."),
    operation_id="ready",
)
async def ready(keeper: Annotated[ReadyKeeper, Depends(_keeper)]) -> ReadyModel:
    """Whether searches can be answered: library, model, indexes and catalogue were there a second ago."""
    found = await keeper.state()
    return ReadyModel(status="ready", images=found.images, model=found.model, published=dict(found.published))


@router.get("/metrics", include_in_schema=False)
async def metrics(found: Annotated[Metrics, Depends(_metrics)]) -> Response:
    """Figures of the service for Prometheus."""
    return Response(await found.text(), media_type=CONTENT_TYPE)
