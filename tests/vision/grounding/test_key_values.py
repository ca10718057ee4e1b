"""The cache that our decoder hands to the library's models is one of the library's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import transformers
from torch import Tensor
from transformers import Cache, DynamicCache

from vision.errors import ModelError
from vision.grounding.key_values import KeyValues, cache_argument, empty_buffers
from vision.grounding.static_decoding import StaticKeyValues

_SHAPE = (3, 2, 9, 4)


def _told(tokens: int, seed: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    keys, values = torch.randn(2, 3, 2, tokens, 4, generator=random)
    return keys, values


def _filled() -> KeyValues:
    cache = KeyValues.empty(2, _SHAPE, torch.zeros(1))
    for seed, tokens in enumerate((4, 1, 1)):
        for layer in range(2):
            cache.update(*_told(tokens, 10 * layer + seed), layer)
    return cache


@pytest.mark.parametrize("kind", [KeyValues, StaticKeyValues])
def test_a_cache_of_ours_is_a_cache_of_the_library(kind: type[KeyValues]):
    cache = kind(empty_buffers(2, _SHAPE, torch.zeros(1)))
    assert isinstance(cache, Cache)
    assert len(cache.layers) == 2
    # Whatever else a version of the library tells its cache is heard and not needed.
    keys, values = cache.update(*_told(1, 0), 1, {"some": "thing"}, kwargs={"more": 1})
    assert keys.shape[:2] == values.shape[:2] == (3, 2)


def test_it_returns_what_the_librarys_growing_cache_returns():
    ours, theirs = KeyValues.empty(2, _SHAPE, torch.zeros(1)), DynamicCache()
    for seed, tokens in enumerate((4, 1, 1, 3)):
        for layer in range(2):
            told = _told(tokens, 10 * layer + seed)
            found, expected = ours.update(*told, layer), theirs.update(*told, layer)
            assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
        assert ours.get_seq_length() == ours.length == theirs.get_seq_length()


def test_rows_can_be_repeated_reordered_and_left_out_with_more_room():
    cache = _filled()
    chosen = cache.select(torch.tensor([2, 0, 2, 2]), room=20)
    assert (chosen.rows, chosen.room, chosen.length) == (4, 20, 6)
    assert torch.equal(chosen.values[1][1, :, :6], cache.values[1][0, :, :6])
    assert not chosen.keys[0][:, :, 6:].any()


def test_a_placed_cache_writes_where_the_device_says_and_keeps_its_buffers():
    cache = StaticKeyValues(empty_buffers(2, _SHAPE, torch.zeros(1)))
    part, (keys, values) = cache.first_rows(2), _told(1, 0)
    part.place.fill_(5)
    part.update(keys[:2], values[:2], 0)
    assert torch.equal(cache.keys[0][:2, :, 5], keys[:2, :, 0])
    assert not cache.keys[0][2].any()
    assert not cache.keys[1].any()


def test_the_name_of_the_argument_is_the_models_own():
    assert cache_argument(SimpleNamespace(forward=lambda ids, cache=None, **more: ids)) == "cache"
    assert cache_argument(SimpleNamespace(forward=lambda ids, past_key_values=None: ids)) == "past_key_values"


def test_a_model_that_takes_no_cache_that_we_know_is_refused_with_the_librarys_version():
    with pytest.raises(ModelError, match=f"transformers {transformers.__version__}: .* cache") as refusal:
        cache_argument(SimpleNamespace(forward=lambda ids, memory=None, **more: ids))
    assert refusal.value.remedy
