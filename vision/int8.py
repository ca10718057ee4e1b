"""Linear layers in 8-bit integers for CUDA: weights per output channel, activations per row, at each call."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vision.int8_weights import LARGEST, bounded_int8

# A row of zeros has no scale; any divisor leaves it zero.
_LEAST_SCALE = 1e-12
# torch's integer product asks for inner and outer sizes that are multiples of 8 and, on CUDA, for more rows than 16.
_MULTIPLE = 8
_CUDA_ROWS = 17


class Int8Linear(nn.Module):
    """A linear layer whose product is int8 × int8 → int32, with symmetric scales.

    The weights are those of `vision.packed_int8`, whose product is the CPU's: on processors without VNNI this one is a
    plain loop, or it saturates.

    Each row of the input has a scale of its own, so that an answer does not depend on what else is in the batch, which
    a scale for the whole batch (PyTorch's and onnxruntime's dynamic quantisation) does not give. Inference only.

    Args:
        linear: the layer to replace; both its sizes are multiples of 8.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        whole, scale = bounded_int8(linear.weight.detach().float().cpu().numpy())
        self.register_buffer("weight", torch.from_numpy(whole).T.contiguous())
        self.register_buffer("scale", torch.from_numpy(scale)[:, 0])
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().float())
        self.in_features = linear.in_features
        self.out_features = linear.out_features

    def forward(self, features: Tensor) -> Tensor:
        """Return `(…, out_features)` in the input's dtype for `(…, in_features)` of any float dtype."""
        rows = features.reshape(-1, self.in_features).float()
        row_scale = rows.abs().amax(dim=1, keepdim=True).clamp_min_(_LEAST_SCALE).div_(LARGEST)
        whole = (rows / row_scale).round_().to(torch.int8)
        missing = _CUDA_ROWS - len(whole) if whole.is_cuda else 0
        if missing > 0:
            whole = nn.functional.pad(whole, (0, 0, 0, missing))
        # Private, yet the one integer product of PyTorch on CUDA; torchao calls it too.
        product = torch._int_mm(whole, self.weight)[: len(rows)].float().mul_(row_scale).mul_(self.scale)
        if self.bias is not None:
            product.add_(self.bias)
        return product.to(features.dtype).reshape(*features.shape[:-1], self.out_features)


def quantise_linears(module: nn.Module) -> None:
    """Replace, in place, every linear layer below a module by its 8-bit form.

    Layers with sizes that are no multiples of 8 stay as they are, and so do those that another module reaches into
    without calling them (`nn.MultiheadAttention`).
    """
    for name, child in module.named_children():
        if isinstance(child, nn.MultiheadAttention):
            continue
        if type(child) is nn.Linear and child.in_features % _MULTIPLE == child.out_features % _MULTIPLE == 0:
            setattr(module, name, Int8Linear(child))
        else:
            quantise_linears(child)
