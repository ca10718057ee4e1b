"""What jobs, their states, steps and reports are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from search.jobs.rows import JobInfo
from web.languages import gettext, marked

KINDS: Final[Mapping[str, str]] = {
    "index": marked("Index pictures"),
    "caption": marked("Write captions"),
    "read": marked("Read text in pictures"),
    "import": marked("Import annotations"),
    "export": marked("Export the library"),
    "watch": marked("Watch folders"),
    "rebuild": marked("Rebuild the indexes"),
}

STATES: Final[Mapping[str, str]] = {
    "queued": marked("waiting"),
    "running": marked("running"),
    "lost": marked("its worker is gone"),
    "paused": marked("paused"),
    "done": marked("done"),
    "failed": marked("failed"),
    "cancelled": marked("cancelled"),
}

_ASKED: Final[Mapping[str, str]] = {
    "pause": marked("will pause at its next step"),
    "cancel": marked("will stop at its next step"),
}

_STAGES: Final[Mapping[str, str]] = {
    "scan": marked("looking through folders"),
    "images": marked("looking at pictures"),
    "texts": marked("learning phrases"),
    "boxes": marked("looking at boxes"),
    "patches": marked("looking closer"),
    "captions": marked("writing captions"),
    "reading": marked("reading text"),
    "fetch": marked("fetching pictures"),
    "publish": marked("making it searchable"),
    "watching": marked("watching"),
}

WISHES: Final[Mapping[str, str]] = {
    "pause": marked("Pause"),
    "resume": marked("Go on"),
    "cancel": marked("Cancel"),
    "retry": marked("Try again"),
}
"""What can be asked of a job; each is a button."""

_OFFERED: Final[Mapping[str, tuple[str, ...]]] = {
    "queued": ("pause", "cancel"),
    "running": ("pause", "cancel"),
    "paused": ("resume", "cancel"),
    "done": ("retry",),
    "failed": ("retry",),
    "cancelled": ("retry",),
}

_REPORT: Final[Mapping[str, str]] = {
    "embedded": marked("pictures new or changed"),
    "unchanged": marked("files unchanged"),
    "reused": marked("known by their content"),
    "missing": marked("gone since the last time"),
    "unavailable": marked("out of reach"),
    "excluded": marked("passed over now"),
    "pruned": marked("erased"),
    "refused": marked("could not be read"),
    "not_pictures": marked("not pictures"),
    "cut_short": marked("cut short"),
    "passed_over": marked("passed over"),
    "texts_embedded": marked("captions and phrases learnt"),
    "captioned": marked("pictures captioned"),
    "regions": marked("boxes drawn"),
    "pictures": marked("pictures looked at"),
    "lines": marked("lines of text"),
    "with_text": marked("pictures with text"),
}

REACHES: Final[Mapping[str, str]] = {
    "here": marked("there"),
    "gone": marked("not there: is its drive connected?"),
    "empty": marked("empty now: is its drive connected?"),
    "silent": marked("its drive does not answer"),
    "closed": marked("the server may not read it"),
    "fetched": marked("fetched from a server"),
}

REFUSALS: Final[Mapping[str, str]] = {
    "not_found": marked("The file is not there"),
    "permission_denied": marked("The server may not read the file"),
    "unreadable": marked("The disk does not give the file"),
    "empty": marked("The file is empty"),
    "too_large": marked("The file is too large"),
    "too_many_pixels": marked("The picture has too many pixels"),
    "unsupported_format": marked("The format is not known"),
    "not_an_image": marked("The file is no picture"),
    "corrupt": marked("The file is damaged"),
    "encrypted": marked("The file is encrypted"),
    "timeout": marked("Decoding took too long"),
    "out_of_memory": marked("Decoding needs too much memory"),
    "crashed": marked("Decoding crashed"),
    "quarantined": marked("Workers died over it"),
}


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job as a page lists it.

    Attributes:
        name: of its kind, in words.
        state: in words; `look` is the class that it is shown in.
        step: what it does, in words; empty where it does nothing.
        done: of `total`, which None means is not known.
        offered: what can be asked of it.
    """

    info: JobInfo
    name: str
    state: str
    look: str
    step: str
    done: int
    total: int | None
    per_s: float | None
    left_s: float | None
    offered: tuple[str, ...]


def shown_job(info: JobInfo) -> ShownJob:
    """Say it in the language of the request."""
    look = "lost" if info.lost else info.state
    asked = None if info.lost else _ASKED.get(info.asked or "")
    state = gettext(asked or STATES[look])
    progress: Mapping[str, Any] = (info.progress or {}) if info.state in ("running", "paused") else {}
    stage = str(progress.get("stage") or "")
    offered = _OFFERED[info.state]
    if info.kind == "watch" and info.state == "running":
        offered = ("pause",)  # its own command ends it
    return ShownJob(
        info=info,
        name=named(KINDS, info.kind),
        state=state,
        look=look,
        step=named(_STAGES, stage) if stage else "",
        done=int(progress.get("done") or 0),
        total=progress.get("total"),
        per_s=progress.get("per_s"),
        left_s=progress.get("left_s"),
        offered=tuple(wish for wish in offered if wish != info.asked),
    )


def named(table: Mapping[str, str], key: str) -> str:
    """What a table calls something, in the language of the request; the key itself where it does not know it."""
    return gettext(table[key]) if key in table else key


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a report: a number, and the entries that it counts where they are kept."""

    label: str
    count: int
    entries: tuple[str, ...] = ()


_ENTRIES = 50


def report_lines(report: Mapping[str, Any] | None) -> list[Line]:
    """The numbers of a report that are not 0 and have a name for people; the rest `deixis jobs show` has."""
    lines = []
    for key in _REPORT:
        value = (report or {}).get(key)
        if isinstance(value, list) and value:
            left_out = (report or {}).get(f"{key}_left_out")
            count = len(value) + (left_out if isinstance(left_out, int) else 0)
            entries = tuple(_entry(each) for each in value[:_ENTRIES])
            lines.append(Line(gettext(_REPORT[key]), count, entries))
        elif isinstance(value, int) and not isinstance(value, bool) and value:
            lines.append(Line(gettext(_REPORT[key]), value))
    return lines


def _entry(value: Any) -> str:
    """`path: reason`, as far as the entry has them."""
    if not isinstance(value, dict):
        return str(value)
    parts = [value.get(name) for name in ("path", "reason", "kind")]
    return ": ".join(str(part) for part in parts if part)
