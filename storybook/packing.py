"""Several questions about each picture behind one look at it: laid out, and read with a mask that keeps them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Kosmos2ForConditionalGeneration, Kosmos2Processor

from storybook.captioner_model import LATENTS, prefix_ids
from storybook.tasks import Exchange

_PICTURE = slice(2, 2 + LATENTS)  # behind `<s>` and `<image>`


@dataclass(frozen=True, slots=True)
class Packed:
    """Several questions about each picture behind one shared image prefix.

    Attributes:
        ids: `(n, length)` int64 token ids, padded on the right.
        positions: `(n, length)` int64; every segment counts on from the end of the prefix, as if it stood there alone.
        segment: `(n, length)` int64; 0 is the prefix, 1… the segments, -1 padding.
        answer: `(n, length)` bool; where the token is part of an answer and is to be predicted.
        things: `(n, length)` int64; the things that an answer's token speaks of, bit i for thing i; 0 for none.
    """

    ids: Tensor
    positions: Tensor
    segment: Tensor
    answer: Tensor
    things: Tensor


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model makes of a packed batch.

    Attributes:
        logits: `(answers, vocabulary)` float32, for every answer token in row-major order.
        latents: `(n, 64, width)`, the picture as the language model is given it.
        gaze: `(n, heads, 64, patches)`, how far each latent looks at each patch.
        attention: for each watched layer `(n, length, 64)`, how far a row's first head looks at each latent.
    """

    logits: Tensor
    latents: Tensor
    gaze: Tensor
    attention: list[Tensor]


class Packer:
    """Lays the exchanges of each picture behind one image prefix."""

    def __init__(self, processor: Kosmos2Processor, tokens: int) -> None:
        self._tokenizer = processor.tokenizer
        self._prefix = prefix_ids(processor)
        self._tokens = tokens

    def pack(self, exchanges: Sequence[Sequence[Exchange]]) -> Packed:
        """Pack `n` pictures' exchanges; those beyond the token limit are left out."""
        flat = [text for row in exchanges for one in row for text in (one.prompt, one.prompt + one.answer)]
        read = self._tokenizer(flat, add_special_tokens=False, return_offsets_mapping=True) if flat else None
        pieces = iter(zip(read["input_ids"], read["offset_mapping"], strict=True) if read else ())
        rows = []
        for row in exchanges:
            told = [(one, next(pieces)[0], *next(pieces)) for one in row]
            rows.append(self._row([(prompt, whole, _spoken_of(one, at)) for one, prompt, whole, at in told]))
        longest = max(len(row[0]) for row in rows)
        pad = int(self._tokenizer.pad_token_id)
        fills = (pad, 0, -1, 0, 0)
        columns = [
            torch.tensor([list(row[part]) + [fill] * (longest - len(row[part])) for row in rows])
            for part, fill in enumerate(fills)
        ]
        return Packed(columns[0], columns[1], columns[2], columns[3].bool(), columns[4])

    def _row(self, exchanges: Sequence[tuple[list[int], list[int], list[int]]]) -> tuple[list[int], ...]:
        # Kosmos-2's positions start behind the padding id (fairseq's custom).
        start = int(self._tokenizer.pad_token_id) + 1
        ids = list(self._prefix)
        positions = list(range(start, start + len(ids)))
        segment, answer, things = ([0] * len(ids) for _ in range(3))
        for number, (prompt, whole, spoken_of) in enumerate(exchanges, start=1):
            if len(ids) - len(self._prefix) + len(whole) + 1 > self._tokens and number > 1:
                break
            tokens = [*whole, int(self._tokenizer.eos_token_id)]
            behind = start + len(self._prefix)
            ids += tokens
            positions += range(behind, behind + len(tokens))
            segment += [number] * len(tokens)
            answer += [0] * len(prompt) + [1] * (len(tokens) - len(prompt))
            things += [*spoken_of, 0]
        return ids, positions, segment, answer, things


def _spoken_of(exchange: Exchange, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """For each token of prompt and answer the things it speaks of, as bits."""
    before = len(exchange.prompt)
    return [
        sum(
            1 << thing
            for first, end, things in exchange.marks
            if at < before + end and until > before + first
            for thing in things
        )
        if until > before
        else 0
        for at, until in offsets
    ]


def read_packed(
    model: Kosmos2ForConditionalGeneration, features: Tensor, packed: Packed, embeddings: Tensor | None = None
) -> Reading:
    """Read a packed batch.

    The layers are run directly because the model's own forward takes no mask between segments. A segment sees the
    prefix and itself, so its logits equal those of the model's forward on prefix and segment alone (a test holds this).

    Args:
        model: in training or evaluation mode; its attention must be the eager one, which keeps its weights.
        features: of `see`.
        packed: the batch.
        embeddings: `(vocabulary, width)` to read and write tokens with; None for the model's own.
    """
    decoder = model.text_model.model
    latents, gaze = model.image_to_text_projection(features)
    slots = torch.zeros_like(packed.ids, dtype=torch.bool)
    slots[:, _PICTURE] = True
    tokens = decoder.embed_tokens.weight if embeddings is None else embeddings
    hidden = decoder.forward_embedding(
        packed.ids,
        inputs_embeds=functional.embedding(packed.ids, tokens),
        image_embeds=latents,
        img_input_mask=slots,
        position_ids=packed.positions.contiguous(),
    )
    mask = _mask(packed.segment, hidden.dtype if not torch.is_autocast_enabled("cpu") else torch.bfloat16)
    attention: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: tuple[Tensor, Tensor]) -> None:
        attention.append(output[1][:, 0, :, _PICTURE])

    watched = decoder.layers[len(decoder.layers) // 2 :]
    hooks = [layer.self_attn.register_forward_hook(keep) for layer in watched]
    for layer in decoder.layers:
        hidden = layer(hidden, mask)
    for hook in hooks:
        hook.remove()
    before = decoder.layer_norm(hidden)[:, :-1][packed.answer[:, 1:]]
    logits = functional.linear(before, tokens).float()
    return Reading(logits, latents, gaze[..., 1 : features.shape[1]], attention)


def _mask(segment: Tensor, dtype: torch.dtype) -> Tensor:
    """Additive mask `(n, 1, length, length)`: causal, and only the prefix and a token's own segment are seen."""
    length = segment.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segment.device).tril()
    same = segment[:, :, None] == segment[:, None, :]
    prefix = (segment == 0)[:, None, :]
    seen = causal & (same | prefix)
    return torch.zeros(seen.shape, dtype=dtype, device=segment.device).masked_fill(~seen, torch.finfo(dtype).min)[
        :, None
    ]
