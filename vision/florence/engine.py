"""A Florence-2 folder, loaded: puts prompts to pictures in batches that fit, each picture looked at once."""

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
from vision.florence.grammar import AnswerGrammar, Form
from vision.florence.locations import BINS
from vision.florence.network import FlorenceNetwork
from vision.florence.prompts import LANGUAGES, prompt_recipe
from vision.florence.vocabulary import Vocabulary
from vision.grounding.answering import look_in_batches, write_rows
from vision.grounding.base import CaptionerFacts, Decoding
from vision.grounding.decoding import Row, Written
from vision.grounding.errors import check_length
from vision.grounding.networks import weight_files
from vision.grounding.presets import FLORENCE
from vision.lanes import usable_cores
from vision.preprocessing import Preprocessing
from vision.types import RgbImage

# Enough to keep the device busy; a larger batch only costs memory.
_AT_ONCE = {"cpu": 16, "cuda": 128}
# Copies of one row's logits alive at once: raw, float32, restricted, normalised.
_LIVE_LOGITS = 6
# Copies of the widest vision stage's activations alive at once: its input, three of attention, four behind, scratch.
_LIVE_COPIES = 12
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Question:
    """What to put to the model about one picture.

    Attributes:
        prompt: ids.
        form: what the answer may hold.
        tokens: its length at most, the opening included.
        opening: ids that it begins with.
        seed: of a sampled answer; None for the most probable.
    """

    prompt: tuple[int, ...]
    form: Form
    tokens: int
    opening: tuple[int, ...] = ()
    seed: tuple[int, ...] | None = None


