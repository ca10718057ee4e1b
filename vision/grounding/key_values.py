"""The language model's memory of what it has read: keys and values of every layer, with room made once."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import transformers
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer

from vision.errors import ModelError

# The library renames it: the old name warns since 5.24 and would vanish among a model's further arguments later.
_CACHE_ARGUMENTS = ("cache", "past_key_values")


class RoomLayer(DynamicLayer):  # type: ignore[misc]  # transformers has no types
    """One layer's keys and values in buffers made once.

    Args:
        keys: `(batch, heads, room, width of a head)`.
        values: likewise.

    Attributes:
        length: tokens read so far.
    """

    is_croppable = False

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.keys, self.values = keys, values
        self.dtype, self.device = keys.dtype, keys.device
        self.is_initialized = True
        self.length = 0

    def get_seq_length(self) -> int:
        """Tokens read so far."""
        return self.length

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Append new keys and values, `(batch, heads, tokens, width)`; returns all of them so far."""
        end = self.length + key_states.shape[2]
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class KeyValues(Cache):  # type: ignore[misc]  # transformers has no types
    """Keys and values of every layer in buffers made once, so that a step copies one column and not the whole past.

    Args:
        buffers: keys and values of each layer, `(batch, heads, room, width of a head)`; zeros where nothing is read
            yet, because a masked place that held no number would spread it.
    """

    def __init__(self, buffers: Sequence[tuple[Tensor, Tensor]]) -> None:
        super().__init__(layers=[self._layer(keys, values) for keys, values in buffers])

    @classmethod
    def empty(cls, layers: int, shape: tuple[int, int, int, int], like: Tensor) -> KeyValues:
        """Nothing read yet.

        Args:
            layers: their number.
            shape: batch, heads, room in tokens, width of a head.
            like: a tensor of the dtype and device to use.
        """
        return cls(empty_buffers(layers, shape, like))

    @property
    def keys(self) -> list[Tensor]:
        """The whole buffer of each layer."""
        return [layer.keys for layer in self.layers]

    @property
    def values(self) -> list[Tensor]:
        """The whole buffer of each layer."""
        return [layer.values for layer in self.layers]

    @property
    def length(self) -> int:
        """Tokens read so far."""
        length: int = self.layers[0].length
        return length

    @length.setter
    def length(self, tokens: int) -> None:
        for layer in self.layers:
            layer.length = tokens

    @property
    def rows(self) -> int:
        """The batch."""
        return self.keys[0].shape[0]

    @property
    def room(self) -> int:
        """Tokens that fit."""
        return self.keys[0].shape[2]

    def select(self, rows: Tensor, *, room: int | None = None) -> KeyValues:
        """A copy with the rows named, in that order, repeated or left out; `room` may make it longer."""
        _, heads, old_room, width = self.keys[0].shape
        chosen = KeyValues.empty(len(self.layers), (len(rows), heads, room or old_room, width), self.keys[0])
        length = chosen.length = self.length
        for old, new in zip([*self.keys, *self.values], [*chosen.keys, *chosen.values], strict=True):
            new[:, :, :length] = old[:, :, :length].index_select(0, rows)
        return chosen

    def _layer(self, keys: Tensor, values: Tensor) -> RoomLayer:
        return RoomLayer(keys, values)


def empty_buffers(layers: int, shape: tuple[int, int, int, int], like: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Keys and values of each layer, zeros in another tensor's dtype on its device."""
    return [(like.new_zeros(shape), like.new_zeros(shape)) for _ in range(layers)]


def cache_argument(module: Any) -> str:
    """The name under which a model of the library takes its cache.

    Raises:
        ModelError: it takes none that we know; the message names the library's version.
    """
    taken = inspect.signature(module.forward).parameters
    for name in _CACHE_ARGUMENTS:
        if name in taken:
            return name
    raise ModelError(
        f"transformers {transformers.__version__}: {type(module).__name__} takes its cache under no name known here",
        remedy="Install one that was tested: pip install 'transformers>=5.23,<5.25'",
    )
