"""Jobs that can be asked for from elsewhere than a command: which kinds, with what, and as the queue keeps them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final

from search.db.images import display_path, path_fault
from search.db.roots import is_below
from search.errors import QueryError
from search.jobs.queue import Queue
from search.library import Library
from search.settings import Settings
from vision.archives.member import ArchiveLimits
from vision.encoders.hub import looks_like_hub_id
from vision.grounding.presets import CAPTIONERS, DEFAULT_CAPTIONER
from vision.images import DecodeLimits
from vision.readers.presets import DEFAULT_READER, READERS
from vision.translation.presets import TRANSLATORS

MAX_FOLDERS = 100
MAX_PATTERNS = 200
MAX_TEXT_CHARS = 4_096

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """A job that is asked for.

    Attributes:
        kind: of `indexer.jobs.kinds`.
        lane: what it writes; None for all of the library.
        arguments: as a command with `--queue` would leave them: the worker reads them, and an interrupted job is known
            by them.
    """

    kind: str
    lane: str | None
    arguments: Arguments

    def queue(self, library: Library, key: str | None = None) -> int:
        """Queue it, once for each key; returns its number.

        Raises:
            SameKeyError: with that key another job was asked for.
        """
        return Queue(library).add(self.kind, self.lane, self.arguments, key)


def wish_of(kind: str, given: Mapping[str, Any], settings: Settings, known: Sequence[str] | None = None) -> Wish:
    """Check what somebody asks for.

    Args:
        kind: one of `WISHES`.
        given: values of JSON by the names that `WISHES` has for this kind; what is None or left out is as usual.
        settings: what pictures may cost, and which encoder is asked for.
        known: folders at or below which whoever asks may name some; models go by their names then. None where any
            folder of the server may be named.

    Raises:
        QueryError: there is no such kind or name, or a value cannot be used; says which.
    """
    if kind not in WISHES:
        raise QueryError(f"There is no job of the kind {kind[:40]!r} to ask for", remedy=f"There are: {_list(WISHES)}.")
    taken = WISHES[kind]
    for name in given:
        if name not in taken:
            raise QueryError(f"A job of the kind {kind} takes no {name[:40]!r}", remedy=f"It takes: {_list(taken)}.")
    if known is not None:  # first: it is not even told what there is elsewhere
        _require_presets(given, settings)
        _require_known(given, known)
    values = {name: check(name, given[name]) for name, check in taken.items() if given.get(name) is not None}
    return _FORMS[kind](values, settings)


def _require_known(values: Mapping[str, Any], known: Sequence[str]) -> None:
    folders = values.get("folders")
    named = [*(folders if isinstance(folders, list | tuple) else ()), values.get("folder")]
    for path in (each for each in named if isinstance(each, str) and "\0" not in each):
        whole = os.path.expanduser(path.strip())
        places = os.path.normpath(whole), os.path.realpath(whole)  # by its words, and where links lead
        if not all(any(is_below(place, root) for root in known) for place in places):
            raise QueryError(
                f"{display_path(path)} is not in a folder of the library",
                remedy="Whoever keeps the library adds new folders: on the server, or with a key of the scope admin.",
            )


def _require_presets(values: Mapping[str, Any], settings: Settings) -> None:
    for name, presets in _MODELS.items():
        value = values.get(name)
        if value is not None and value not in (*presets, settings.captioner if name == "captioner" else None):
            raise QueryError(f"there is no {name} of this name", remedy=f"There are: {_list(presets)}.")


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise QueryError(f"{name} must be true or false")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_TEXT_CHARS or "\0" in value:
        raise QueryError(f"{name} must be a text of 1 to {MAX_TEXT_CHARS} characters")
    return value.strip()


def _detail(name: str, value: Any) -> str:
    if value not in ("brief", "detailed"):
        raise QueryError(f"{name} must be brief or detailed")
    return str(value)


def _precision(name: str, value: Any) -> str:
    if value not in ("float32", "bfloat16", "float16", "int8"):
        raise QueryError(f"{name} must be float32, bfloat16, float16 or int8")
    return str(value)


def _texts(name: str, value: Any, limit: int) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > limit:
        raise QueryError(f"{name} must be a list of at most {limit}")
    return [_text(name, each) for each in value]


def _patterns(name: str, value: Any) -> list[str]:
    return list(dict.fromkeys(_texts(name, value, MAX_PATTERNS)))


def _folders(name: str, value: Any) -> list[str]:
    return list(dict.fromkeys(_folder(name, each) for each in _texts(name, value, MAX_FOLDERS)))


def _folder(name: str, value: Any) -> str:
    """A folder, file or archive that is there; with links resolved, as roots are kept."""
    given = _text(name, value)
    path = os.path.expanduser(given)
    if not os.path.isabs(path):
        remedy = "Begin with / : the server does not stand in a folder of yours."
        raise QueryError(f"{display_path(given)} is no whole path", remedy=remedy)
    fault = path_fault(path)
    if fault is not None:
        raise QueryError(fault.partition(": ")[2], remedy="Name a folder with a shorter path.")
    resolved = os.path.realpath(path)
    if not os.path.lexists(resolved):
        raise QueryError(
            f"{display_path(given)}: no such file or folder on this server",
            remedy="Check the spelling, or connect the drive it lies on. Nothing was removed from the library.",
        )
    if not os.access(resolved, os.R_OK | (os.X_OK if os.path.isdir(resolved) else 0)):
        remedy = "Let the user that runs the server read it."
        raise QueryError(f"{display_path(given)} may not be read by this server", remedy=remedy)
    return resolved


def _model(name: str, value: Any) -> str:
    """A model's name, or its folder as a whole path."""
    given = _text(name, value)
    folder = os.path.expanduser(given)
    return os.path.abspath(folder) if os.path.isdir(folder) else given


