"""The flags of measurements on drawn test scenes."""

from __future__ import annotations

from typing import Annotated

import typer

from deixis.lazy import ADVANCED
from deixis.options import complete_captioner, complete_encoder

DrawnScenes = Annotated[int, typer.Option("--scenes", min=20, max=9_999, help="Drawn test scenes.")]
DrawnFirst = Annotated[int, typer.Option("--first", min=0, max=9_980, help="Seed of the first scene.")]
DrawnLanguages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Of the queries: en, de, fr, es, zh or uk; may be given again.", show_default="en"),
]
PerKind = Annotated[
    int, typer.Option("--per-kind", min=1, help="Facts asked for of each kind, at most.", rich_help_panel=ADVANCED)
]
DrawnModel = Annotated[str, typer.Option("--model", help="Encoder to measure.", autocompletion=complete_encoder)]
DrawnCaptioner = Annotated[
    str, typer.Option("--captioner", help="Writes captions and boxes.", autocompletion=complete_captioner)
]
Patches = Annotated[bool, typer.Option("--patches", help="Measure with kept patches as well (`index --patches`).")]
