"""Whether the service lives and is ready."""

from __future__ import annotations

import logging

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError

from vision.errors import DeixisError
from web.api.common import KNOWN, problems
from web.deps import Engine, EngineDep
from web.errors import NotReadyError, in_one_line
from web.schemas import HealthModel, ReadyModel
from web.version import VERSION

log = logging.getLogger(__name__)

router = APIRouter(dependencies=KNOWN)


@router.get("/healthz", responses=problems(), tags=["service"], operation_id="health")
async def health() -> HealthModel:
    """Whether the process lives; touches nothing else."""
    return HealthModel(status="ok", version=VERSION)


@router.get(
    "/readyz",
    responses=problems(s503="Searches cannot be answered; `reasons` lists why."),
    tags=["service"],
    operation_id="ready",
)
def ready(engine: EngineDep) -> ReadyModel:
    """Whether searches can be answered now: the library opens; its model, indexes and catalogue are loaded."""
    return check_ready(engine)


def check_ready(engine: Engine) -> ReadyModel:
    """Look at everything that a search needs, and at nothing else; loads what has not been loaded yet.

    Raises:
        NotReadyError: with every reason that could be found.
    """
    try:
        found = engine.service().warm()
    except DeixisError as error:
        raise NotReadyError((in_one_line(error),)) from error
    except (OSError, SQLAlchemyError) as error:
        log.warning("not ready: %s", error)
        raise NotReadyError(("the library's database or files cannot be read; the server's log says why",)) from error
    return ReadyModel(status="ready", images=found.images, model=found.model, published=dict(found.published))