class Engine:
    """One model folder, loaded. Safe to call from several threads.

    Args and errors as for `Florence2Captioner`.

    Attributes:
        facts: what it is.
        vocabulary: its tokens.
        network: what computes.
        batches: how many pictures it takes at once.
        nameless: phrases that the folder says name no thing to be pointed at.
    """

    def __init__(self, folder: Path, *, name: str, revision: str | None, threads: int | None, precision: str) -> None:
        kind = read_json(folder, "config.json").get("model_type")
        if kind != FLORENCE:
            raise ModelError(
                f"{folder}: config.json says {kind!r}, which is no Florence-2",
                remedy="Load it by load_captioner, which looks at config.json first.",
            )
        torch.set_num_threads(threads or usable_cores())
        self.network = FlorenceNetwork(folder, precision=precision)
        text = self.network.config.text_config
        self.vocabulary = Vocabulary(folder, text)
        preprocessing = _squashing(folder)
        self._side = preprocessing.output_hw[0]
        self.facts = CaptionerFacts(
            name=name,
            backend="transformers",
            revision=revision
            or content_revision(folder, ["config.json", *weight_files(folder), *TOKENIZER_FILES, *PREPROCESSING_FILES]),
            precision=precision,
            image_px=self._side,
            grid=BINS,
            image_tokens=self._image_tokens(folder),
            # Of picture and prompt; an answer has as many places of its own.
            context_length=int(text.max_position_embeddings),
            languages=LANGUAGES,
            preprocessing=preprocessing,
            prompt_recipe=prompt_recipe(),
            location=str(folder),
        )
        self.nameless = _nameless(folder)
        device = self.network.device.type
        self.batches = Batches(self._row_bytes(0), ceiling=_AT_ONCE[device], memory=memory_of(device))
        self._grammars: dict[int, AnswerGrammar] = {}

    @property
    def longest_answer(self) -> int:
        """Tokens of an answer, at most: the places less those of what every answer is written behind."""
        return self.facts.context_length - 2

    @property
    def longest_prompt(self) -> int:
        """Tokens of a prompt between `<s>` and `</s>`, at most."""
        return self.facts.context_length - self.facts.image_tokens - 2

    def prompt_ids(self, words: str) -> tuple[int, ...]:
        """Ids of a prompt as the model was trained on it.

        Raises:
            PromptError: it is longer than the model reads beside a picture.
        """
        ids = self.vocabulary.ids(words)
        check_length(len(ids), self.longest_prompt, "beside a picture")
        return (self.vocabulary.begin, *ids, self.vocabulary.end)

    def write(
        self, latents: Tensor, picture_of: Sequence[int], questions: Sequence[Question], decoding: Decoding
    ) -> list[Written]:
        """Write every answer.

        Args:
            latents: `(pictures, image_tokens, width)`.
            picture_of: for each question the row of `latents`.
            questions: what is asked.
            decoding: how to look for answers.
        """
        grammar = self._grammar(decoding.max_boxes_per_phrase)
        rows = [
            self._row(question, picture, decoding, grammar)
            for question, picture in zip(questions, picture_of, strict=True)
        ]
        return write_rows(self.network, latents, rows, grammar=grammar, decoding=decoding)

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
            tokens: of each input behind its picture, prompt and answer, at most.
            copies: rows that one input becomes.

        Raises:
            ModelError: an image is not HWC uint8 RGB, or a single one does not fit into memory.
        """
        return look_in_batches(
            self.batches,
            images,
            lambda shown: self.network.see(self._pixels(shown)),
            work,
            bytes_per_input=self._row_bytes(tokens) * copies,
        )

    def _pixels(self, images: Sequence[RgbImage]) -> Tensor:
        prepared = np.stack([self.facts.preprocessing.prepare(image) for image in images])
        return torch.from_numpy(self.facts.preprocessing.normalise(prepared))

    def _row(self, question: Question, picture: int, decoding: Decoding, grammar: AnswerGrammar) -> Row:
        start = None
        if decoding.constrained or question.opening:
            form = question.form if decoding.constrained else Form.ANYTHING
            start = grammar.start(form, tokens=question.tokens, boxes=decoding.max_boxes, opening=question.opening)
        stops = {self.vocabulary.end}
        if question.form is Form.DESCRIPTION:
            stops.update(range(self.vocabulary.first_location, self.vocabulary.first_location + BINS))
        return Row(picture, question.prompt, question.tokens, frozenset(stops), start, question.seed)

    def _grammar(self, boxes: int) -> AnswerGrammar:
        if boxes not in self._grammars:
            self._grammars[boxes] = AnswerGrammar(
                self.vocabulary, size=self.network.width, max_boxes_per_phrase=boxes, device=self.network.device
            )
        return self._grammars[boxes]

    def _image_tokens(self, folder: Path) -> int:
        eyes = self.network.config.vision_config
        side = self._side
        for patch, stride, padding in zip(eyes.patch_size, eyes.patch_stride, eyes.patch_padding, strict=True):
            side = (side + 2 * padding - patch) // stride + 1
        if not 1 <= side <= int(eyes.max_position_embeddings):
            raise ModelError(
                f"{folder}: a picture of {self._side} pixels has {side} places along a side, the weights "
                f"{eyes.max_position_embeddings}",
                remedy="preprocessor_config.json and config.json belong to different models; fetch both again.",
            )
        # All places, and one for their mean.
        return side**2 + 1

    def _row_bytes(self, tokens: int) -> int:
        text, eyes = self.network.config.text_config, self.network.config.vision_config
        width = torch.finfo(self.network.dtype).bits // 8
        length = self.facts.image_tokens + tokens
        # Keys and values of what is read and written; copied when rows leave the batch.
        past = 2 * 2 * int(text.decoder_layers) * int(text.d_model) * width * length
        read = _LIVE_COPIES * int(text.d_model) * width * length
        stage = (self._side // int(eyes.patch_stride[0])) ** 2 * int(eyes.embed_dim[0])
        return past + read + _LIVE_COPIES * stage * width + 4 * _LIVE_LOGITS * self.network.width


def _squashing(folder: Path) -> Preprocessing:
    """How the folder prepares pictures, but squashed whole: a crop would move the boxes."""
    height, width = read_preprocessing(folder).output_hw
    if height != width:
        raise ModelError(
            f"{folder}: pictures of {width}×{height} pixels are asked for; Florence-2 sees squares",
            remedy="Fetch preprocessor_config.json again.",
        )
    return read_preprocessing(folder, squash_px=height)


def _nameless(folder: Path) -> frozenset[str]:
    if not (folder / "processor_config.json").is_file():
        return frozenset()
    rules: Any = read_json(folder, "processor_config.json")
    for name in ("post_processor_config", "phrase_grounding"):
        rules = rules.get(name) if isinstance(rules, dict) else None
    words = rules.get("banned_grounding_tokens") if isinstance(rules, dict) else None
    return frozenset(str(word) for word in words) if isinstance(words, list) else frozenset()
