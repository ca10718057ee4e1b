"""Kosmos-2's forward pass, part by part: one cache, positions that ignore padding, each picture read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from vision.grounding.vocabulary import Vocabulary


class KeyValues:
    """Keys and values of every layer in buffers made once, so that a step copies one column and not the whole past.

    Speaks the two methods of the transformers cache that the model's attention calls.

    Args:
        layers: their number.
        shape: batch, heads, room in tokens, width of a head.
        like: a tensor of the dtype and device to use.
    """

    def __init__(self, layers: int, shape: tuple[int, int, int, int], like: Tensor) -> None:
        self.length = 0
        self._keys = [like.new_empty(shape) for _ in range(layers)]
        self._values = [like.new_empty(shape) for _ in range(layers)]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens read so far."""
        return self.length

    def update(self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any) -> tuple[Tensor, Tensor]:
        """Append one layer's new keys and values, `(batch, heads, tokens, width)`; returns all of them so far."""
        end = self.length + key_states.shape[2]
        keys, values = self._keys[layer_idx], self._values[layer_idx]
        keys[:, :, self.length : end] = key_states
        values[:, :, self.length : end] = value_states
        return keys[:, :, :end], values[:, :, :end]

    def advance(self, tokens: int) -> None:
        """Count tokens that every layer has appended."""
        self.length += tokens

    def select(self, rows: Tensor, *, room: int | None = None) -> KeyValues:
        """A copy with the rows named, in that order, repeated or left out; `room` may make it longer."""
        first = self._keys[0]
        shape = (len(rows), first.shape[1], room or first.shape[2], first.shape[3])
        chosen = KeyValues(len(self._keys), shape, first)
        chosen.length = self.length
        for old, new in zip([*self._keys, *self._values], [*chosen._keys, *chosen._values], strict=True):
            new[:, :, : self.length] = old[:, :, : self.length].index_select(0, rows)
        return chosen


@dataclass(slots=True)
class Context:
    """Rows that are being read, and what comes next for each.

    Attributes:
        cache: keys and values, `n` rows.
        mask: `(n, tokens so far)` int64, 0 where a row is padded.
        positions: `(n,)` int64, position of the next token; the padding of other rows does not count.
        logits: `(n, vocabulary)` float32, for the next token.
    """

    cache: KeyValues
    mask: Tensor
    positions: Tensor
    logits: Tensor

    def select(self, rows: Tensor) -> Context:
        """The rows named, in that order; a row may be repeated (samples, beams) or left out (finished)."""
        return Context(self.cache.select(rows), self.mask[rows], self.positions[rows], self.logits[rows])


class Reader:
    """Runs the parts of a `Kosmos2ForConditionalGeneration` one by one.

    Its own `generate` computes positions from the padded length (so rows of mixed length drift after the first token)
    and looks at a picture once per returned sequence; neither happens here.

    Args:
        model: in evaluation mode, on its device.
        vocabulary: of the same folder.
    """

    def __init__(self, model: Any, vocabulary: Vocabulary) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._text = model.text_model
        config = model.config.text_config
        self._layers, self._heads = int(config.layers), int(config.attention_heads)
        self._head_width = int(config.embed_dim) // self._heads
        # Positions begin behind the padding id, as fairseq numbers them.
        self._first_position = int(config.pad_token_id) + 1
        self.width = int(self._text.lm_head.out_features)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        weight: Tensor = self._text.lm_head.weight
        return weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are."""
        weight: Tensor = self._text.lm_head.weight
        return weight.dtype

    def see(self, pixels: Tensor) -> Tensor:
        """Look at pictures.

        Args:
            pixels: `(n, 3, side, side)`, normalised.

        Returns:
            `(n, image_tokens, width)` in the model's dtype: what is put into the text.
        """
        seen = self._model.vision_model(pixel_values=pixels.to(self.device, self.dtype))
        features = functional.normalize(self._model.vision_model.model.post_layernorm(seen[0]), dim=-1)
        latents: Tensor = self._model.image_to_text_projection(features)[0]
        return latents

    def read(self, latents: Tensor, picture_of: Sequence[int], texts: Sequence[Sequence[int]], *, room: int) -> Context:
        """Read each prompt behind its picture; a picture with several prompts is read once.

        Args:
            latents: `(pictures, image_tokens, width)` from `see`.
            picture_of: for each prompt the row of `latents`.
            texts: ids of each prompt without the prefix, at least one each.
            room: tokens that will be written.
        """
        return self._read(latents, picture_of, texts, room=room, keep=1)[0]

    def read_all(self, latents: Tensor, picture_of: Sequence[int], texts: Sequence[Sequence[int]]) -> Tensor:
        """Logits behind every token: `(n, longest text, vocabulary)` float32, texts padded on the left."""
        return self._read(latents, picture_of, texts, room=0, keep=0)[1]

    def step(self, context: Context, tokens: Tensor) -> None:
        """Read one more token per row, `(n,)` int64, and update the context in place."""
        context.mask = functional.pad(context.mask, (0, 1), value=1)
        output = self._text(
            input_ids=tokens[:, None],
            attention_mask=context.mask,
            position_ids=context.positions[:, None].contiguous(),
            past_key_values=context.cache,
            use_cache=True,
        )
        context.cache.advance(1)
        context.positions = context.positions + 1
        context.logits = output.logits[:, -1].float()

    def _read(
        self, latents: Tensor, picture_of: Sequence[int], texts: Sequence[Sequence[int]], *, room: int, keep: int
    ) -> tuple[Context, Tensor]:
        ids, written = self._padded(texts)
        before = len(self._vocabulary.prefix)
        cache = self._prefix(latents)
        rows = torch.tensor(list(picture_of), device=self.device)
        cache = cache.select(rows, room=before + ids.shape[1] + room)
        counts = written.cumsum(1)
        # Padding stands between the picture and the prompt; it is masked, and takes no position.
        positions = self._first_position + before + (counts - 1).clamp(min=0)
        mask = functional.pad(written, (before, 0), value=1)
        output = self._text(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=keep,
        )
        cache.advance(ids.shape[1])
        logits = output.logits.float()
        return Context(cache, mask, positions[:, -1] + 1, logits[:, -1]), logits

    def _prefix(self, latents: Tensor) -> KeyValues:
        pictures, before = latents.shape[0], len(self._vocabulary.prefix)
        ids = torch.tensor(self._vocabulary.prefix, device=self.device).expand(pictures, -1)
        slots = torch.zeros(pictures, before, dtype=torch.bool, device=self.device)
        slots[:, self._vocabulary.image_slots] = True
        positions = torch.arange(before, device=self.device) + self._first_position
        cache = KeyValues(self._layers, (pictures, self._heads, before, self._head_width), latents)
        self._text.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            image_embeds=latents,
            image_embeds_position_mask=slots,
            position_ids=positions.expand(pictures, -1).contiguous(),
            past_key_values=cache,
            use_cache=True,
        )
        cache.advance(before)
        return cache

    def _padded(self, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Ids padded on the left and where they are real, both `(n, longest)` int64."""
        longest = max(len(text) for text in texts)
        ids = [[self._vocabulary.pad] * (longest - len(text)) + list(text) for text in texts]
        real = [[0] * (longest - len(text)) + [1] * len(text) for text in texts]
        return torch.tensor(ids, device=self.device), torch.tensor(real, device=self.device)
