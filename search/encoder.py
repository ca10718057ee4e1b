"""Which encoder a library has: one rule for every command and for the server. A wish is obeyed or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search.db.schema import Model
from search.errors import LibraryEmptyError, ModelMismatchError, SettingsError
from search.library import Library
from search.settings import Settings
from vision.encoders.backends import available_backends, parse_backend, satisfies
from vision.encoders.base import Encoder
from vision.encoders.builtin import BUILT_IN
from vision.encoders.folders import folder_named
from vision.encoders.presets import PRESETS
from vision.encoders.registry import find_model, is_model_at, load_encoder
from vision.errors import ModelError, ModelMissingError

DEFAULT_MODEL = "siglip2-base"
"""For a new library when neither flag nor setting names a model: the best that two CPU cores carry."""

AUTO = "auto"
"""The backend's name that asks for the fastest faithful one."""

Say = Callable[[str], None]
"""Told in one line what was chosen, and what is being measured."""


@dataclass(frozen=True, slots=True)
class EncoderWish:
    """What somebody asks for; None leaves it to the library.

    Attributes:
        model: preset, folder or cached hub id.
        backend: `transformers`, `onnx`, `openvino`, with or without a precision, or `auto`.
        precision: `float32`, `bfloat16`, `float16` or `int8`.
        threads: compute threads.
        lanes: as for `load_encoder`.
    """

    model: str | None = None
    backend: str | None = None
    precision: str | None = None
    threads: int = 1
    lanes: int = 1

    @classmethod
    def of(cls, settings: Settings, *, bulk: bool = False) -> EncoderWish:
        """What the settings ask for; in `bulk`, batches run side by side, one a core."""
        threads = settings.compute_threads
        return cls(settings.model, settings.backend, settings.precision, threads, threads if bulk else 1)


def own_encoder(library: Library, wish: EncoderWish) -> Encoder:
    """The encoder of a library that has one, checked against its vectors.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        ModelMismatchError: what is asked for is not what made the library's vectors.
        ModelMissingError: the encoder is not on this machine any more; the remedy says how to go on.
        ModelError: it is here and cannot be used.
    """
    encoder = open_bound(bound_row(library), wish)
    with library.read() as session:
        library.check_model(session, encoder.facts)
    return encoder


def encoder_to_index(library: Library, wish: EncoderWish, *, afresh: bool = False, say: Say | None = None) -> Encoder:
    """The encoder to index with: the library's own, or for a new library the one asked for.

    Args:
        library: where it is to be used.
        wish: what is asked for.
        afresh: whether the library's vectors are about to be replaced, so that nothing binds the choice.
        say: told what was chosen.

    Raises:
        ModelMismatchError: as `own_encoder`, unless `afresh`.
        ModelError: it cannot be loaded, or not in this backend and precision.
    """
    active = active_row(library)
    if active is None:
        return new_encoder(wish, wish.model or DEFAULT_MODEL, lasting=True, say=say)
    unchanged = (wish.backend, wish.precision) == (None, None) and (wish.model is None or _is_own(wish.model, active))
    if afresh and not unchanged:
        return new_encoder(wish, wish.model or where_encoder_lies(active), lasting=True, say=say)
    return own_encoder(library, wish)


def encoder_without_library(wish: EncoderWish, library: Library | None) -> Encoder:
    """The encoder for a command that needs no library: the one that is named; else the library's own; else the default.

    Args:
        wish: what is asked for; a model that is not the library's is loaded as it is.
        library: None where there is none.

    Raises:
        ModelMismatchError: no other model is named, and the library's own has another backend or precision.
        ModelError: it cannot be loaded.
    """
    active = active_row(library) if library is not None else None
    if library is not None and active is not None and (wish.model is None or _is_own(wish.model, active)):
        return own_encoder(library, wish)
    return new_encoder(wish, wish.model or DEFAULT_MODEL, lasting=False)


def open_bound(active: Model, wish: EncoderWish) -> Encoder:
    """Load what a library is bound to; the caller checks its identity.

    Args:
        active: the library's model.
        wish: another place to load from; backend and precision that must be the library's.

    Raises:
        ModelMismatchError: another backend or precision is asked for.
        ModelError: it cannot be loaded.
    """
    _check_wish(active, wish)
    if wish.model is None or _is_own(wish.model, active):
        return load_encoder(where_encoder_lies(active), threads=wish.threads, lanes=wish.lanes, backend=active.backend)
    if wish.model == "colour" or active.backend == "colour":
        return load_encoder(wish.model, threads=wish.threads, lanes=wish.lanes)
    # A copy of the library's model elsewhere is loaded as the library was made; any other is about to be refused.
    offered = [str(backend) for backend in available_backends(find_model(wish.model).folder)]
    backend = active.backend if active.backend in offered else None
    return load_encoder(wish.model, threads=wish.threads, lanes=wish.lanes, backend=backend)


