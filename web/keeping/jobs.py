"""The pages of bulk jobs: start, pause, go on, cancel, try again; what they do now, and what they have done."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from search.errors import LibraryEmptyError, QueryError
from search.jobs.rows import JobDetails, ask, list_jobs, show_job
from search.settings import Settings
from vision.grounding.presets import CAPTIONERS, DEFAULT_CAPTIONER
from web.addresses import at
from web.deps import Engine, EngineDep
from web.errors import kind_of
from web.job_wishes import wish_here
from web.keeping.first_run import flag_of, under_way
from web.keeping.given import given_of
from web.keeping.news import ENDED_LISTED, JobNews, JobsNow, jobs_now
from web.keeping.words import WISHES as ASKED
from web.keeping.words import report_lines, shown_job
from web.templating import fragment, render

router = APIRouter(include_in_schema=False)

JobId = Annotated[int, Path(ge=1, le=2**63 - 1)]

_MAX_FIELDS = 40


def _news_of(request: Request) -> JobNews:
    news: JobNews = request.app.state.news
    return news


NewsDep = Annotated[JobNews, Depends(_news_of)]


@router.get("/jobs")
def jobs(
    request: Request, engine: EngineDep, before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
) -> Response:
    """What runs, waits and has ended, and forms that start more; or what has ended before a job of the history."""
    try:
        library = engine.library()
    except LibraryEmptyError:
        return RedirectResponse(at("/welcome"), status_code=303)
    if before is None:
        return _jobs_page(request, engine, jobs_now(library))
    ended = list_jobs(library, limit=ENDED_LISTED + 1, before=before, ended=True)
    more = len(ended) > ENDED_LISTED
    shown = [shown_job(job) for job in ended[:ENDED_LISTED]]
    return render(request, "history.html", {"ended": shown, "more": more, "wishes": ASKED})


@router.post("/jobs")
async def start(request: Request, engine: EngineDep) -> Response:
    """Queue a job, and show it."""
    form = await request.form(max_files=0, max_fields=_MAX_FIELDS)
    return await run_in_threadpool(_start, request, engine, form)


@router.get("/jobs/events")
async def events(
    request: Request,
    news: NewsDep,
    engine: EngineDep,
    job: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    view: Literal["jobs", "welcome"] = "jobs",
) -> Response:
    """The part of a page that changes, whenever it does: of the list, of one job, or of the first run."""
    await news.now()  # what is wrong is answered as on every page

    def shown(now: JobsNow) -> str:
        if job is not None:
            return fragment(request, "_job.html", _details(show_job(engine.library(), job)))
        if view == "welcome":
            arrived = bool(engine.service().recent(1).hits)
            return fragment(request, "_under_way.html", under_way(engine.settings, now, arrived=arrived))
        return fragment(request, "_jobs.html", _listed(now, engine.settings))

    return news.stream(shown)


@router.get("/jobs/{job_id}")
def job(request: Request, engine: EngineDep, job_id: JobId) -> Response:
    """One job: what was asked for, how far it is, its report, and what happened."""
    return render(request, "job.html", _details(show_job(engine.library(), job_id)))


@router.post("/jobs/{job_id}/{wish}")
def steer(engine: EngineDep, job_id: JobId, wish: Literal["pause", "resume", "cancel", "retry"]) -> Response:
    """Ask something of a job, and show it."""
    ask(engine.library(), job_id, wish)
    return RedirectResponse(at(f"/jobs/{job_id}"), status_code=303)


def _start(request: Request, engine: Engine, form: FormData) -> Response:
    kind = str(form.get("kind", ""))[:40]
    try:
        wish = wish_here(engine, kind, given_of(kind, form))
    except QueryError as error:
        now = jobs_now(engine.library())
        said = {"kind": kind, "error": error, "given": form}
        return _jobs_page(request, engine, now, said, status=kind_of(error).status)
    job_id = wish.queue(engine.library())
    return RedirectResponse(at(f"/jobs/{job_id}"), status_code=303)


def _jobs_page(
    request: Request, engine: Engine, now: JobsNow, problem: dict[str, Any] | None = None, *, status: int = 200
) -> Response:
    context = {
        **_listed(now, engine.settings),
        "problem": problem,
        "captioners": list(CAPTIONERS.values()),
        "captioner": engine.settings.captioner or DEFAULT_CAPTIONER,
        "read_only": engine.library().read_only,
    }
    return render(request, "jobs.html", context, status_code=status)


def _listed(now: JobsNow, settings: Settings) -> dict[str, object]:
    return {
        "now": now,
        "unended": [shown_job(job) for job in now.unended],
        "ended": [shown_job(job) for job in now.ended[:ENDED_LISTED]],
        "more": len(now.ended) > ENDED_LISTED,
        "wishes": ASKED,
        "flag": flag_of(settings),
    }


def _details(details: JobDetails) -> dict[str, object]:
    folders = details.arguments.get("paths") or details.arguments.get("files") or []
    return {
        "job": shown_job(details.info),
        "details": details,
        "folders": [str(folder) for folder in folders[:100]],
        "report": report_lines(details.report),
        "wishes": ASKED,
    }
