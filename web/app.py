"""The FastAPI application: which routes there are, what surrounds them, what lives as long as the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from search.settings import Settings, load_settings
from web import api, errors, heat, media, pages, where
from web.api.docs import DESCRIPTION, SERVERS, description_of
from web.conditional import FOREVER
from web.deps import Engine
from web.looking import PictureLooker
from web.middleware import AllowedHosts, ErrorNet, ReceiveLimits, SecurityHeaders, host_names
from web.sending import Sending
from web.templating import STATIC
from web.version import VERSION

log = logging.getLogger(__name__)

RECEIVE_DEADLINE_S = 60.0
FORM_OVERHEAD_BYTES = 64 * 1024
"""Room for the multipart envelope around the largest picture."""


def create_app(settings: Settings) -> FastAPI:
    """Build the application; nothing is opened or loaded before the server starts it.

    Args:
        settings: where the library is and what requests may cost.

    Returns:
        An ASGI application.
    """
    app = FastAPI(
        title="Deixis",
        version=VERSION,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=SERVERS,
        lifespan=_lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # Swagger and ReDoc load their scripts from a CDN; nothing here may reach the network
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(media.router)
    app.include_router(heat.router)
    app.include_router(where.router)
    app.mount("/static", _StaticFiles(directory=STATIC), name="static")
    errors.install(app)
    app.openapi = description_of(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    # Added last is outermost: headers go on every answer, also those of the layers inside.
    app.add_middleware(
        ReceiveLimits, max_bytes=settings.upload_bytes + FORM_OVERHEAD_BYTES, deadline_s=RECEIVE_DEADLINE_S
    )
    app.add_middleware(AllowedHosts, hosts=host_names(settings.allowed_hosts, settings.host))
    app.add_middleware(ErrorNet)
    app.add_middleware(Sending)
    app.add_middleware(SecurityHeaders)
    return app


def create_from_env() -> FastAPI:
    """Build the application from `DEIXIS_*` variables, for an ASGI server that is told `web.app:create_from_env`."""
    return create_app(load_settings(os.environ))


class _StaticFiles(StaticFiles):
    """Files whose address holds their hash (`?v=`) may be kept for good; others are asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200 and scope["query_string"].startswith(b"v="):
            response.headers["Cache-Control"] = FOREVER
        return response


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine = app.state.engine = Engine(app.state.settings)
    previews = app.state.previews = media.PreviewMaker(engine)
    looker = app.state.looker = PictureLooker(engine, previews)
    # In the background: pages are served while the model loads, and the first query need not wait for all of it.
    warming = asyncio.create_task(run_in_threadpool(_warm, engine))
    try:
        yield
    finally:
        await warming
        await looker.close()
        await previews.close()
        await run_in_threadpool(engine.close)


def _warm(engine: Engine) -> None:
    try:
        ready = api.check_ready(engine)
    except errors.NotReadyError as error:
        log.warning("not ready yet: %s", error)
    except Exception:  # the server still starts: its pages can say what is wrong
        log.exception("could not look whether searches can be answered")
    else:
        log.info("ready: %d pictures, model %s", ready.images, ready.model)
