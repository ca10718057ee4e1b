"""From a PyTorch module to an ONNX file, and from that to its 8-bit form: what every export has in common."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision.errors import ModelMissingError

_OPSET = 18
# Weights beyond this go into a file of their own: a protobuf message may have 2 GiB.
_ONE_FILE_BYTES = 1_500_000_000


def require_packages() -> None:
    """Refuse early where an export cannot be written.

    Raises:
        ModelMissingError: a package of the extra `export` is not installed.
    """
    missing = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelMissingError(
            f"an export needs {' and '.join(missing)}", remedy="Install the extra: pip install 'deixis[export]'"
        )


def write_graph(
    module: nn.Module,
    path: Path,
    inputs: Mapping[str, Any],
    *,
    input_names: Sequence[str],
    output_names: Sequence[str],
    axes: Mapping[str, Any],
) -> None:
    """Trace a module and save its graph; large weights go into `PATH_data` beside it.

    Args:
        module: without branches that depend on numbers.
        path: of the graph.
        inputs: example arguments of `forward` by name; axes that may vary are at least 2 long.
        input_names: of the graph, in the order of the flattened inputs.
        output_names: likewise.
        axes: `dynamic_shapes` of `torch.export`: which axes may vary.
    """
    import onnx_ir  # noqa: PLC0415  # comes with the extra that require_packages looks for

    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            module.eval(),
            (),
            kwargs=dict(inputs),
            input_names=list(input_names),
            output_names=list(output_names),
            dynamic_shapes=dict(axes),
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it always is with dynamo
    large = sum(part.nbytes for part in module.parameters()) > _ONE_FILE_BYTES
    onnx_ir.save(program.model, path, external_data=f"{path.name}_data" if large else None)


def quantise_graph(full: Path, path: Path) -> None:
    """Write the 8-bit form: weights of products per output channel, activations by one scale per call."""
    import onnx  # noqa: PLC0415  # as in write_graph
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415  # imports onnx

    large = full.with_name(f"{full.name}_data").is_file()
    draft = path.with_name(f"draft_{path.name}")
    with _quiet():
        quantize_dynamic(
            full,
            draft,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=large,
        )
    graph = onnx.load(draft)
    onnx.save_model(graph, path, save_as_external_data=large, location=f"{path.name}_data" if large else None)
    for left in draft.parent.glob(f"{draft.name}*"):
        left.unlink()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' remarks to themselves: they advise on steps that do not apply, some on the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
