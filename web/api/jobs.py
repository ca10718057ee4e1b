"""Bulk jobs: asked for, listed, followed, steered. A worker runs them (`deixis worker`)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from search.jobs.rows import ENDED, JobInfo, ask, events_after, list_jobs, show_job
from web.addresses import at
from web.api.common import KNOWN, problems
from web.deps import Engine, EngineDep
from web.events import EventStream, Places, event
from web.job_schemas import JobAsked, JobDetailsModel, JobEventModel, JobEventsModel, JobModel, JobsModel, WishModel
from web.job_wishes import wish_here
from web.templating import without_paths

POLL_S = 1.0
"""How often a stream looks whether something has happened."""

STREAM_S = 600.0
"""A stream ends after so long; whoever still listens comes again with `Last-Event-ID`."""

MAX_STREAMS = 64

_QUIET_S = 15.0
_LARGEST = 2**63 - 1

JobId = Annotated[int, Path(ge=1, le=_LARGEST, description="Number of a job.", examples=[7])]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Any text of your own: a request that is sent again with its key queues no second job.",
        examples=["nightly-2024-05-17"],
    ),
]
After = Annotated[int, Query(ge=0, le=_LARGEST, description="Only events behind this one.")]
LastEvent = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        max_length=200,
        description="The same, as browsers say it that come again.",
        examples=["31"],
    ),
]

_PLACES = Places(MAX_STREAMS, "too many follow jobs at once", "Ask again now and then instead.")

router = APIRouter(dependencies=KNOWN)


@router.post(
    "/api/v1/jobs",
    status_code=201,
    responses={
        200: {"model": JobModel, "description": "The job that was queued with this `Idempotency-Key` before."},
        **problems(
            s400="A folder is not there or may not be named, or there is no such captioner.",
            s409="The `Idempotency-Key` came with another job before.",
        ),
    },
    tags=["jobs"],
    operation_id="createJob",
)
def create_job(engine: EngineDep, asked: JobAsked, response: Response, key: Key = None) -> JobModel:
    """Queue a job; a worker takes it when its turn comes. `Location` says where it can be followed."""
    library = engine.library()
    newest = next((job.id for job in list_jobs(library, limit=1)), 0)
    number = wish_here(engine, asked.kind, asked.model_dump(exclude={"kind"})).queue(library, key)
    response.status_code = 201 if number > newest else 200
    response.headers["Location"] = at(f"/api/v1/jobs/{number}")
    return JobModel.model_validate(show_job(library, number).info)


@router.get("/api/v1/jobs", responses=problems(), tags=["jobs"], operation_id="jobs")
def jobs(
    engine: EngineDep,
    k: Annotated[int, Query(ge=1, le=100, description="How many to return at most.")] = 20,
    before: Annotated[int | None, Query(ge=1, le=_LARGEST, description="Only jobs with a lower number.")] = None,
    unended: Annotated[bool, Query(description="Only jobs that still have something to do.")] = False,
) -> JobsModel:
    """What runs and waits, and what has ended, the newest first."""
    found = list_jobs(engine.library(), limit=k + 1, unended=unended, before=before)
    following = None
    if len(found) > k:
        following = at(f"/api/v1/jobs?before={found[k - 1].id}&k={k}") + ("&unended=true" if unended else "")
    return JobsModel(jobs=tuple(JobModel.model_validate(job) for job in found[:k]), next=following)


@router.get(
    "/api/v1/jobs/{job_id}", responses=problems(s404="There is no such job."), tags=["jobs"], operation_id="job"
)
def job(engine: EngineDep, job_id: JobId) -> JobDetailsModel:
    """One job: arguments, progress, report, and what happened."""
    library = engine.library()
    details, (_, events) = show_job(library, job_id), events_after(library, job_id)
    told = [{"id": number, "at": at, "what": what} for number, at, what in events]
    return JobDetailsModel.model_validate(
        {
            **asdict(details.info),
            "arguments": _as_may_be_seen(details.arguments),
            "report": _as_may_be_seen(details.report),
            "events": told,
        }
    )


def _as_may_be_seen(value: Any) -> Any:
    """What a job was given or has told; folders in it are left out where they are not told to whoever asks."""
    if isinstance(value, dict):
        return {name: _as_may_be_seen(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_may_be_seen(one) for one in value]
    return without_paths(value) if isinstance(value, str) else value


@router.patch(
    "/api/v1/jobs/{job_id}",
    responses=problems(s400="In its state that makes no sense.", s404="There is no such job."),
    tags=["jobs"],
    operation_id="steerJob",
)
def steer_job(engine: EngineDep, job_id: JobId, wish: WishModel) -> JobModel:
    """Pause, resume, cancel or retry a job; one that runs follows at its next step, and `asked` says so until then."""
    library = engine.library()
    ask(library, job_id, wish.ask)
    return JobModel.model_validate(show_job(library, job_id).info)


@router.get(
    "/api/v1/jobs/{job_id}/events",
    responses={
        200: {
            "model": JobEventsModel,
            "description": "What happened; as a stream where `Accept` asks for `text/event-stream`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems(s404="There is no such job."),
    },
    response_model=JobEventsModel,
    tags=["jobs"],
    operation_id="jobEvents",
)
async def job_events(request: Request, engine: EngineDep, job_id: JobId, after: After = 0, last: LastEvent = "") -> Any:
    """What has happened to a job: as JSON, or as server-sent events `happened` and `progress` until it has ended."""
    behind = int(last) if re.fullmatch(r"[0-9]{1,18}", last) else after
    info, events = await run_in_threadpool(_events_after, engine, job_id, behind)
    if "text/event-stream" not in request.headers.get("accept", ""):
        return JobEventsModel(job=JobModel.model_validate(info), events=_events(events))
    return EventStream(_stream(engine, job_id, behind), _PLACES)


async def _stream(engine: Engine, job_id: int, behind: int) -> AsyncGenerator[str]:
    shown, loop = "", asyncio.get_running_loop()
    ends, said = loop.time() + STREAM_S, loop.time()
    while loop.time() < ends:
        info, events = await run_in_threadpool(_events_after, engine, job_id, behind)
        for happened in _events(events):
            yield event("happened", happened.model_dump_json(), happened.id)
            behind, said = happened.id, loop.time()
        now = JobModel.model_validate(info).model_dump_json()
        if now != shown:
            yield event("progress", now)
            shown, said = now, loop.time()
        if info.state in ENDED:
            return
        if loop.time() - said > _QUIET_S:
            yield ": nothing new\n\n"  # so that a client that has left is noticed
            said = loop.time()
        await asyncio.sleep(POLL_S)


def _events_after(engine: Engine, job_id: int, behind: int) -> tuple[JobInfo, list[tuple[int, datetime, str]]]:
    return events_after(engine.library(), job_id, behind)


def _events(rows: list[tuple[int, Any, str]]) -> tuple[JobEventModel, ...]:
    return tuple(JobEventModel(id=number, at=at, what=what) for number, at, what in rows)
