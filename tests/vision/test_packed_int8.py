"""Packed 8-bit linear layers against the layers that they replace."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vision.packed_int8 import PackedInt8Linear, check_product, pack_linears


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(48, 37)


def _rows(*shape: int) -> Tensor:
    return torch.randn(*shape, 48, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", [(1,), (7,), (2, 5), (3, 1)])
@torch.inference_mode()
def test_it_gives_what_the_full_layer_gives_to_a_hundredth(linear: nn.Linear, shape: tuple[int, ...]):
    expected = linear(_rows(*shape))
    product = PackedInt8Linear(linear)(_rows(*shape))
    assert product.shape == expected.shape
    assert float((product - expected).norm() / expected.norm()) < 0.02


@pytest.mark.parametrize("inner", [8, 65, 768])
@torch.inference_mode()
def test_what_is_worst_for_8_bit_products_does_not_saturate(inner: int):
    linear = nn.Linear(inner, 40, bias=False)
    # Neighbours of one sign at full size, rows that are all at the top: 255 · 127 twice is more than 16 bits hold.
    linear.weight.copy_(torch.ones(40, inner) * torch.where(torch.arange(40) % 2 == 0, 1.0, -1.0)[:, None])
    for rows in (torch.ones(9, inner), -torch.ones(1, inner), torch.rand(50, inner)):
        expected, product = linear(rows), PackedInt8Linear(linear)(rows)
        assert float((product - expected).norm() / expected.norm()) < 0.01


@torch.inference_mode()
def test_a_row_does_not_depend_on_its_neighbours(linear: nn.Linear):
    packed, rows = PackedInt8Linear(linear), _rows(4)
    crowd = torch.cat([rows, 1000 * _rows(3), torch.zeros(1, 48)])
    assert torch.equal(packed(crowd)[:4], packed(rows))
    assert torch.equal(packed(rows[:1]), packed(rows)[:1])


@torch.inference_mode()
def test_a_row_of_zeros_gives_the_bias(linear: nn.Linear):
    assert torch.allclose(PackedInt8Linear(linear)(torch.zeros(1, 48))[0], linear.bias)


@torch.inference_mode()
def test_a_layer_without_bias_and_no_rows_at_all_are_fine():
    packed = PackedInt8Linear(nn.Linear(8, 3, bias=False))
    assert packed(torch.zeros(0, 8)).shape == (0, 3)
    assert torch.equal(packed(torch.zeros(2, 8)), torch.zeros(2, 3))


def test_every_linear_layer_below_a_module_is_packed_and_nothing_else():
    module = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 5)), nn.Embedding(3, 4))
    pack_linears(module)
    kinds = [type(part).__name__ for part in module.modules() if not isinstance(part, nn.Sequential)]
    assert kinds == ["PackedInt8Linear", "LayerNorm", "PackedInt8Linear", "Embedding"]


def test_this_processors_product_is_found_right():
    check_product()
