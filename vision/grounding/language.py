"""Reading with Kosmos-2, part by part: one cache, positions that ignore padding, each picture read once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vision.grounding.key_values import KeyValues
from vision.grounding.networks import Network
from vision.grounding.vocabulary import Vocabulary


@dataclass(slots=True, weakref_slot=True)
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
    """Reads prompts behind pictures, and answers token by token.

    The library's own `generate` computes positions from the padded length (so rows of mixed length drift after the
    first token) and looks at a picture once per returned sequence; neither happens here.

    Args:
        network: what computes.
        vocabulary: of the same folder.

    Attributes:
        width: of the logits, which may exceed the vocabulary.
        turn: held by whoever reads, where readings share buffers.
        leaving_share: rows that are done leave a batch once no more than this share of it is left; below 1 where a
            batch of another size costs more than some rows read in vain.
    """

    leaving_share = 1.0
    turn: AbstractContextManager[object] = nullcontext()

    def __init__(self, network: Network, vocabulary: Vocabulary) -> None:
        self._network = network
        self._vocabulary = vocabulary
        config = network.config.text_config
        self._layers, self._heads = int(config.layers), int(config.attention_heads)
        self._head_width = int(config.embed_dim) // self._heads
        # Positions begin behind the padding id, as fairseq numbers them.
        self._first_position = int(config.pad_token_id) + 1
        self.width = int(config.vocab_size)

    @property
    def device(self) -> torch.device:
        """Where tensors have to be."""
        return self._network.device

    def see(self, pixels: Tensor) -> Tensor:
        """Look at `(n, 3, side, side)` normalised pixels; `(n, image_tokens, width)` latents to put into the text."""
        return self._network.see(pixels)

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
        logits = self._network.read(tokens[:, None], context.mask, context.positions[:, None], context.cache, keep=1)
        context.positions = context.positions + 1
        context.logits = logits[:, -1]

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
        logits = self._network.read(ids, mask, positions, cache, keep=keep)
        return Context(cache, mask, positions[:, -1] + 1, logits[:, -1]), logits

    def _prefix(self, latents: Tensor) -> KeyValues:
        pictures, before = latents.shape[0], len(self._vocabulary.prefix)
        ids = torch.tensor(self._vocabulary.prefix, device=self.device).expand(pictures, -1)
        slots = torch.zeros(pictures, before, dtype=torch.bool, device=self.device)
        slots[:, self._vocabulary.image_slots] = True
        positions = (torch.arange(before, device=self.device) + self._first_position).expand(pictures, -1)
        cache = KeyValues.empty(self._layers, (pictures, self._heads, before, self._head_width), latents)
        self._network.read(ids, torch.ones_like(ids), positions, cache, keep=1, latents=latents, slots=slots)
        return cache

    def _padded(self, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Ids padded on the left and where they are real, both `(n, longest)` int64."""
        longest = max(len(text) for text in texts)
        ids = [[self._vocabulary.pad] * (longest - len(text)) + list(text) for text in texts]
        real = [[0] * (longest - len(text)) + [1] * len(text) for text in texts]
        return torch.tensor(ids, device=self.device), torch.tensor(real, device=self.device)
