"""The shapes of jobs in the JSON API: what may be asked for, and what is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field

from search.jobs.wishes import MAX_FOLDERS, MAX_TEXT_CHARS
from web.bodies import Asked
from web.schemas import Answer
from web.templating import without_paths

Said: TypeAlias = Annotated[str, AfterValidator(without_paths)]
"""A sentence, without folders for whoever may not see where files lie."""

State: TypeAlias = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
Path = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]
Name = Annotated[str, Field(min_length=1, max_length=400)]


class IndexJobModel(Asked):
    """Bring the library up to date with its folders."""

    kind: Annotated[Literal["index"], Field(description="Which job.")]
    folders: Annotated[
        list[Path],
        Field(
            max_length=MAX_FOLDERS,
            description="Whole paths; none for all folders of the library. New ones are for the scope `admin`.",
            examples=[["/home/ana/Pictures/2024"]],
        ),
    ] = []  # noqa: RUF012  # pydantic copies it
    retry_refused: Annotated[bool, Field(description="Try refused files again though they have not changed.")] = False
    rescan: Annotated[bool, Field(description="Look at the bytes of every file.")] = False


class CaptionJobModel(Asked):
    """Let a captioner write about every picture that it has not captioned yet."""

    kind: Annotated[Literal["caption"], Field(description="Which job.")]
    captioner: Annotated[Name | None, Field(description="A preset; null for the server's.", examples=["kosmos2"])] = (
        None
    )
    detail: Annotated[Literal["brief", "detailed"], Field(description="How much to say.")] = "brief"
    language: Annotated[
        str | None, Field(pattern="^[a-z]{2,3}$", description="ISO 639-1 code; null for its first one.")
    ] = None
    retry_refused: Annotated[bool, Field(description="Try again what killed workers.")] = False


class ReadJobModel(Asked):
    """Read the text in every picture that was not read yet."""

    kind: Annotated[Literal["read"], Field(description="Which job.")]
    thorough: Annotated[bool, Field(description="Look closely also where a first look finds no text.")] = False
    retry_refused: Annotated[bool, Field(description="Try again what killed workers.")] = False


class RebuildJobModel(Asked):
    """Make every index again."""

    kind: Annotated[Literal["rebuild"], Field(description="Which job.")]
    compact: Annotated[bool, Field(description="Write the vectors anew as well.")] = False


JobAsked = Annotated[IndexJobModel | CaptionJobModel | ReadJobModel | RebuildJobModel, Field(discriminator="kind")]


class WishModel(Asked):
    """What is asked of a job."""

    ask: Annotated[
        Literal["pause", "resume", "cancel", "retry"],
        Field(description="What has ended can be retried, what is paused resumed; the rest follows at its next step."),
    ]


class JobModel(Answer):
    """A job as it is listed."""

    id: Annotated[int, Field(description="Its number.", examples=[7])]
    kind: Annotated[str, Field(examples=["index"])]
    state: Annotated[State, Field(examples=["running"])]
    asked: Annotated[str | None, Field(description="`pause` or `cancel`, where its worker still has to hear it.")]
    lost: Annotated[bool, Field(description="Whether its worker has died or does not answer; another goes on.")]
    attempts: Annotated[int, Field(examples=[1])]
    worker: Annotated[str | None, Field(description="Who works on it, or did.", examples=["pid 12 on shelf"])]
    progress: Annotated[dict[str, Any] | None, Field(description="Stage, done, total, per_s and left_s.")]
    error: Annotated[Said | None, Field(description="Why it failed.")]
    created_at: Annotated[datetime, Field(description="UTC.")]
    started_at: Annotated[datetime | None, Field(description="UTC, of the last attempt.")]
    ended_at: Annotated[datetime | None, Field(description="UTC.")]


class JobsModel(Answer):
    """One page of the jobs, the newest first."""

    jobs: tuple[JobModel, ...]
    next: Annotated[str | None, Field(description="Address of the next page.", examples=["/api/v1/jobs?before=7&k=20"])]


class JobEventModel(Answer):
    """Something that happened to a job."""

    id: Annotated[int, Field(description="To be given as `after`.", examples=[31])]
    at: Annotated[datetime, Field(description="UTC.")]
    what: Annotated[Said, Field(examples=["begun by pid 12 on shelf"])]


class JobDetailsModel(JobModel):
    """One job with all that is known of it."""

    arguments: Annotated[dict[str, Any], Field(description="As the queue keeps them.")]
    report: Annotated[dict[str, Any] | None, Field(description="What it has done, once it has ended.")]
    events: tuple[JobEventModel, ...]


class JobEventsModel(Answer):
    """What has happened to a job behind an event, and the job as it is now."""

    job: JobModel
    events: tuple[JobEventModel, ...]
