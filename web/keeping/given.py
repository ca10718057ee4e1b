"""What the fields of a form ask a job for."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData

from search.jobs.wishes import FLAGS, LISTS, WISHES


def given_of(kind: str, form: FormData) -> dict[str, Any]:
    """What a form says, as JSON would say it: a line of a list for each entry, a ticked box is true."""
    given: dict[str, Any] = {}
    for name in WISHES.get(kind, {}):
        value = form.get(name)
        if not isinstance(value, str) or not value.strip():
            continue
        if name in LISTS:
            given[name] = [line.strip() for line in value.splitlines() if line.strip()]
        else:
            given[name] = True if name in FLAGS else value.strip()
    return given
