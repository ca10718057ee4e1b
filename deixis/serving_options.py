"""The flags of what others may ask of: who may, and what answers."""

from __future__ import annotations

from typing import Annotated

import typer

from deixis.lazy import ADVANCED
from deixis.options import complete_captioner

AllowedHosts = Annotated[
    str | None,
    typer.Option("--allowed-hosts", help="Names by which browsers reach this server (DEIXIS_ALLOWED_HOSTS)."),
]
Open = Annotated[bool, typer.Option("--open", help="Let whoever reaches it search without a key (DEIXIS_OPEN).")]
TrustedProxies = Annotated[
    str | None,
    typer.Option(
        "--trusted-proxies",
        help="Networks whose X-Forwarded-* headers are believed (DEIXIS_TRUSTED_PROXIES).",
        rich_help_panel=ADVANCED,
    ),
]
TrustedUserHeader = Annotated[
    str | None,
    typer.Option(
        "--trusted-user-header",
        help="Header in which they name whom they let in (DEIXIS_TRUSTED_USER_HEADER).",
        rich_help_panel=ADVANCED,
    ),
]
RootPath = Annotated[
    str | None,
    typer.Option(
        "--root-path",
        help="Where a proxy has put this server: /pictures (DEIXIS_ROOT_PATH).",
        rich_help_panel=ADVANCED,
    ),
]
CorsOrigins = Annotated[
    str | None,
    typer.Option("--cors-origins", help="Other pages that may ask (DEIXIS_CORS_ORIGINS).", rich_help_panel=ADVANCED),
]
AnsweringCaptioner = Annotated[
    str | None,
    typer.Option(
        "--captioner",
        help="Answers questions about a picture (DEIXIS_CAPTIONER).",
        show_default=False,
        autocompletion=complete_captioner,
    ),
]

Workers = Annotated[
    int | None, typer.Option("--workers", help="Processes that answer, each with the model (DEIXIS_WORKERS).")
]

LogLevel = Annotated[
    str | None,
    typer.Option("--log-level", help="debug, info (a line for every request), warning … (DEIXIS_LOG_LEVEL)."),
]

LogFormat = Annotated[str | None, typer.Option("--log-format", help="text or json (DEIXIS_LOG_FORMAT).")]

Watch = Annotated[bool, typer.Option("--watch", help="Keep the library up to date, in a `deixis watch` beside.")]
