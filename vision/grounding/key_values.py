"""The language model's memory of what it has read: keys and values of every layer, with room made once."""

from __future__ import annotations

from typing import Any

from torch import Tensor


class KeyValues:
    """Keys and values of every layer in buffers made once, so that a step copies one column and not the whole past.

    Speaks the two methods of the transformers cache that the model's attention calls.

    Args:
        layers: their number.
        shape: batch, heads, room in tokens, width of a head.
        like: a tensor of the dtype and device to use.

    Attributes:
        keys: of each layer, `shape`; zeros behind `length`, because a masked place that held no number would spread it.
        values: likewise.
        length: tokens read so far.
    """

    def __init__(self, layers: int, shape: tuple[int, int, int, int], like: Tensor) -> None:
        self.length = 0
        self.keys = [like.new_zeros(shape) for _ in range(layers)]
        self.values = [like.new_zeros(shape) for _ in range(layers)]

    @property
    def rows(self) -> int:
        """The batch."""
        return self.keys[0].shape[0]

    @property
    def room(self) -> int:
        """Tokens that fit."""
        return self.keys[0].shape[2]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens read so far."""
        return self.length

    def update(self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any) -> tuple[Tensor, Tensor]:
        """Append one layer's new keys and values, `(batch, heads, tokens, width)`; returns all of them so far."""
        end = self.length + key_states.shape[2]
        keys, values = self.keys[layer_idx], self.values[layer_idx]
        keys[:, :, self.length : end] = key_states
        values[:, :, self.length : end] = value_states
        return keys[:, :, :end], values[:, :, :end]

    def advance(self, tokens: int) -> None:
        """Count tokens that every layer has appended."""
        self.length += tokens

    def select(self, rows: Tensor, *, room: int | None = None) -> KeyValues:
        """A copy with the rows named, in that order, repeated or left out; `room` may make it longer."""
        _, heads, old_room, width = self.keys[0].shape
        chosen = KeyValues(len(self.keys), (len(rows), heads, room or old_room, width), self.keys[0])
        chosen.length = self.length
        for old, new in zip([*self.keys, *self.values], [*chosen.keys, *chosen.values], strict=True):
            new[:, :, : self.length] = old[:, :, : self.length].index_select(0, rows)
        return chosen
