"""The onnx backend: dual encoders in the hub's ONNX layout, run by onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.encoders.backends import Backend
from vision.encoders.graphs import Axes, Graph, GraphEncoder
from vision.lanes import cores_per_lane
from vision.onnx_sessions import open_session


class OnnxEncoder(GraphEncoder):
    """A dual encoder's two graphs in onnxruntime. Safe to call from several threads.

    Args:
        folder: the model folder.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        variant: the suffix of the graphs' names (`int8`, `quantized`, `fp16`, …); None for the full-precision graphs.
        threads: cores; None for every core that this process may use.
        lanes: batches that run side by side, each on its share of the cores.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: a file is damaged, or a graph has other inputs or outputs than the layout promises.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None = None,
        variant: str | None = None,
        threads: int | None = None,
        lanes: int = 1,
    ) -> None:
        self._threads = cores_per_lane(threads, lanes)
        backend = Backend("onnx", variant or "")
        super().__init__(folder, name=name, revision=revision, backend=backend, suffix=backend.variant, lanes=lanes)

    def _open(self, path: Path) -> Graph:
        return _Session(path, self._threads)


class _Session:
    """One graph in onnxruntime; fulfils `Graph`."""

    def __init__(self, path: Path, threads: int) -> None:
        self._session = open_session(path, threads, remedy="Fetch this file again.")
        self.inputs: Axes = {node.name: [_fixed(axis) for axis in node.shape] for node in self._session.get_inputs()}
        self.outputs: Axes = {node.name: [_fixed(axis) for axis in node.shape] for node in self._session.get_outputs()}

    def run(self, output: str, inputs: Mapping[str, NDArray[np.generic]]) -> NDArray[np.floating]:
        """Compute one output."""
        embeddings: NDArray[np.floating] = self._session.run([output], inputs)[0]
        return embeddings


def _fixed(axis: int | str | None) -> int | None:
    return axis if isinstance(axis, int) and axis > 0 else None