def _model_of(presets: Mapping[str, Any], name: str, value: Any) -> str:
    """The same, of a kind of which there are these presets."""
    model = _model(name, value)
    if model not in presets and not os.path.isdir(model) and not looks_like_hub_id(model):
        remedy = f"There are: {_list(presets)}; or name a model's folder on the server."
        raise QueryError(f"there is no {name} {model[:80]!r}", remedy=remedy)
    return model


_MODELS: Final[Mapping[str, Mapping[str, Any]]] = {
    "captioner": CAPTIONERS, "translator": TRANSLATORS, "reader": READERS
}  # fmt: skip
_captioner, _translator, _reader = (functools.partial(_model_of, presets) for presets in _MODELS.values())

Check = Callable[[str, Any], Any]

WISHES: Final[Mapping[str, Mapping[str, Check]]] = MappingProxyType(
    {
        "index": {
            "folders": _folders,
            "exclude": _patterns,
            "include": _patterns,
            "follow_links": _flag,
            "archives": _flag,
            "clear_rules": _flag,
            "rescan": _flag,
            "retry_refused": _flag,
            "prune": _flag,
        },
        "caption": {
            "captioner": _captioner,
            "detail": _detail,
            "language": _text,
            "translator": _translator,
            "precision": _precision,
            "retry_refused": _flag,
        },
        "read": {"reader": _reader, "folder": _folder, "thorough": _flag, "retry_refused": _flag},
        "rebuild": {"compact": _flag},
    }
)
"""What can be asked for: kinds, and what each takes. Exports are not among them: they write where they are told to."""

LISTS: Final = frozenset({"folders", "exclude", "include"})
"""Names whose values are lists of texts."""

FLAGS: Final = frozenset(name for known in WISHES.values() for name, check in known.items() if check is _flag)
"""Names whose values are true or false."""


def _index(values: Arguments, settings: Settings) -> Wish:
    options = _decoding(settings) | _without_false(values, "rescan", "retry_refused", "prune")
    rules = {name: values[name] for name in ("exclude", "include", "follow_links", "archives") if values.get(name)}
    rules |= {name: values[name] for name in ("follow_links", "archives") if values.get(name) is False}
    if values.get("clear_rules"):
        rules["clear"] = True
    archives = _changed(settings.archive_limits, ArchiveLimits())
    options |= {name: what for name, what in (("rules", rules), ("archives", archives)) if what}
    fetched_bytes = min(settings.url_max_bytes, settings.max_file_bytes)
    fetching = {"max_bytes": fetched_bytes} if fetched_bytes != 64 * 1024 * 1024 else {}
    if fetching:
        options["fetching"] = fetching
    arguments = {"paths": values.get("folders", []), "options": options, "encoder": _encoder(settings)}
    return Wish("index", None if values.get("prune") else "pictures", arguments)


def _caption(values: Arguments, settings: Settings) -> Wish:
    options = _decoding(settings, usual=1) | _without_false(values, "retry_refused")
    if values.get("detail", "brief") != "brief":
        options["detail"] = values["detail"]
    if "language" in values:
        options["language"] = values["language"]
    captioner = values.get("captioner") or _model("captioner", settings.captioner or DEFAULT_CAPTIONER)
    arguments: Arguments = {"captioner": captioner, "options": options, "encoder": _encoder(settings)}
    if "translator" in values:
        arguments["translator"] = values["translator"]
    if values.get("precision", "float32") != "float32":
        arguments["precision"] = values["precision"]
    return Wish("caption", "captions", arguments)


def _read(values: Arguments, settings: Settings) -> Wish:
    options = _decoding(settings, usual=1) | _without_false(values, "retry_refused")
    if "folder" in values:
        options["folder"] = values["folder"]
    reader = values.get("reader") or DEFAULT_READER
    arguments: Arguments = {"reader": reader, "options": options, "encoder": _encoder(settings)}
    return Wish("read", "reading", arguments | _without_false(values, "thorough"))


def _rebuild(values: Arguments, settings: Settings) -> Wish:
    return Wish("rebuild", None, _without_false(values, "compact"))


_FORMS: Final = {"index": _index, "caption": _caption, "read": _read, "rebuild": _rebuild}


def _without_false(values: Arguments, *names: str) -> Arguments:
    return {name: True for name in names if values.get(name)}


def _decoding(settings: Settings, usual: int = 2) -> Arguments:
    """What decoding may cost, so far as it is not as usual: so forms are kept, and equal jobs are equal."""
    limits = DecodeLimits(
        max_file_bytes=settings.max_file_bytes,
        max_pixels=settings.max_pixels,
        max_expansion=settings.max_expansion,
        timeout_s=settings.decode_timeout_s,
        memory_bytes=settings.decode_memory_bytes,
    )
    changed = _changed(limits, DecodeLimits())
    decoding: Arguments = {} if settings.decoders == usual else {"decode_workers": settings.decoders}
    return decoding | ({"limits": changed} if changed else {})


def _changed(limits: DecodeLimits | ArchiveLimits, usual: DecodeLimits | ArchiveLimits) -> Arguments:
    names = [each.name for each in fields(limits)]
    return {name: getattr(limits, name) for name in names if getattr(limits, name) != getattr(usual, name)}


def _encoder(settings: Settings) -> Arguments:
    cores = settings.compute_threads
    model = None if settings.model is None else _model("model", settings.model)
    asked = {"model": model, "backend": settings.backend, "precision": settings.precision}
    return {name: value for name, value in asked.items() if value is not None} | (
        {} if cores == 1 else {"threads": cores, "lanes": cores}
    )
