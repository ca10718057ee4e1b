"""The flags that `index` alone takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from deixis.lazy import ADVANCED

RetryRefused = Annotated[bool, typer.Option("--retry-refused", help="Try refused files again.")]
ReplaceModel = Annotated[bool, typer.Option("--replace-model", help="Embed everything again with another model.")]
Prune = Annotated[bool, typer.Option("--prune", help="Erase what is gone or out of reach.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="List every file that was left out.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="Pass over what fits this gitignore pattern; repeatable, remembered."),
]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", help="Look at what fits, whatever else says no; repeatable, remembered."),
]
FollowLinks = Annotated[
    bool | None,
    typer.Option(
        "--follow-links/--no-follow-links",
        help="Go through links to folders; remembered.",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]
Archives = Annotated[
    bool | None,
    typer.Option(
        "--archives/--no-archives",
        help="Open zip and tar archives in these folders; remembered.",
        show_default=False,
    ),
]
FromList = Annotated[
    str | None,
    typer.Option(
        "--from-list",
        metavar="FILE",
        help="Also the paths of this file, one a line; - for standard input.",
        show_default=False,
    ),
]
Nul = Annotated[
    bool,
    typer.Option("-0", "--null", help="NUL stands between the paths of --from-list.", rich_help_panel=ADVANCED),
]
FromUrls = Annotated[
    str | None,
    typer.Option(
        "--from-urls",
        metavar="FILE",
        help="Fetch the pictures at the URLs of this file, one a line; needs DEIXIS_FETCH_URLS=1.",
        show_default=False,
    ),
]
ClearRules = Annotated[
    bool,
    typer.Option("--clear-rules", help="Forget first what was remembered of these folders.", rich_help_panel=ADVANCED),
]
Rescan = Annotated[
    bool, typer.Option("--rescan", help="Look at the bytes of every file, changed or not.", rich_help_panel=ADVANCED)
]


class Looks(StrEnum):
    """What `--patches` says."""

    PARTS = "parts"
    WHOLE = "whole"
    NONE = "none"


Patches = Annotated[
    Looks | None,
    typer.Option(
        "--patches",
        help="Keep patch vectors: better answers without captions, boxes for them. Remembered.",
        show_default=False,
    ),
]
