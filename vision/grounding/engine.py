"""A Kosmos-2 in memory: loads a folder, looks at pictures, writes answers in batches that fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from vision.batching import Batches
from vision.cuda_memory import memory_of
from vision.encoders.folders import (
    PREPROCESSING_FILES,
    TOKENIZER_FILES,
    content_revision,
    read_json,
    read_preprocessing,
)
from vision.errors import ModelError
from vision.grounding.answering import look_in_batches, write_rows
from vision.grounding.base import CaptionerFacts, Decoding
from vision.grounding.decoding import Row, Written
from vision.grounding.entities import Piece
from vision.grounding.errors import PromptError, of_each
from vision.grounding.grammar import BoxGrammar
from vision.grounding.locations import GRID
from vision.grounding.networks import Network, TorchNetwork
from vision.grounding.onnx_reader import OnnxNetwork, is_exported
from vision.grounding.prompts import OBJECT_END, prompt_recipe
from vision.grounding.static_decoding import reader_for
from vision.grounding.vocabulary import Vocabulary
from vision.lanes import usable_cores
from vision.types import RgbImage

# Enough to keep the device busy; a larger batch only costs memory.
_AT_ONCE = {"cpu": 16, "cuda": 256}
# Copies of one row's logits alive at once: raw, float32, restricted, normalised.
_LIVE_LOGITS = 6
# Copies of one vision layer's activations alive at once, as in the encoders.
_LIVE_COPIES = 16
_SHORTEST_ANSWER = 8
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to put to the model about one picture.

    Attributes:
        text: of a function of `prompts`.
        points: whether the answer may hold boxes.
        stops_after_box: whether it ends with the first `</object>`.
        seed: of a sampled answer; None for the most probable.
    """

    text: str
    points: bool
    stops_after_box: bool = False
    seed: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the pieces of the prompt, the pieces of the answer, and how it was written."""

    asked: tuple[Piece, ...]
    answered: tuple[Piece, ...]
    written: Written

    @property
    def log_probability(self) -> float:
        """Natural logarithm of the probability of the whole answer."""
        return float(sum(self.written.log_probabilities))


class Engine:
    """One model folder, loaded. Safe to call from several threads.

    Args and errors as for `Kosmos2Captioner`.

    Attributes:
        facts: what it is.
        vocabulary: its tokens.
        reader: its forward pass.
        network: what computes it.
        batches: how many pictures it takes at once.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None,
        languages: Sequence[str] | None,
        threads: int | None,
        precision: str,
    ) -> None:
        config = _checked_config(folder)
        cores = threads or usable_cores()
        torch.set_num_threads(cores)
        self.network: Network = (
            OnnxNetwork(folder, precision=precision, threads=cores)
            if is_exported(folder)
            else TorchNetwork(folder, precision=precision)
        )
        image_tokens = int(config.get("latent_query_num", 64))
        self.vocabulary = Vocabulary(folder, image_tokens=image_tokens)
        _check_vocabulary(folder, self.network.config, self.vocabulary)
        self.reader = reader_for(self.network, self.vocabulary)
        side = int(self.network.config.vision_config.image_size)
        files = ["config.json", *self.network.weight_files, *TOKENIZER_FILES, *PREPROCESSING_FILES]
        self.facts = CaptionerFacts(
            name=name,
            backend=self.network.backend,
            revision=revision or content_revision(folder, files),
            precision=precision,
            image_px=side,
            grid=GRID,
            image_tokens=image_tokens,
            context_length=int(self.network.config.text_config.max_position_embeddings),
            languages=tuple(config.get("languages") or languages or ("en",)),
            # A crop would move the boxes: the whole picture is squashed, whatever the folder says.
            preprocessing=read_preprocessing(folder, squash_px=side),
            prompt_recipe=prompt_recipe(),
            location=str(folder),
        )
        device = self.network.device.type
        self.batches = Batches(self._row_bytes(0), ceiling=_AT_ONCE[device], memory=memory_of(device))
        self._grammars: dict[int, BoxGrammar] = {}

    def ask(self, images: Sequence[RgbImage], prompts: Sequence[Prompt], decoding: Decoding) -> list[Reply]:
        """Put one prompt to each picture; replies in order.

        Raises:
            PromptError: another number of prompts than pictures, or a prompt that leaves no room for an answer.
            ModelError: an image is not HWC uint8 RGB, or a single one does not fit into memory.
        """
        check_pairs(images, prompts, "prompts")
        asked = self.vocabulary.prompt_ids([prompt.text for prompt in prompts])
        tokens = of_each(len(asked), lambda at: self._room(asked[at], decoding.max_new_tokens, _SHORTEST_ANSWER))
        grammar = self._grammar(decoding) if decoding.constrained else None
        rows = [
            self._row(prompt, ids, room, decoding, grammar)
            for prompt, ids, room in zip(prompts, asked, tokens, strict=True)
        ]

        def work(latents: Tensor, picture_of: Sequence[int], part: slice) -> list[Written]:
            numbered = [_at(row, picture) for row, picture in zip(rows[part], picture_of, strict=True)]
            return write_rows(self.reader, latents, numbered, grammar=grammar, decoding=decoding)

        longest = max((len(ids) + room for ids, room in zip(asked, tokens, strict=True)), default=0)
        written = self.in_batches(images, work, tokens=longest, copies=decoding.beams)
        return [self._reply(ids, answer) for ids, answer in zip(asked, written, strict=True)]

    def in_batches(
        self,
        images: Sequence[RgbImage],
        work: Callable[[Tensor, Sequence[int], slice], Sequence[_Result]],
        *,
        tokens: int,
        copies: int = 1,
    ) -> list[_Result]:
        """Look at pictures and call `work`, as many at once as fit into memory; results in order.

        Args:
            images: HWC uint8 RGB; an array that comes again within a batch is looked at once.
            work: called with latents `(pictures, image_tokens, width)`, for each input the row of its latents, and the
                inputs' half-open slice.
            tokens: of each input behind its picture, at most.
            copies: rows that one input becomes.
        """
        return look_in_batches(
            self.batches,
            images,
            lambda shown: self.reader.see(self.pixels(shown)),
            work,
            bytes_per_input=self._row_bytes(tokens) * copies,
            turn=self.reader.turn,
        )

    def pixels(self, images: Sequence[RgbImage]) -> Tensor:
        """Squash and normalise: `(n, 3, side, side)` float32."""
        prepared = np.stack([self.facts.preprocessing.prepare(image) for image in images])
        return torch.from_numpy(self.facts.preprocessing.normalise(prepared))

    def check_lengths(self, asked: Sequence[int], told: Sequence[Sequence[int]]) -> None:
        """Refuse a text that does not fit behind a picture and the prompt asked.

        Raises:
            PromptError: states both lengths.
        """
        of_each(len(told), lambda at: self._room([*asked, *told[at]], 0, 0))

    def _room(self, ids: Sequence[int], wanted: int, least: int) -> int:
        free = self.facts.context_length - len(self.vocabulary.prefix) - len(ids)
        if free < least:
            longest = self.facts.context_length - len(self.vocabulary.prefix) - least
            raise PromptError(
                f"the text has {len(ids)} tokens; this model reads at most {longest} beside a picture",
                remedy="Shorten it.",
            )
        return min(wanted, free)

    def _row(
        self, prompt: Prompt, ids: tuple[int, ...], tokens: int, decoding: Decoding, grammar: BoxGrammar | None
    ) -> Row:
        start = None
        if grammar is not None:
            start = grammar.start(ids, tokens=tokens, boxes=decoding.max_boxes, points=prompt.points)
        stops = {self.vocabulary.end}
        if prompt.stops_after_box:
            stops.add(self.vocabulary.tags[OBJECT_END])
        return Row(0, ids, tokens, frozenset(stops), start, prompt.seed)

    def _grammar(self, decoding: Decoding) -> BoxGrammar:
        boxes = decoding.max_boxes_per_phrase
        if boxes not in self._grammars:
            self._grammars[boxes] = BoxGrammar(
                self.vocabulary, size=self.reader.width, max_boxes_per_phrase=boxes, device=self.network.device
            )
        return self._grammars[boxes]

    def _reply(self, ids: tuple[int, ...], written: Written) -> Reply:
        answered = self.vocabulary.pieces(written.tokens, written.log_probabilities)
        return Reply(tuple(self.vocabulary.pieces(ids)), tuple(answered), written)

    def _row_bytes(self, tokens: int) -> int:
        text, eyes = self.network.config.text_config, self.network.config.vision_config
        width = torch.finfo(self.network.dtype).bits // 8
        # The cache of a batch is copied when rows leave it.
        past = 2 * 2 * int(text.layers) * int(text.embed_dim) * width * (len(self.vocabulary.prefix) + tokens)
        patches = (int(eyes.image_size) // int(eyes.patch_size)) ** 2 + 1
        seen = width * (_LIVE_COPIES * patches * int(eyes.hidden_size) + int(eyes.num_attention_heads) * patches**2)
        return past + seen + 4 * _LIVE_LOGITS * self.reader.width


def check_pairs(images: Sequence[RgbImage], others: Sequence[object], what: str) -> None:
    """Refuse lists of different length, and one text in place of a list.

    Raises:
        PromptError: names both counts.
    """
    if isinstance(others, str):
        raise PromptError(f"expected a list of {what}, got the text {others[:40]!r}", remedy="Put it into a list.")
    if len(images) != len(others):
        raise PromptError(f"{len(images)} images need as many {what}, got {len(others)}")


def _at(row: Row, picture: int) -> Row:
    return Row(picture, row.prompt, row.tokens, row.stops, row.start, row.seed)


def _checked_config(folder: Path) -> dict[str, Any]:
    config = read_json(folder, "config.json")
    if config.get("model_type") != "kosmos-2":
        raise ModelError(
            f"{folder}: config.json says {config.get('model_type')!r}, which is no grounded captioner",
            remedy="The captioners that load are folders of Kosmos-2 and Florence-2.",
        )
    return config


def _check_vocabulary(folder: Path, config: Any, vocabulary: Vocabulary) -> None:
    if int(config.text_config.vocab_size) < vocabulary.size:
        raise ModelError(
            f"{folder}: the tokenizer knows {vocabulary.size} tokens, the weights {config.text_config.vocab_size}",
            remedy="They belong to different models; fetch both again.",
        )
    if int(config.text_config.pad_token_id) != vocabulary.pad:
        raise ModelError(
            f"{folder}: the tokenizer pads with {vocabulary.pad}, the weights with {config.text_config.pad_token_id}",
            remedy="They belong to different models; fetch both again.",
        )
