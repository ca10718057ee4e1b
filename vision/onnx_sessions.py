"""An ONNX graph in ONNX Runtime on the CPU, with products of 8 bits that are right on every processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from vision.errors import ModelError

_WARNINGS_AND_UP = 2
# Without VNNI, products of unsigned by signed bytes saturate in 16 bits; with this the runtime shifts such weights to
# unsigned ones there, whose kernel does not. Elsewhere it changes nothing.
_EXACT_BYTES = "session.x64quantprecision"


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
    options.add_session_config_entry(_EXACT_BYTES, "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        raise ModelError(f"{path}: onnxruntime cannot load it: {error}", remedy=remedy) from error
