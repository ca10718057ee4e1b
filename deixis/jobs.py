"""How a command runs its job: here with a progress bar, or by a worker later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from deixis.output import err, out, print_json
from deixis.progress import progress_bar
from indexer.jobs.desk import Desk
from indexer.jobs.kinds import JobForm, arguments_of
from indexer.jobs.running import run_here
from search.encoder import EncoderWish
from search.jobs.queue import Queue
from search.library import Library
from search.settings import Settings

Queued = Annotated[bool, typer.Option("--queue", help="Leave it to a `deixis worker`, and return at once.")]


def run_job(library: Library, form: JobForm, *, queue: bool, json: bool, quiet: bool) -> Any:
    """Run a job here, and return its report; or leave it to a worker, say under which number, and return None."""
    if queue:
        _queue_job(library, form, json=json)
        return None
    with progress_bar(quiet=quiet or json) as on_progress:
        return run_here(library, form, Desk(on_progress, err().print))


def _queue_job(library: Library, form: JobForm, *, json: bool) -> None:
    number = Queue(library).add(form.KIND, form.lane, arguments_of(form))
    if json:
        print_json({"job": number})
    else:
        out().print(f"job {number} is queued; `deixis worker` runs it, `deixis jobs show {number}` tells how far it is")


def encoder_wish(settings: Settings) -> EncoderWish:
    """The encoder that the settings ask for, so that it is found from any folder."""
    wish = EncoderWish.of(settings, bulk=True)
    return replace(wish, model=None if wish.model is None else from_anywhere(wish.model))


def from_anywhere(model: str) -> str:
    """A model's name, or its folder as an absolute path."""
    folder = Path(model).expanduser()
    return str(folder.absolute()) if folder.is_dir() else model
