"""What `deixis doctor` looks at: one function for each thing, none of which may fail itself."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deixis.doctor_library import examine_library
from deixis.finding import WRONG, Check, ok, warn, wrong
from search.errors import SettingsError
from search.settings import Settings, load_settings
from vision.errors import DeixisError
from web.version import VERSION

_RUNTIMES = (
    ("torch", "torch", True),
    ("transformers", "transformers", True),
    ("onnxruntime", "onnxruntime", True),
    ("faiss", "faiss-cpu", True),
    ("openvino", "openvino", False),
)
_LEAST_FREE_DISK_BYTES = 1 << 30
_LEAST_FREE_MEMORY_BYTES = 1 << 30
# What makes the smaller precisions fast, as Linux calls it; the first of a row that is there is named.
_FAST = {
    "int8": ("amx_int8", "avx512_vnni", "avx_vnni", "asimddp", "i8mm"),
    "bfloat16": ("amx_bf16", "avx512_bf16", "bf16"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was given on the command line."""

    home: Path | None
    database_url: str | None
    thorough: bool


def examine(asked: Asked) -> list[Check]:
    """Everything, in the order to show it; an error of ours in one check is that check's finding."""
    settings, checks = _settings(asked)
    for name, look in _LOOKS:
        checks += _safely(name, look)
    if settings is not None:
        checks += _safely("home", lambda: _home(settings))
        checks += _safely("library", lambda: examine_library(settings, thorough=asked.thorough))
        checks += _safely("limits", lambda: _limits(settings))
    return checks


def is_wrong(checks: list[Check]) -> bool:
    """Whether something is wrong, and not only worth knowing."""
    return any(check.state == WRONG for check in checks)


def _safely(name: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    found: list[Check] = []
    try:
        for check in look():
            found.append(check)
    except DeixisError as error:
        found.append(wrong(name, error.args[0], error.remedy))
    except Exception as error:  # a doctor who faints helps nobody
        found.append(wrong(name, f"could not be looked at: {type(error).__name__}: {error}", "Please report this."))
    return found


def _settings(asked: Asked) -> tuple[Settings | None, list[Check]]:
    try:
        settings = load_settings(os.environ, home=asked.home, database_url=asked.database_url)
    except SettingsError as error:
        return None, [wrong("settings", error.args[0], error.remedy)]
    given = sorted(name for name in os.environ if name.startswith("DEIXIS_"))
    return settings, [ok("settings", ", ".join(given) or "no DEIXIS_ variable is set")]


def _versions() -> Iterator[Check]:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield ok("versions", f"deixis {VERSION}, {python}")
    from deixis.versions import REMEDY, outside_tested_range  # noqa: PLC0415  # inside, so that its failure is a finding

    for said in outside_tested_range():
        yield wrong("dependencies", str(said), REMEDY)


def _backends() -> Iterator[Check]:
    here, absent = [], []
    for name, package, needed in _RUNTIMES:
        try:
            here.append(f"{name} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            if needed:
                absent.append(package)
    yield ok("backends", ", ".join(here) or "none")
    if absent:
        yield wrong("backends", f"{', '.join(absent)} is not installed", "Install Deixis again: pip install .")


def _processor() -> Iterator[Check]:
    from vision.machine import machine_line, processor_flags  # noqa: PLC0415  # as above

    flags = processor_flags()
    if not flags:
        yield ok("processor", f"{machine_line()}; its features cannot be told on this system")
        return
    vectors = next((name for name in ("avx512f", "avx2", "avx", "asimd") if name in flags), "no vector instructions")
    said = [f"{machine_line()}, {vectors}"]
    for precision, names in _FAST.items():
        fast = next((name for name in names if name in flags), None)
        said.append(f"{precision} fast ({fast})" if fast else f"{precision} has no instructions of its own")
    yield ok("processor", "; ".join(said))


def _memory() -> Iterator[Check]:
    from vision.memory import HOST_MEMORY  # noqa: PLC0415  # as above

    free = HOST_MEMORY.free_bytes()
    said = f"{free / 1e9:.1f} GB free"
    if free < _LEAST_FREE_MEMORY_BYTES:
        yield warn("memory", said, "Close other programs, or take a smaller model (`deixis models list`).")
    else:
        yield ok("memory", said)


def _home(settings: Settings) -> Iterator[Check]:
    home = settings.home
    place = home
    while not place.exists() and place != place.parent:
        place = place.parent
    if home.exists() and not home.is_dir():
        yield wrong("home", f"{home} is no folder", "Choose another with --home (DEIXIS_HOME).")
        return
    free = shutil.disk_usage(place).free
    said = f"{home}{'' if home.exists() else ' (not made yet)'}, {free / 1e9:.1f} GB free"
    if not os.access(place, os.W_OK | os.X_OK):
        yield warn("home", f"{said}; it cannot be written", "It can be searched; to index, make it writable.")
    elif free < _LEAST_FREE_DISK_BYTES:
        yield warn("home", said, "Free some space: indexing needs about 60 kB a picture, most of it previews.")
    else:
        yield ok("home", said)


def _limits(settings: Settings) -> Iterator[Check]:
    yield ok(
        "limits",
        f"{settings.compute_threads} compute threads, {settings.decoders} decoders; a picture may have "
        f"{settings.max_pixels / 1e6:.0f} megapixels, {settings.max_file_bytes / 1e6:.0f} MB, and take "
        f"{settings.decode_timeout_s:g} s and {settings.decode_memory_bytes / 1e9:.1f} GB",
    )


_LOOKS: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
    ("versions", _versions),
    ("backends", _backends),
    ("processor", _processor),
    ("memory", _memory),
)
