"""8-bit linear layers of CUDA, computed on the CPU: near the full-precision ones, row by row, whatever the shape."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vision.int8 import Int8Linear, quantise_linears


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("shape", [(64,), (1, 64), (5, 64), (2, 7, 64), (0, 64)])
def test_an_8_bit_layer_gives_what_the_layer_gives_within_a_hundredth(shape: tuple[int, ...]) -> None:
    linear = nn.Linear(64, 32)
    features = torch.randn(shape)
    with torch.inference_mode():
        expected, found = linear(features), Int8Linear(linear)(features)
    assert found.shape == expected.shape
    assert (found - expected).norm() <= 0.02 * expected.norm()


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    layer = Int8Linear(nn.Linear(64, 32, bias=False))
    quiet, loud = torch.randn(1, 64), 1000 * torch.randn(3, 64)
    with torch.inference_mode():
        assert torch.equal(layer(torch.cat([quiet, loud]))[:1], layer(quiet))


def test_zeros_give_the_bias_and_nothing_that_is_not_a_number() -> None:
    linear = nn.Linear(16, 8)
    nn.init.zeros_(linear.weight)
    with torch.inference_mode():
        found = Int8Linear(linear)(torch.zeros(2, 16))
    torch.testing.assert_close(found, linear.bias.detach().expand(2, 8))


def test_half_precision_goes_in_and_comes_out() -> None:
    assert Int8Linear(nn.Linear(16, 8))(torch.randn(2, 16, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_layers_are_replaced_where_they_are_called_as_layers_and_have_the_sizes() -> None:
    attention = nn.MultiheadAttention(16, 2)
    model = nn.ModuleDict({"a": nn.Sequential(nn.Linear(16, 8), nn.ReLU()), "odd": nn.Linear(9, 8), "pool": attention})
    quantise_linears(model)
    assert isinstance(model["a"][0], Int8Linear)
    assert type(model["odd"]) is nn.Linear
    assert not isinstance(attention.out_proj, Int8Linear)
