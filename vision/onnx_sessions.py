"""An ONNX graph in ONNX Runtime on the CPU, with products of 8 bits that are right on every processor."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from vision.errors import ModelError

_WARNINGS_AND_UP = 2
# Without VNNI, products of unsigned by signed bytes saturate in 16 bits; with this the runtime shifts such weights to
# unsigned ones, whose kernel does not. It does so on every processor, and where nothing saturates that kernel takes
# twice the time (decision 17): so it is asked for only where the product is wrong.
_EXACT_BYTES = "session.x64quantprecision"
# An ONNX model of one `MatMulInteger`: a (4, 64) uint8 by b (64, 16) int8 is y (4, 16) int32.
_PRODUCT = bytes.fromhex(
    "08083a5c0a180a01610a0162120179220d4d61744d756c496e74656765721201705a130a0161120e0a0c080212080a0208040a0208405a130a01"
    "62120e0a0c080312080a0208400a02081062130a0179120e0a0c080612080a0208040a0208104202100d"
)
# Threads that wait by spinning take the cores from whatever else runs: decoders, other batches, other programs. Beside
# those a picture costs up to 40 % more processor time with it, and no less wall-clock time.
_SPIN = "session.intra_op.allow_spinning"


def open_session(path: Path, threads: int, *, remedy: str) -> Any:
    """Load a graph.

    Args:
        path: of the `.onnx` file.
        threads: cores per call.
        remedy: what to do about a file that is damaged.

    Raises:
        ModelError: it cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _WARNINGS_AND_UP
    if products_saturate():
        options.add_session_config_entry(_EXACT_BYTES, "1")
    options.add_session_config_entry(_SPIN, "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        raise ModelError(f"{path}: onnxruntime cannot load it: {error}", remedy=remedy) from error


@cache
def products_saturate() -> bool:
    """Whether the runtime's product of unsigned by signed bytes is wrong on this processor: the worst are tried."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(_PRODUCT, options, providers=["CPUExecutionProvider"])
    largest = {"a": np.full((4, 64), 255, np.uint8), "b": np.full((64, 16), 127, np.int8)}
    return bool((session.run(["y"], largest)[0] != 64 * 255 * 127).any())
