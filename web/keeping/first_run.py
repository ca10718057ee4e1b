"""The first run: what to do with this home, and a form that does it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from platformdirs import user_data_path, user_pictures_path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from search.db.readonly import why_not_writable
from search.encoder import DEFAULT_MODEL
from search.errors import LibraryEmptyError, QueryError
from search.jobs.wishes import wish_of
from search.library import Library
from search.settings import Settings
from vision.encoders.registry import find_model
from vision.errors import DeixisError
from web.access.caller import may_see_paths
from web.addresses import at
from web.deps import Engine, EngineDep
from web.errors import kind_of
from web.keeping.given import given_of
from web.keeping.news import JobsNow, jobs_now
from web.keeping.words import WISHES as ASKED
from web.keeping.words import shown_job
from web.templating import render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What there is before the first picture.

    Attributes:
        home: where the library is or will be.
        flag: ` --home …` for commands, where the home is not the usual one.
        model: the encoder that the first run would take.
        lacks_model: why that cannot be, as a sentence; empty where it can.
        locked: why nothing can be written there; empty where it can.
        folder: of pictures, where this machine has a usual one.
    """

    home: str
    flag: str
    model: str
    lacks_model: str
    locked: str
    folder: str


@router.get("/welcome")
def welcome(request: Request, engine: EngineDep) -> Response:
    """What to do before there are pictures; the start page once there are."""
    try:
        if engine.service().status().images:
            return RedirectResponse(at("/"), status_code=303)
        now: JobsNow | None = jobs_now(engine.library())
    except LibraryEmptyError:
        now = None
    return _page(request, engine.settings, now)


@router.post("/welcome")
async def begin(request: Request, engine: EngineDep) -> Response:
    """Make the library where there is none, and queue its first job."""
    form = await request.form(max_files=0, max_fields=20)
    return await run_in_threadpool(_begin, request, engine, form)


def _begin(request: Request, engine: Engine, form: FormData) -> Response:
    settings = engine.settings
    try:
        given = given_of("index", form)
        if not given.get("folders"):
            raise QueryError("No folder was named", remedy="Name the folder that holds your pictures.")
        wish = wish_of("index", given, settings)
        Library.open(settings.home, settings.database_url, create=True).close()
        wish.queue(engine.library())
    except DeixisError as error:
        return _page(request, settings, None, str(form.get("folders", ""))[:2000], error)
    return RedirectResponse(at("/welcome"), status_code=303)


def _page(
    request: Request, settings: Settings, now: JobsNow | None, given: str = "", error: DeixisError | None = None
) -> Response:
    model, lacks = _model(settings)
    refusal = why_not_writable(_existing(settings.home))
    first = FirstRun(
        home=str(settings.home),
        flag=flag_of(settings),
        model=model,
        lacks_model=lacks,
        locked="" if refusal is None else str(refusal.args[0]),
        folder=_pictures(),
    )
    context = {**under_way(settings, now), "first": first, "given": given, "error": error}
    return render(request, "welcome.html", context, status_code=200 if error is None else kind_of(error).status)


def under_way(settings: Settings, now: JobsNow | None, *, arrived: bool = False) -> dict[str, object]:
    """What the piece of the page says that changes.

    Args:
        now: jobs of the library; None where there is none yet.
        arrived: whether there are pictures to search.
    """
    jobs = [] if now is None else [shown_job(job) for job in (*now.unended, *now.ended[:3])]
    return {"jobs": jobs, "now": now, "wishes": ASKED, "flag": flag_of(settings), "arrived": arrived}


def flag_of(settings: Settings) -> str:
    """` --home …` for commands, where the home is not the usual one and whoever asks may know it."""
    usual = user_data_path("deixis", appauthor=False)
    return "" if not may_see_paths() or settings.home == usual else f" --home {shlex.quote(str(settings.home))}"


def _model(settings: Settings) -> tuple[str, str]:
    """The encoder of a new library, and why there is none."""
    model = settings.model or DEFAULT_MODEL
    if model == "colour":
        return model, ""
    try:
        find_model(model)
    except DeixisError as error:
        return model, str(error.args[0])
    return model, ""


def _existing(home: Path) -> Path:
    """The home, or the nearest folder above it that is there."""
    return next((folder for folder in (home, *home.parents) if folder.is_dir()), home)


def _pictures() -> str:
    try:
        folder = user_pictures_path()
    except (OSError, RuntimeError):  # a user without a home
        return ""
    return str(folder) if folder.is_dir() else ""
