"""Linear layers in 8-bit integers for the CPU: weights packed once for its own integer product, per output channel."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

_LARGEST = 127
# A row of zeros has no scale; any divisor leaves it zero.
_LEAST_SCALE = 1e-12


class PackedInt8Linear(nn.Module):
    """A linear layer with int8 weights and 8-bit activations, for inference on the CPU.

    PyTorch's kernel takes one scale for all rows of a call. Here every row is brought to ±1 first, and a row that spans
    exactly ±1 goes along, so that a row's answer does not depend on what else is in the batch.

    Args:
        linear: the layer to replace; any sizes.
    """

    bias: Tensor | None

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(dim=1).clamp_min(_LEAST_SCALE) / _LARGEST
        zero = torch.zeros(len(scale), dtype=torch.int64)
        with warnings.catch_warnings():
            # The tensor type is to go some day, the packed product stays; no other way leads into it.
            warnings.filterwarnings("ignore", message="torch.quantize_per_tensor", category=UserWarning)
            whole = torch.quantize_per_channel(weight, scale.double(), zero, 0, torch.qint8)
        self._packed: Any = torch.ops.quantized.linear_prepack(whole, None)
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().float())
        self.in_features = linear.in_features
        self.out_features = linear.out_features

    def forward(self, features: Tensor) -> Tensor:
        """Return `(…, out_features)` float32 for `(…, in_features)` float32."""
        rows = features.reshape(-1, self.in_features)
        scale = rows.abs().amax(dim=1, keepdim=True).clamp_min_(_LEAST_SCALE)
        unit = rows.new_zeros(len(rows) + 1, self.in_features)
        torch.div(rows, scale, out=unit[:-1])
        unit[-1, 0], unit[-1, -1] = -1.0, 1.0
        product: Tensor = torch.ops.quantized.linear_dynamic(unit, self._packed, False)[:-1]
        product = product.mul_(scale) if self.bias is None else torch.addcmul(self.bias, product, scale)
        return product.reshape(*features.shape[:-1], self.out_features)


def pack_linears(module: nn.Module) -> None:
    """Replace, in place, every linear layer below a module by its packed 8-bit form."""
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, PackedInt8Linear(child))
        else:
            pack_linears(child)
