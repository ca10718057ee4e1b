"""Linear layers in 8-bit integers for the CPU: weights packed once for its own integer product, per output channel."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from vision.errors import ModelError
from vision.int8_weights import bounded_scale

# A row of zeros has no scale; any divisor leaves it zero.
_LEAST_SCALE = 1e-12
# Rounding costs one product in a thousand; a sum that saturated costs a third.
_WORST_PRODUCT = 0.02


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
        # Without the bound the product saturates where the processor has no VNNI.
        scale = torch.from_numpy(bounded_scale(weight.numpy()))[:, 0]
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
    """Replace, in place, every linear layer below a module by its packed 8-bit form.

    Raises:
        ModelError: this processor's 8-bit product is wrong.
    """
    check_product()
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, PackedInt8Linear(child))
        else:
            pack_linears(child)


@functools.cache
def check_product() -> None:
    """Multiply the numbers that are worst for an 8-bit product, once per process.

    What a processor can do is measured, not read off its name: libraries choose kernels by settings of their own too.

    Raises:
        ModelError: the product is not what it should be.
    """
    signs = torch.tensor([1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0, 1.0])
    linear = nn.Linear(64, 32, bias=False)
    with torch.inference_mode():
        linear.weight.copy_(torch.stack([signs.roll(turn).repeat(8) for turn in range(32)]))
        rows = torch.stack([signs.roll(turn).repeat(8) for turn in range(8)] + [torch.ones(64)] * 12)
        expected, product = linear(rows), PackedInt8Linear(linear)(rows)
    if not float((product - expected).norm() / expected.norm()) < _WORST_PRODUCT:
        raise ModelError(
            "8-bit products are wrong on this processor with this version of PyTorch",
            remedy="Choose float32 or bfloat16.",
        )
