"""The FastAPI application: which routes there are, what surrounds them, what lives as long as the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread
from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from search.settings import Settings, available_cores, load_settings
from web import api, choosing_language, errors, heat, media, pages, where
from web.access.install import install_gate, install_proxies
from web.access.signin import check_token
from web.admission.gate import Admission, Gate
from web.admission.lanes import lane_limits
from web.api.docs import DESCRIPTION, SERVERS, description_of
from web.conditional import FOREVER
from web.deps import Engine
from web.figures import Shared
from web.keeping import first_run, holdings, jobs
from web.keeping.news import JobNews
from web.languages import Speaking
from web.looking import PictureLooker
from web.metrics import Metrics
from web.middleware import ErrorNet, ReceiveLimits, SecurityHeaders
from web.ready import ReadyKeeper
from web.request_log import AccessLog
from web.sending import Sending
from web.templating import STATIC
from web.version import VERSION

RECEIVE_DEADLINE_S = 60.0
FORM_OVERHEAD_BYTES = 64 * 1024
"""Room for the multipart envelope around the largest picture."""

UPLOADS_AT_ONCE = 4
"""Requests of the largest size whose bodies may be held at a time; smaller ones share the room."""

SPARE_THREADS = 16
"""Threads beyond those that the lanes can take: for static files and the chunks of downloads."""


def create_app(settings: Settings, shared: Path | None = None) -> FastAPI:
    """Build the application; nothing is opened or loaded before the server starts it.

    Args:
        settings: where the library is and what requests may cost.
        shared: a folder for the figures of several processes; None where there is one.

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
        dependencies=[Depends(check_token)],
    )
    app.state.settings = settings
    app.state.shared = Shared(shared)
    body_bytes = settings.upload_bytes + FORM_OVERHEAD_BYTES
    cores = max(1, available_cores() // settings.workers)
    gate = app.state.gate = Gate(lane_limits(cores, settings.decoders), UPLOADS_AT_ONCE * body_bytes)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(media.router)
    app.include_router(heat.router)
    app.include_router(where.router)
    app.include_router(choosing_language.router)
    for pages_of in (first_run, holdings, jobs):
        app.include_router(pages_of.router)
    app.mount("/static", _StaticFiles(directory=STATIC), name="static")
    errors.install(app)
    app.openapi = description_of(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    # Added last is outermost: headers go on every answer, also those of the layers inside.
    app.add_middleware(Admission, gate=gate)
    app.add_middleware(ReceiveLimits, max_bytes=body_bytes, deadline_s=RECEIVE_DEADLINE_S)
    install_gate(app, settings)
    app.add_middleware(ErrorNet)
    app.add_middleware(Speaking)
    app.add_middleware(Sending)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLog, gate=gate)
    install_proxies(app, settings)
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
    gate: Gate = app.state.gate
    # A thread for each request that may run: none that has its turn ever waits for one.
    anyio.to_thread.current_default_thread_limiter().total_tokens = gate.threads + SPARE_THREADS
    engine = app.state.engine = Engine(app.state.settings)
    app.state.news = JobNews(engine)
    previews = app.state.previews = media.PreviewMaker(engine)
    looker = app.state.looker = PictureLooker(engine, previews)
    # In the background: pages are served while the model loads, and the first query need not wait for all of it.
    ready = app.state.ready = ReadyKeeper(lambda: engine.service().warm())
    metrics = app.state.metrics = Metrics(gate, ready, app.state.shared, engine.job_states)
    ready.begin()
    leaving = asyncio.create_task(metrics.leave())
    try:
        yield
    finally:
        leaving.cancel()
        await ready.close()
        await looker.close()
        await previews.close()
        await run_in_threadpool(engine.close)
        await run_in_threadpool(app.state.key_ring.close)
