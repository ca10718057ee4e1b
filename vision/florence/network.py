"""Florence-2 in memory: looks at pictures, reads prompts behind them, writes token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache, EncoderDecoderCache, Florence2ForConditionalGeneration

from vision.grounding.key_values import cache_argument
from vision.grounding.networks import load_for_device


@dataclass(slots=True)
class Context:
    """Rows that are being written.

    Attributes:
        seen: `(n, length, width)`, each row's picture and prompt as the encoder read them.
        mask: `(n, length)` int64, 0 where a prompt is padded.
        reading_of: `(n,)` int64, rows with the same number have the same picture and prompt.
        past: keys and values, of what was written and of `seen`.
        logits: `(n, vocabulary)` float32, for the next token.
    """

    seen: Tensor
    mask: Tensor
    reading_of: Tensor
    past: EncoderDecoderCache
    logits: Tensor

    def select(self, rows: Tensor) -> Context:
        """The rows named, in that order; a row may be repeated (samples, beams) or left out (finished)."""
        reading_of = self.reading_of[rows]
        written = _selected(self.past.self_attention_cache, rows)
        if torch.equal(reading_of, self.reading_of):
            # Beams change places at every token; what they read is large and stays where it is.
            past = EncoderDecoderCache(written, self.past.cross_attention_cache)
            return Context(self.seen, self.mask, reading_of, past, self.logits[rows])
        past = EncoderDecoderCache(written, _selected(self.past.cross_attention_cache, rows))
        return Context(self.seen[rows], self.mask[rows], reading_of, past, self.logits[rows])


class FlorenceNetwork:
    """A `Florence2ForConditionalGeneration` with the library's fused attention. Fulfils `RowReader`.

    A prompt stands behind its picture, padded on the right and masked: the encoder numbers places from the left, so
    that padding moves nothing.

    Args:
        folder: the model folder.
        precision: see `vision.precision`; float16 on CUDA only, int8 on the CPU only.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the weights are pickles, damaged or incomplete, or this device does not compute in that precision.

    Attributes:
        leaving_share: rows that are done leave a batch once half of it is done: what they have read is copied then,
            which costs about as much as a step or two.
        width: of the logits, which may exceed the vocabulary.
    """

    leaving_share = 0.5

    def __init__(self, folder: Path, *, precision: str) -> None:
        self._model: Any = load_for_device(Florence2ForConditionalGeneration, folder, precision)
        self._language = self._model.model.language_model
        self._cache_argument = cache_argument(self._language.decoder)
        self._embed = self._model.get_input_embeddings()
        text = self.config.text_config
        self.width = int(text.vocab_size)
        # What an answer is written behind: the library forces the second one as the first token of every answer.
        self._opening = (int(text.decoder_start_token_id), int(text.bos_token_id))
        self._pad = int(text.pad_token_id)

    @property
    def config(self) -> Any:
        """The `Florence2Config`."""
        return self._model.config

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self._model.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """What everything but 8-bit weights is."""
        dtype: torch.dtype = self._model.dtype
        return dtype

    def see(self, pixels: Tensor) -> Tensor:
        """Look at `(n, 3, side, side)` normalised pixels; `(n, image_tokens, width)` to stand before a prompt."""
        looked = self._model.get_image_features(pixels.to(self.device, self.dtype))
        latents: Tensor = looked.pooler_output
        return latents

    def read(self, latents: Tensor, picture_of: Sequence[int], texts: Sequence[Sequence[int]], *, room: int) -> Context:
        """Read each prompt behind its picture, and the beginning that all answers share.

        Args:
            latents: `(pictures, image_tokens, width)` from `see`.
            picture_of: for each prompt the row of `latents`.
            texts: ids of each prompt.
            room: tokens that will be written; the memory grows with them.
        """
        seen, mask = self._encode(latents, picture_of, texts)
        past = EncoderDecoderCache(DynamicCache(), DynamicCache())
        opening = torch.tensor([self._opening] * len(texts), device=self.device)
        logits = self._decode(opening, seen, mask, past=past, keep=1)
        return Context(seen, mask, torch.arange(len(texts), device=self.device), past, logits[:, -1])

    def step(self, context: Context, tokens: Tensor) -> None:
        """Read one more token per row, `(n,)` int64, and update the context in place."""
        logits = self._decode(tokens[:, None], context.seen, context.mask, past=context.past, keep=1)
        context.logits = logits[:, -1]

    def read_answers(
        self,
        latents: Tensor,
        picture_of: Sequence[int],
        texts: Sequence[Sequence[int]],
        answers: Sequence[Sequence[int]],
    ) -> Tensor:
        """Logits for every token of given answers: `(n, longest answer, vocabulary)` float32, padded on the right."""
        seen, mask = self._encode(latents, picture_of, texts)
        told = [torch.tensor([*self._opening, *answer[:-1]]) for answer in answers]
        ids = pad_sequence(told, batch_first=True, padding_value=self._pad).to(self.device)
        return self._decode(ids, seen, mask, past=None, keep=0)[:, len(self._opening) - 1 :]

    def _encode(
        self, latents: Tensor, picture_of: Sequence[int], texts: Sequence[Sequence[int]]
    ) -> tuple[Tensor, Tensor]:
        prompts = [torch.tensor(list(text)) for text in texts]
        ids = pad_sequence(prompts, batch_first=True, padding_value=self._pad).to(self.device)
        real = pad_sequence([torch.ones_like(prompt) for prompt in prompts], batch_first=True).to(self.device)
        pictures = latents[torch.tensor(list(picture_of), device=self.device)]
        mask = torch.cat([real.new_ones(pictures.shape[:2]), real], dim=1)
        embedded = torch.cat([pictures, self._embed(ids)], dim=1)
        seen: Tensor = self._language.encoder(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        return seen, mask

    def _decode(
        self, ids: Tensor, seen: Tensor, mask: Tensor, *, past: EncoderDecoderCache | None, keep: int
    ) -> Tensor:
        output = self._language.decoder(
            input_ids=ids,
            encoder_hidden_states=seen,
            encoder_attention_mask=mask,
            use_cache=past is not None,
            **{self._cache_argument: past},
        )
        logits: Tensor = self._model.lm_head(output.last_hidden_state[:, -keep:]).float()
        return logits


def _selected(cache: DynamicCache, rows: Tensor) -> DynamicCache:
    chosen = DynamicCache()
    for number, layer in enumerate(cache.layers):
        chosen.update(layer.keys[rows], layer.values[rows], number)
    return chosen
