"""Kosmos-2 as a grounded captioner: every form of question that its authors trained, with validated answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vision.batching import Batches
from vision.encoders.arrays import check_images
from vision.errors import ModelError
from vision.grounding.attention import Watcher
from vision.grounding.base import Answer, CaptionerFacts, Decoding, Detail, GroundedCaption, TextScores, Turn
from vision.grounding.engine import Engine, Prompt, check_pairs
from vision.grounding.entities import read_entities
from vision.grounding.errors import PromptError, check_draws, of_each
from vision.grounding.networks import Network, TorchNetwork
from vision.grounding.prompts import (
    caption_prompt,
    checked_phrases,
    checked_prompt,
    checked_text,
    describe_prompt,
    locate_prompt,
    question_prompt,
    span_in,
)
from vision.grounding.replies import caption_of, description_of, regions_of
from vision.grounding.seeing import AttentionMaps, ExplainedCaption, PatchTokens
from vision.types import Box, Region, RgbImage, Span

_SHORT = Decoding(max_new_tokens=32)


class Kosmos2Captioner:
    """A Kosmos-2 in PyTorch or, from an exported folder, in ONNX Runtime. Safe to call from several threads.

    Fulfils `SeeingCaptioner`; an exported one refuses to show what it looks at.

    Runs on the first CUDA device where there is one, else on the CPU, in batches sized by the memory that is free.

    Args:
        folder: the model folder, hub snapshot or export.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        languages: codes in which it writes, when `config.json` has no list `languages`; English alone when None.
        threads: CPU cores for the whole process's PyTorch; None for every core that this process may use.
        precision: `float32`, `bfloat16`, `float16` (on CUDA) or `int8` (on the CPU); an export has its own choice.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the weights are pickles, damaged, incomplete or of another architecture, the tokenizer lacks a tag
            or a location, or the precision is unknown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None = None,
        languages: Sequence[str] | None = None,
        threads: int | None = None,
        precision: str = "float32",
    ) -> None:
        self._engine = Engine(
            folder, name=name, revision=revision, languages=languages, threads=threads, precision=precision
        )

    @cached_property
    def _watcher(self) -> Watcher:
        network = self._engine.network
        if not isinstance(network, TorchNetwork):
            raise ModelError(
                f"{self.facts.name}: an exported captioner writes, but shows neither patch tokens nor attention",
                remedy="Ask the folder that it was exported from.",
            )
        return Watcher(network.model, self._engine.vocabulary)

    @property
    def facts(self) -> CaptionerFacts:
        """What this captioner is."""
        return self._engine.facts

    @property
    def network(self) -> Network:
        """What computes its answers."""
        return self._engine.network

    @property
    def picture_batches(self) -> Batches:
        """How batches of pictures are sized."""
        return self._engine.batches

    def caption(
        self,
        images: Sequence[RgbImage],
        *,
        detail: Detail = "brief",
        language: str = "en",
        decoding: Decoding | None = None,
    ) -> list[GroundedCaption]:
        """Describe each picture; see `GroundedCaptioner`."""
        prompt = Prompt(caption_prompt(detail, language, spoken=self.facts.languages), points=True)
        replies = self._engine.ask(images, [prompt] * len(images), decoding or Decoding())
        return [caption_of(reply, language) for reply in replies]

    def samples(
        self,
        images: Sequence[RgbImage],
        count: int,
        *,
        seed: int,
        detail: Detail = "brief",
        language: str = "en",
        decoding: Decoding | None = None,
    ) -> list[list[GroundedCaption]]:
        """Draw several captions of each picture, which is looked at and read once; see `GroundedCaptioner`."""
        check_draws(count, seed)
        check_images(images)
        text = caption_prompt(detail, language, spoken=self.facts.languages)
        prompts = [Prompt(text, points=True, seed=(seed, number)) for number in range(count)]
        shown = [image for image in images for _ in range(count)]
        replies = self._engine.ask(shown, prompts * len(images), decoding or Decoding())
        drawn = [caption_of(reply, language) for reply in replies]
        return [drawn[first : first + count] for first in range(0, len(drawn), count)]

    def ground(
        self,
        images: Sequence[RgbImage],
        phrases: Sequence[Sequence[str]],
        *,
        sentences: Sequence[str] | None = None,
        decoding: Decoding | None = None,
    ) -> list[tuple[Region, ...]]:
        """Find each phrase of each picture; see `GroundedCaptioner`."""
        check_pairs(images, phrases, "lists of phrases")
        if sentences is not None:
            check_pairs(images, sentences, "sentences")
        told = sentences if sentences is not None else [None] * len(images)
        asked = of_each(len(images), lambda at: [_locate(phrase, told[at]) for phrase in checked_phrases(phrases[at])])
        owners = [number for number, pairs in enumerate(asked) for _ in pairs]
        prompts = [prompt for pairs in asked for prompt, _ in pairs]
        spans = [span for pairs in asked for _, span in pairs]
        found = self._locate([images[number] for number in owners], prompts, spans, decoding)
        regions: list[list[Region]] = [[] for _ in images]
        for number, of_phrase in zip(owners, found, strict=True):
            regions[number].extend(of_phrase)
        return [tuple(row) for row in regions]

    def refer(
        self, images: Sequence[RgbImage], expressions: Sequence[str], *, decoding: Decoding | None = None
    ) -> list[tuple[Region, ...]]:
        """Find what one expression per picture refers to; see `GroundedCaptioner`."""
        check_pairs(images, expressions, "expressions")
        prompts = of_each(len(images), lambda at: _locate(expressions[at], None)[0])
        return self._locate(images, prompts, [None] * len(prompts), decoding)

    def describe(
        self, images: Sequence[RgbImage], boxes: Sequence[Box], *, decoding: Decoding | None = None
    ) -> list[GroundedCaption]:
        """Say what is in one box per picture; see `GroundedCaptioner`."""
        check_pairs(images, boxes, "boxes")
        prompts = [Prompt(describe_prompt(box), points=True) for box in boxes]
        replies = self._engine.ask(images, prompts, decoding or _SHORT)
        return [description_of(box, reply) for reply, box in zip(replies, boxes, strict=True)]

    def ask(
        self,
        images: Sequence[RgbImage],
        questions: Sequence[str],
        *,
        history: Sequence[Sequence[Turn]] | None = None,
        decoding: Decoding | None = None,
    ) -> list[Answer]:
        """Answer one question per picture; see `GroundedCaptioner`."""
        check_pairs(images, questions, "questions")
        told = history if history is not None else [()] * len(questions)
        check_pairs(images, told, "histories")
        prompts = of_each(len(images), lambda at: Prompt(question_prompt(questions[at], told[at]), points=False))
        replies = self._engine.ask(images, prompts, decoding or _SHORT)
        return [Answer(read_entities(reply.answered).text, reply.log_probability) for reply in replies]

    def score(self, images: Sequence[RgbImage], texts: Sequence[str], *, prompt: str | None = None) -> TextScores:
        """Say how probable one text per picture is; see `GroundedCaptioner`."""
        check_pairs(images, texts, "texts")
        vocabulary = self._engine.vocabulary
        given = caption_prompt("brief", "en", spoken=("en",)) if prompt is None else checked_prompt(prompt)
        asked = vocabulary.prompt_ids([given])[0]
        plain = of_each(len(images), lambda at: checked_text(texts[at], "text"))
        told = [(*ids, vocabulary.end) for ids in vocabulary.prompt_ids(plain)]
        self._engine.check_lengths(asked, told)

        def work(latents: Tensor, picture_of: Sequence[int], part: slice) -> list[float]:
            logits = self._engine.reader.read_all(latents, picture_of, [(*asked, *ids) for ids in told[part]])
            return [_log_probability(row, ids) for row, ids in zip(logits, told[part], strict=True)]

        longest = max((len(asked) + len(ids) for ids in told), default=0)
        # Every token's logits are kept here, not the last one's alone.
        sums = np.array(self._engine.in_batches(images, work, tokens=longest, copies=max(1, longest // 8)), np.float32)
        tokens = np.array([len(ids) for ids in told], dtype=np.int64)
        return TextScores(sums, (sums / np.maximum(tokens, 1)).astype(np.float32), tokens)

    def patch_tokens(self, images: Sequence[RgbImage]) -> PatchTokens:
        """Look at pictures and return what was seen; see `SeeingCaptioner`."""
        check_images(images)
        if not len(images):
            raise PromptError("no pictures to look at")
        with torch.inference_mode():
            seen = [self._watcher.patch_tokens(self._engine.pixels([image])) for image in images]
        return PatchTokens(
            patches=np.concatenate([one.patches for one in seen]),
            overall=np.concatenate([one.overall for one in seen]),
            positions=seen[0].positions,
            centres_xy=seen[0].centres_xy,
            latents=np.concatenate([one.latents for one in seen]),
        )

    def explain(
        self,
        images: Sequence[RgbImage],
        *,
        detail: Detail = "brief",
        language: str = "en",
        decoding: Decoding | None = None,
    ) -> list[ExplainedCaption]:
        """Describe each picture and say which patches each word was written from; see `SeeingCaptioner`."""
        prompt = Prompt(caption_prompt(detail, language, spoken=self.facts.languages), points=True)
        replies = self._engine.ask(images, [prompt] * len(images), decoding or Decoding())
        asked = self._engine.vocabulary.prompt_ids([prompt.text])[0]
        return [
            ExplainedCaption(caption_of(reply, language), self._watch(image, asked, reply.written.tokens))
            for image, reply in zip(images, replies, strict=True)
        ]

    def attend(self, images: Sequence[RgbImage], texts: Sequence[str]) -> list[AttentionMaps]:
        """Say which patches each word of a given text would be written from; see `SeeingCaptioner`."""
        check_pairs(images, texts, "texts")
        check_images(images)
        vocabulary = self._engine.vocabulary
        asked = vocabulary.prompt_ids([caption_prompt("brief", "en", spoken=("en",))])[0]
        told = vocabulary.prompt_ids(of_each(len(images), lambda at: checked_text(texts[at], "text")))
        self._engine.check_lengths(asked, told)
        return [self._watch(image, asked, ids) for image, ids in zip(images, told, strict=True)]

    def _watch(self, image: RgbImage, asked: Sequence[int], answer: Sequence[int]) -> AttentionMaps:
        with torch.inference_mode():
            return self._watcher.watch(self._engine.pixels([image]), asked, answer)

    def _locate(
        self,
        images: Sequence[RgbImage],
        prompts: Sequence[Prompt],
        spans: Sequence[Span | None],
        decoding: Decoding | None,
    ) -> list[tuple[Region, ...]]:
        replies = self._engine.ask(images, prompts, decoding or _SHORT)
        return [regions_of(reply, span) for reply, span in zip(replies, spans, strict=True)]


def _locate(phrase: str, sentence: str | None) -> tuple[Prompt, Span | None]:
    if sentence is None:
        return Prompt(locate_prompt(checked_text(phrase, "phrase")), points=True, stops_after_box=True), None
    plain, span = checked_text(phrase, "phrase"), span_in(sentence, phrase)
    before = sentence[: span.start].strip()
    text = locate_prompt(plain, before=checked_text(before, "sentence") if before else "")
    return Prompt(text, points=True, stops_after_box=True), span


def _log_probability(logits: Tensor, ids: Sequence[int]) -> float:
    """Sum over the last `len(ids)` tokens of a row that is padded on the left; `logits` is `(length, vocabulary)`."""
    told = torch.tensor(ids, device=logits.device)
    before = logits[-len(ids) - 1 : -1]
    return float((before.gather(1, told[:, None]).squeeze(1) - before.logsumexp(1)).sum())
