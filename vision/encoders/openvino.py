"""The openvino backend: the hub's ONNX layout on Intel's runtime, in float32, bfloat16, or 8-bit made at load."""

from __future__ import annotations

import importlib
import queue
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.encoders.backends import Backend
from vision.encoders.graphs import Axes, Graph, GraphEncoder, cannot_compute
from vision.errors import ModelError, ModelMissingError
from vision.int8_weights import bounded_int8
from vision.lanes import usable_cores
from vision.precision import check_precision

_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
# Pieces of a row that may share a scale: shorter ones cost more scales than they save, longer ones the kernels refuse.
_GROUPS = (1024, 768, 512, 384, 256, 192, 128, 96, 64, 32)


class OpenvinoEncoder(GraphEncoder):
    """A dual encoder's two full-precision graphs in OpenVINO. Safe to call from several threads.

    In `int8` the weights of the layers are quantised at load, one scale per output channel, and the runtime quantises
    each row of the activations by itself, so that an embedding does not depend on its neighbours in the batch. (ONNX
    graphs that are quantised already run slower here than in float32, so they are not read.) Where the processor has
    no 8-bit or bfloat16 arithmetic, the runtime computes in float32 instead.

    Args:
        folder: the model folder.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        threads: cores; None for every core that this process may use.
        lanes: batches that run side by side, each on its share of the cores.
        precision: `float32`, `bfloat16` or `int8`.

    Raises:
        ModelMissingError: OpenVINO is not installed, or a file is not there; the message names it.
        ModelError: a file is damaged, a graph has other inputs or outputs than the layout promises, or the precision is
            unknown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None = None,
        threads: int | None = None,
        lanes: int = 1,
        precision: str = "float32",
    ) -> None:
        self._lanes = lanes
        self._precision = check_precision(precision, tuple(_HINTS), of="openvino")
        self._threads = threads or usable_cores()
        self._openvino = _import_openvino()
        self._core = self._openvino.Core()
        backend = Backend("openvino", "" if precision == "float32" else precision)
        super().__init__(folder, name=name, revision=revision, backend=backend, suffix="", lanes=lanes)

    def _open(self, path: Path) -> Graph:
        return self._compile(path, self._precision)

    def _open_exact(self, path: Path) -> Graph:
        return self._compile(path, "float32")

    def _compile(self, path: Path, precision: str) -> Graph:
        settings = {
            "INFERENCE_NUM_THREADS": self._threads,
            # As many requests at a time as there are lanes; they share the cores.
            "NUM_STREAMS": self._lanes,
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
        }
        try:
            model = self._core.read_model(path)
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot load it: {error}", remedy="Fetch this file again.") from error
        try:
            if precision == "int8":
                group = _quantise_weights(self._openvino.opset13, model)
                settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = group
            return _Compiled(self._core.compile_model(model, "CPU", settings), self._lanes)
        except RuntimeError as error:
            raise cannot_compute(path.name, f"openvino in {precision}", str(error)) from error


class _Compiled:
    """One graph in OpenVINO; fulfils `Graph`."""

    def __init__(self, compiled: Any, lanes: int) -> None:
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(lanes):
            self._idle.put(compiled.create_infer_request())
        self.inputs: Axes = {port.any_name: _axes(port) for port in compiled.inputs}
        self.outputs: Axes = {name: _axes(port) for port in compiled.outputs for name in port.names}

    def run(self, output: str, inputs: Mapping[str, NDArray[np.generic]]) -> NDArray[np.floating]:
        """Compute one output."""
        request = self._idle.get()
        try:
            request.infer(dict(inputs))
            # The request's memory is used again by the next call.
            embeddings: NDArray[np.floating] = request.get_tensor(output).data.copy()
        finally:
            self._idle.put(request)
        return embeddings


def _import_openvino() -> Any:
    # Importing openvino reports the import to its maker over the network unless its telemetry package is absent. None
    # is how the import system says "absent", and openvino then uses its own silent stand-in.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # typed without that meaning
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise ModelMissingError(
            "OpenVINO is not installed", remedy="Install the extra: pip install 'deixis[openvino]'"
        ) from error


def _axes(port: Any) -> list[int | None]:
    return [axis.get_length() if axis.is_static else None for axis in port.partial_shape]


def _quantise_weights(operations: Any, model: Any) -> int:
    """Make the layers' weights 8-bit in place, and return the length of the pieces in which to quantise activations.

    Layers are the products over a sequence; a product over single vectors is a projection, costs next to nothing and
    stays as it is.
    """
    work: Counter[int] = Counter()
    for product in model.get_ops():
        if product.get_type_name() != "MatMul" or product.output(0).partial_shape.rank.get_length() != 3:
            continue
        constant = product.input_value(1).get_node()
        if constant.get_type_name() != "Constant" or len(constant.shape) != 2:
            continue
        stored = constant.get_data()
        weights = stored if product.get_attributes()["transpose_b"] else np.ascontiguousarray(stored.T)
        narrow_weights, scale = bounded_int8(weights.astype(np.float32))
        whole = operations.convert(operations.constant(narrow_weights), "f32")
        scaled = operations.multiply(whole, operations.constant(scale))
        narrow = operations.matmul(product.input_value(0), scaled, False, True)
        for reader in list(product.output(0).get_target_inputs()):
            reader.replace_source_output(narrow.output(0))
        work[weights.shape[1]] += weights.size
    # A layer whose rows the pieces do not divide is computed in float32: take what covers the most work.
    return max(_GROUPS, key=lambda group: (sum(size for inner, size in work.items() if inner % group == 0), group))
