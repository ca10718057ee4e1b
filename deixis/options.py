"""The flags that several commands share: one name, one spelling, one meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deixis.lazy import ADVANCED


def complete_encoder(incomplete: str) -> list[tuple[str, str]]:
    """Presets of encoders, for the shell's Tab key."""
    from vision.encoders.builtin import BUILT_IN  # noqa: PLC0415  # only a shell that completes needs it
    from vision.encoders.presets import PRESETS  # noqa: PLC0415  # as above

    presets = [(one.name, one.note) for one in PRESETS.values()]
    built_in = [(one.name, one.note) for one in BUILT_IN.values()]
    return _beginning(incomplete, [*presets, *built_in, ("colour", "built in: colours only")])


def complete_captioner(incomplete: str) -> list[tuple[str, str]]:
    """Presets of captioners, for the shell's Tab key."""
    from vision.grounding.presets import CAPTIONERS  # noqa: PLC0415  # as above

    return _beginning(incomplete, [(one.name, one.note) for one in CAPTIONERS.values()])


def complete_translator(incomplete: str) -> list[tuple[str, str]]:
    """Presets of translators, for the shell's Tab key."""
    from vision.translation.presets import TRANSLATORS  # noqa: PLC0415  # as above

    return _beginning(incomplete, [(one.name, one.note) for one in TRANSLATORS.values()])


def complete_reader(incomplete: str) -> list[tuple[str, str]]:
    """Presets of readers, for the shell's Tab key."""
    from vision.readers.presets import READERS  # noqa: PLC0415  # as above

    return _beginning(incomplete, [(one.name, one.note) for one in READERS.values()])


def complete_model(incomplete: str) -> list[tuple[str, str]]:
    """Presets of every kind, for the shell's Tab key."""
    return [*complete_encoder(incomplete), *complete_captioner(incomplete), *complete_translator(incomplete)]


def complete_download(incomplete: str) -> list[tuple[str, str]]:
    """Presets that can be downloaded, for the shell's Tab key."""
    from vision.encoders.presets import PRESETS  # noqa: PLC0415  # as above
    from vision.grounding.presets import CAPTIONERS  # noqa: PLC0415  # as above
    from vision.translation.presets import TRANSLATORS  # noqa: PLC0415  # as above

    encoders = [(one.name, one.note) for one in PRESETS.values()]
    captioners = [(one.name, one.note) for one in CAPTIONERS.values() if one.hub_id]
    translators = [(one.name, one.note) for one in TRANSLATORS.values()]
    return _beginning(incomplete, [*encoders, *captioners, *translators])


def _beginning(incomplete: str, rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [row for row in rows if row[0].startswith(incomplete)]


Home = Annotated[
    Path | None,
    typer.Option("--home", help="Where the library lives (DEIXIS_HOME).", show_default=False, rich_help_panel=ADVANCED),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="Postgres instead of SQLite (DEIXIS_DATABASE_URL).",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Preset, folder or cached hub id of the encoder (DEIXIS_MODEL).",
        show_default=False,
        autocompletion=complete_encoder,
    ),
]
LibraryModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Where the library's encoder lies, if not where it was (DEIXIS_MODEL).",
        show_default=False,
        autocompletion=complete_encoder,
        rich_help_panel=ADVANCED,
    ),
]
CaptionerName = Annotated[
    str | None,
    typer.Option(
        "--captioner",
        help="Preset, folder or cached hub id (DEIXIS_CAPTIONER).",
        show_default=False,
        autocompletion=complete_captioner,
    ),
]
TranslatorName = Annotated[
    str | None,
    typer.Option(
        "--translator",
        help="For languages that the captioner does not write: m2m100, or a folder.",
        show_default=False,
        autocompletion=complete_translator,
    ),
]
BackendName = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="transformers, onnx, openvino, or auto: the fastest faithful one (DEIXIS_BACKEND).",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]
PrecisionName = Annotated[
    str | None,
    typer.Option(
        "--precision",
        help="float32, bfloat16, float16 or int8 (DEIXIS_PRECISION).",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=0,
        help="Compute threads; 0 for one per core (DEIXIS_THREADS).",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        min=1,
        max=4096,
        help="Pictures at once; what the memory allows if left out.",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]
Language = Annotated[
    str | None,
    typer.Option("--language", help="ISO 639-1 code; the captioner's first language if left out.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]
TOP = ("-k", "--top")
"""How many to show, wherever a command ranks."""
