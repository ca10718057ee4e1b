"""The fastest backend that is still faithful on this machine: measured once per model and machine, then remembered."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from vision.encoders.backends import Backend, available_backends
from vision.encoders.comparing import Measured, Sample, compare, take_sample
from vision.encoders.registry import find_model, load_encoder
from vision.errors import ModelError
from vision.machine import machine_line
from vision.whole_files import write_whole

WORST_COSINE = 0.999
"""A backend is faithful if no built-in picture or text moves further from its float32 embedding than this."""

WORTH_CHOOSING_BYTES = 256 << 20
"""Models with at least so many bytes of weights gain more from a choice than its measurement costs."""

_LOG = logging.getLogger(__name__)
# What is less than this much faster is no reason to leave float32.
_WORTH_LEAVING = 1.1
_RUNTIMES = ("torch", "transformers", "onnxruntime", "openvino")


@dataclass(frozen=True, slots=True)
class Choice:
    """What to compute with.

    Attributes:
        backend: its name, for `load_encoder`.
        measured: every candidate, the float32 reference first.
        refused: candidates that could not be loaded, each with its reason.
        machine: where it was measured.
        remembered: whether an earlier measurement was used.
    """

    backend: str
    measured: tuple[Measured, ...]
    refused: tuple[str, ...]
    machine: str
    remembered: bool = False

    def __str__(self) -> str:
        chosen = next(one for one in self.measured if one.backend == self.backend)
        if chosen is self.measured[0]:
            said = f"{self.backend} chosen: nothing faster is as faithful"
        else:
            said = (
                f"{self.backend} chosen: {chosen.speed:.1f}× the speed of {self.measured[0].backend} in float32, "
                f"worst cosine to it {chosen.worst_cosine:.4f}"
            )
        return f"{said} ({'measured earlier' if self.remembered else 'measured now'} on {self.machine})"


def worth_choosing(model: str) -> bool:
    """Whether a model is so large that measuring its backends pays.

    Raises:
        ModelMissingError: it is not on this machine.
    """
    folder = find_model(model).folder
    weights = [*folder.glob("*.safetensors"), *(folder / "onnx").glob("*_model.onnx*")]
    return sum(path.stat().st_size for path in weights) >= WORTH_CHOOSING_BYTES


def choose_backend(model: str, *, threads: int | None = None, notes: Path | None = None) -> Choice:
    """Measure every backend and precision that a model's folder offers here, and take the fastest faithful one.

    Candidates are loaded one after the other and embed eight pictures and twelve texts that come with the code. On a
    CPU float16 is no candidate: what bfloat16 or 8 bits gain there, it loses.

    Args:
        model: as for `load_encoder`, with a folder.
        threads: CPU cores; None for every core that this process may use.
        notes: where choices are remembered; None for the user's cache folder.

    Raises:
        ModelMissingError: it is not on this machine.
        ModelError: not even its float32 reference can be loaded.
    """
    folder = find_model(model).folder
    candidates = [str(backend) for backend in available_backends(folder) if _sensible(backend)]
    machine = machine_line(threads)
    note = (notes or Path(platformdirs.user_cache_dir("deixis")) / "choices") / _key(folder, candidates, machine)
    return _recall(note, candidates) or _measure(model, candidates, threads, machine, note)


def fastest_faithful(measured: Sequence[Measured]) -> str:
    """The name of the fastest whose worst cosine is at least `WORST_COSINE`, in favour of the reference.

    Args:
        measured: the float32 reference first.
    """
    reference, *others = measured
    faithful = [one for one in others if one.worst_cosine >= WORST_COSINE and one.speed >= _WORTH_LEAVING]
    return max(faithful, key=lambda one: one.speed, default=reference).backend


def _sensible(backend: Backend) -> bool:
    if backend.precision != "float16":
        return True
    if backend.kind != "transformers":
        return False
    import torch  # noqa: PLC0415  # takes seconds, and the candidates will load it anyway

    return bool(torch.cuda.is_available())


def _measure(model: str, candidates: list[str], threads: int | None, machine: str, note: Path) -> Choice:
    if not candidates:
        load_encoder(model, threads=threads)  # says what is missing
    measured: list[Measured] = []
    refused: list[str] = []
    reference: Sample | None = None
    for name in candidates:
        try:
            sample = take_sample(load_encoder(model, threads=threads, backend=name))
        except ModelError as error:
            if reference is None:
                raise
            refused.append(f"{name}: {error}")
            continue
        reference = reference or sample
        measured.append(compare(name, sample, reference))
    choice = Choice(fastest_faithful(measured), tuple(measured), tuple(refused), machine)
    _remember(note, choice)
    return choice


def _key(folder: Path, candidates: list[str], machine: str) -> str:
    """What makes a choice another one: the model's files, the machine, the runtimes and their versions."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    versions = [importlib.metadata.version(name) for name in _RUNTIMES if importlib.util.find_spec(name) is not None]
    facts = repr((os.path.realpath(folder), stamps, candidates, machine, versions, WORST_COSINE))
    return f"{hashlib.sha256(facts.encode()).hexdigest()}.json"


def _recall(note: Path, candidates: list[str]) -> Choice | None:
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
        measured = tuple(Measured(**one) for one in kept["measured"])
        choice = Choice(kept["backend"], measured, tuple(kept["refused"]), kept["machine"], remembered=True)
    except (OSError, ValueError, KeyError, TypeError):  # never measured, or a damaged note: measure now
        return None
    known = choice.backend in candidates and choice.backend in {one.backend for one in measured}
    return choice if known else None


def _remember(note: Path, choice: Choice) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, json.dumps(asdict(choice), indent=2), lasting=False)
    except OSError as error:
        _LOG.warning("cannot remember the choice of a backend, so it is measured again next time: %s", error)