def new_encoder(wish: EncoderWish, model: str, *, lasting: bool, say: Say | None = None) -> Encoder:
    """An encoder that no library binds: as asked for; else, where it is to last and is large, the fastest faithful.

    Raises:
        SettingsError: `auto` and a precision contradict each other.
        ModelError: it cannot be loaded, or not in this backend and precision.
    """
    _check_auto(wish)
    backend = wish.backend
    if model == "colour":
        backend = None if backend == AUTO else backend
    elif backend == AUTO or ((backend, wish.precision) == (None, None) and lasting):
        backend = _chosen(model, wish.threads, asked=backend == AUTO, say=say)
    return load_encoder(model, threads=wish.threads, lanes=wish.lanes, backend=backend, precision=wish.precision)


def active_row(library: Library) -> Model | None:
    """The library's model as a row that outlives its session; None before the first `index`."""
    with library.read() as session:
        active = library.active_model(session)
        if active is not None:
            session.expunge(active)
    return active


def bound_row(library: Library) -> Model:
    """The model that answers queries; raises `LibraryEmptyError` before the first `index`."""
    model = active_row(library)
    if model is None:
        raise nothing_indexed()
    return model


def nothing_indexed() -> LibraryEmptyError:
    """The error of a library that has no encoder yet."""
    return LibraryEmptyError("nothing has been indexed yet", remedy="Index a folder first: deixis index ~/Pictures")


def _chosen(model: str, threads: int, *, asked: bool, say: Say | None) -> str | None:
    from vision.encoders.choosing import choose_backend, worth_choosing  # noqa: PLC0415  # only where one is chosen

    if not asked and not worth_choosing(model):
        return None
    tell = say or (lambda line: None)
    choice = choose_backend(model, threads=threads, progress=lambda line: tell(f"{model}: {line}"))
    tell(f"{model}: {choice}; --backend transformers insists on float32")
    return choice.backend


def _check_auto(wish: EncoderWish) -> None:
    if wish.backend == AUTO and wish.precision is not None:
        raise SettingsError(
            f"--backend {AUTO} chooses the precision too", remedy="Leave --precision away, or name a backend."
        )


def _check_wish(active: Model, wish: EncoderWish) -> None:
    """Refuse another backend or precision before anything is loaded."""
    _check_auto(wish)
    backend = None if wish.backend == AUTO else wish.backend
    if active.backend == "colour":
        agrees = backend in (None, "colour") and wish.precision in (None, "float32")
    else:
        agrees = backend != "colour" and satisfies(parse_backend(active.backend), backend, wish.precision)
    if not agrees:
        asked = " in ".join(part for part in (backend, wish.precision) if part)
        raise ModelMismatchError(
            f"The library was made with {active.name} in backend {active.backend}, and {asked} is asked for",
            remedy="Leave --backend and --precision (DEIXIS_BACKEND, DEIXIS_PRECISION) away, or embed everything again "
            "that way: deixis index --replace-model",
        )


def _is_own(model: str, active: Model) -> bool:
    return model == active.name or is_model_at(model, active.location)


def where_encoder_lies(active: Model) -> str:
    """Where to load the library's encoder from: where it was, or where a preset of its name lies now.

    Raises:
        ModelMissingError: neither is there.
    """
    if active.backend == "colour" or folder_named(active.location)[1] == "folder":
        return active.location
    if active.name in BUILT_IN or active.name in PRESETS:
        try:
            return str(find_model(active.name).folder)
        except ModelError:
            pass  # the message below says how to bring it
    pulled = f"Download it again: deixis models pull {active.name}\nOr, where" if active.name in PRESETS else "Where"
    raise ModelMissingError(
        f"the library's encoder {active.name} was in {active.location}, and is not there any more",
        remedy=f"{pulled} it lies elsewhere now, say so once: deixis models locate library FOLDER",
    )


def move_own_encoder(library: Library, folder: Path, *, threads: int = 1) -> str:
    """Let the library look for its encoder in another folder, once the one there has proved to be the same.

    Returns:
        What the encoder is called.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        ModelMismatchError: another encoder lies there.
        ModelError: what lies there cannot be loaded.
    """
    active = active_row(library)
    if active is None:
        raise nothing_indexed()
    encoder = open_bound(active, EncoderWish(model=str(folder), threads=threads))
    with library.write() as session:
        library.check_model(session, encoder.facts).location = encoder.facts.location
    return active.name
