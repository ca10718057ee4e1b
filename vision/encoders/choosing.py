"""The fastest backend that is still faithful on this machine: measured once per model and machine, then remembered."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from vision.encoders.backends import Backend, available_backends
from vision.encoders.comparing import Measured, Sample, compare, glance, quick_sample
from vision.encoders.registry import find_model, load_encoder
from vision.errors import ModelError
from vision.lanes import usable_cores
from vision.machine import machine_line
from vision.whole_files import write_whole

WORST_COSINE = 0.999
"""A backend is faithful if no built-in picture or text moves further from its float32 embedding than this."""

WORTH_CHOOSING_BYTES = 256 << 20
"""Models with at least so many bytes of weights gain more from a choice than its measurement costs."""

BUDGET_S = 40.0
"""No further candidate is begun that would not be done within so many seconds, or twice what the reference took."""

Progress = Callable[[str], None]

_LOG = logging.getLogger(__name__)
# What is less than this much faster is no reason to leave float32.
_WORTH_LEAVING = 1.1
# One layer tells less than a model: what loses no more than this may still win.
_LAYER_ERROR = 0.9
# Two pictures are timed less exactly than eight: what looks a little slower may still turn out faster.
_GLANCE_ERROR = 1.3
# A model that takes longer than this for a picture is compared on every second picture and text.
_SLOW_S = 0.5
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
            others = [f"{one.backend} {one.speed:.1f}×, cosine {one.worst_cosine:.4f}" for one in self.measured[1:]]
            others += [reason.splitlines()[0] for reason in self.refused]
            tried = f" ({'; '.join(others)})" if others else ""
            said = f"{self.backend} chosen: nothing faster is as faithful{tried}"
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


def choose_backend(
    model: str, *, threads: int | None = None, notes: Path | None = None, progress: Progress | None = None
) -> Choice:
    """Take the fastest faithful of the backends and precisions that a model's folder offers here.

    A precision whose single layer gains nothing on this processor is out before anything is loaded. The others are
    loaded one after the other; one that is slower on two pictures goes no further, the rest embed a few pictures and
    texts that come with the code. What does not fit into `BUDGET_S` is not measured, and said so.

    Args:
        model: as for `load_encoder`, with a folder.
        threads: CPU cores; None for every core that this process may use.
        notes: where choices are remembered; None for the user's cache folder.
        progress: told in one line what is being measured.

    Raises:
        ModelMissingError: it is not on this machine.
        ModelError: not even its float32 reference can be loaded.
    """
    folder = find_model(model).folder
    offered = available_backends(folder)
    machine = machine_line(threads)
    note = (notes or Path(platformdirs.user_cache_dir("deixis")) / "choices") / _key(folder, offered, machine)
    earlier = _recall(note, [str(backend) for backend in offered])
    if earlier is not None:
        return earlier
    trial = _Trial(model, threads, progress or (lambda line: None))
    choice = trial.run(offered, machine)
    _remember(note, choice)
    return choice


def fastest_faithful(measured: Sequence[Measured]) -> str:
    """The name of the fastest whose worst cosine is at least `WORST_COSINE`, in favour of the reference.

    Args:
        measured: the float32 reference first.
    """
    reference, *others = measured
    faithful = [one for one in others if one.worst_cosine >= WORST_COSINE and one.speed >= _WORTH_LEAVING]
    return max(faithful, key=lambda one: one.speed, default=reference).backend


def time_is_up(spent_s: float, reference_s: float) -> bool:
    """Whether another candidate would cost more than a choice may; it is taken to cost half of what the reference did.

    Args:
        spent_s: seconds since the measurement began.
        reference_s: how many of them the float32 reference took.
    """
    return spent_s + reference_s / 2 > max(BUDGET_S, 2 * reference_s)


class _Trial:
    """One measurement: what was found out so far, and how long it took."""

    def __init__(self, model: str, threads: int | None, progress: Progress) -> None:
        self._model, self._threads, self._progress = model, threads, progress
        self._measured: list[Measured] = []
        self._refused: list[str] = []
        self._started = time.perf_counter()

    def run(self, offered: Sequence[Backend], machine: str) -> Choice:
        if not offered:
            load_encoder(self._model, threads=self._threads)  # says what is missing
        reference, *others = [backend for backend in offered if self._may_gain(backend)]
        if others:
            self._compare(str(reference), [str(backend) for backend in others])
        else:  # nothing to compare with, so that loading it here would be for nothing
            self._measured.append(Measured(str(reference), 1.0, 1.0, 1.0))
        return Choice(fastest_faithful(self._measured), tuple(self._measured), tuple(self._refused), machine)

    def _may_gain(self, backend: Backend) -> bool:
        if backend.kind != "transformers" or backend.precision == "float32":
            return True
        import torch  # noqa: PLC0415  # takes seconds, and the reference will load it anyway

        if torch.cuda.is_available():
            return True
        from vision.encoders.layer_speed import layer_gain  # noqa: PLC0415  # as above

        torch.set_num_threads(self._threads or usable_cores())
        gain = layer_gain(backend.precision)
        if gain >= _LAYER_ERROR:
            return True
        self._refused.append(f"{backend}: its layers compute at {gain:.2f}× here")
        return False

    def _compare(self, reference: str, others: list[str]) -> None:
        names = ", ".join(others)
        self._progress(f"measuring {names} against {reference}, once on this machine (--backend transformers skips it)")
        encoder = load_encoder(self._model, threads=self._threads, backend=reference)
        picture_s = glance(encoder)
        every = 1 if picture_s < _SLOW_S else 2
        sample = quick_sample(encoder, every=every)
        self._measured.append(compare(reference, sample, sample))
        del encoder
        reference_s = time.perf_counter() - self._started
        for name in others:
            spent = time.perf_counter() - self._started
            if time_is_up(spent, reference_s):
                self._refused.append(f"{name}: not measured, {spent:.0f} s were enough")
                continue
            self._try(name, sample, every)

    def _try(self, name: str, reference: Sample, every: int) -> None:
        try:
            encoder = load_encoder(self._model, threads=self._threads, backend=name)
            picture_s = glance(encoder)
            if picture_s * _WORTH_LEAVING > reference.picture_s * _GLANCE_ERROR:
                speed = reference.picture_s / picture_s
                self._refused.append(f"{name}: {speed:.2f}× of float32 on two pictures")
                return
            self._measured.append(compare(name, quick_sample(encoder, every=every), reference))
        except ModelError as error:
            self._refused.append(f"{name}: {error}")


def _key(folder: Path, offered: Sequence[Backend], machine: str) -> str:
    """What makes a choice another one: the model's files, the machine, the runtimes and their versions."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    versions = [importlib.metadata.version(name) for name in _RUNTIMES if importlib.util.find_spec(name) is not None]
    facts = repr(
        (os.path.realpath(folder), stamps, [str(backend) for backend in offered], machine, versions, WORST_COSINE)
    )
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
        _LOG.info("cannot remember the choice of a backend, so it is measured again next time: %s", error)
