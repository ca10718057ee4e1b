"""What `benchmarks.indexing` compares: each loop indexes one folder with one model and says what it took."""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.hardware import cpu_seconds
from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from search.settings import available_cores
from vision.encoders.registry import load_encoder

_BATCH = 32
"""What sentence-transformers takes at once where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one pass over the pictures took: wall-clock and CPU seconds, children included."""

    wall_s: float
    cpu_s: float


def measured(work: Callable[[], object]) -> Cost:
    """Run a pass."""
    wall_s, cpu_s = time.perf_counter(), cpu_seconds()
    work()
    return Cost(time.perf_counter() - wall_s, cpu_seconds() - cpu_s)


def deixis(folder: Path, model: str, backend: str) -> Cost:
    """The whole of `index` into a new library: limits, hashes, previews, facts, segments with fsync, publication."""
    cores = available_cores()
    encoder = load_encoder(model, threads=cores, lanes=cores, backend=backend)
    _warm(encoder)
    with tempfile.TemporaryDirectory() as home, Library.open(Path(home), create=True) as library:
        return measured(lambda: index_paths(library, encoder, [folder], IndexOptions(decode_workers=cores)))


def encoder_alone(folder: Path, model: str, backend: str) -> Cost:
    """The encoder on as many pictures that are prepared already: what no index can be faster than."""
    cores = available_cores()
    encoder = load_encoder(model, threads=cores, lanes=cores, backend=backend)
    _warm(encoder)
    pixels = np.stack([encoder.facts.preprocessing.prepare(_opened(path)) for path in _pictures(folder)])
    return measured(lambda: encoder.encode_prepared(pixels))


def rclip(folder: Path, model: str, backend: str) -> Cost:
    """rclip's own `ensure_index`, as it is installed, on the same ONNX graph in a session opened as rclip opens it.

    Raises:
        ImportError: it is not installed here.
    """
    peer = {part: importlib.import_module(f"rclip.{part}") for part in ("db", "main", "model")}
    theirs = peer["model"].Model()
    theirs._session_visual_var = _AsRclipCalls(_graph(model, backend))
    theirs.compute_preprocessed_image_features([np.zeros((3, 256, 256), np.float32)] * 8)
    with tempfile.TemporaryDirectory() as home:
        database = peer["db"].DB(Path(home) / "db.sqlite3")
        engine = peer["main"].RClip(theirs, database, 8, None)
        with redirect_stderr(StringIO()):
            cost = measured(lambda: engine.ensure_index(str(folder)))
        engine.close()
        stored = database._con.execute("SELECT count(*) FROM images").fetchone()[0]
        database.close()
    if stored != len(_pictures(folder)):
        sys.exit(f"rclip has stored {stored} of {len(_pictures(folder))} pictures")
    return cost


def transformers_loop(folder: Path, model: str, backend: str) -> Cost:
    """A plain script: Pillow, the model's own image processor, torch in float32, one picture at a time."""
    return _torch_loop(folder, model, 1)


def sentence_loop(folder: Path, model: str, backend: str) -> Cost:
    """What sentence-transformers' `encode` does with pictures: all of a batch opened, prepared and embedded in turn."""
    return _torch_loop(folder, model, _BATCH)


LOOPS: dict[str, Callable[[Path, str, str], Cost]] = {
    "deixis": deixis,
    "encoder alone": encoder_alone,
    "rclip": rclip,
    "transformers": transformers_loop,
    "sentence-transformers": sentence_loop,
}


def _torch_loop(folder: Path, model: str, batch: int) -> Cost:
    import torch  # noqa: PLC0415  # takes seconds
    from transformers import AutoImageProcessor, AutoModel  # noqa: PLC0415

    torch.set_num_threads(available_cores())
    network = AutoModel.from_pretrained(model, local_files_only=True).eval()
    processor = AutoImageProcessor.from_pretrained(model, local_files_only=True, backend="pil")
    paths = _pictures(folder)

    def run(some: list[Path]) -> np.ndarray[Any, Any]:
        found = []
        for start in range(0, len(some), batch):
            pictures = [Image.open(path).convert("RGB") for path in some[start : start + batch]]
            with torch.inference_mode():
                output = network.get_image_features(**processor(images=pictures, return_tensors="pt")).pooler_output
            found.append(torch.nn.functional.normalize(output).numpy())
        return np.concatenate(found)

    run(paths[:2])
    return measured(lambda: run(paths))


class _AsRclipCalls:
    """A session whose input has the name that rclip gives it."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, outputs: object, inputs: dict[str, Any]) -> list[Any]:
        found: list[Any] = self._session.run(["image_embeds"], {"pixel_values": inputs["input"]})
        return found


def _graph(model: str, backend: str) -> Any:
    import onnxruntime  # noqa: PLC0415  # only where it is compared

    variant = backend.partition(":")[2]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    path = Path(model) / "onnx" / f"vision_model{'_' + variant if variant else ''}.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _warm(encoder: Any) -> None:
    height, width = encoder.facts.preprocessing.output_hw
    encoder.encode_prepared(np.zeros((40, height, width, 3), np.uint8))


def _pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jpg"))


def _opened(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))
