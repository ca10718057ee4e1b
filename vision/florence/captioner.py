"""Florence-2 behind the protocol of grounded captioners: a caption first, then where its phrases are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor

from vision.batching import Batches
from vision.encoders.arrays import check_images
from vision.florence.answers import read_answer
from vision.florence.engine import Engine, Question
from vision.florence.locations import CORNERS
from vision.florence.questions import (
    caption_question,
    describe_question,
    locate_question,
    score_prompt,
    text_ids,
    where_question,
)
from vision.florence.replies import caption_of, description_of, regions_of
from vision.grounding.base import CaptionerFacts, Decoding, Detail, GroundedCaption, TextScores, Turn
from vision.grounding.decoding import Written
from vision.grounding.engine import check_pairs
from vision.grounding.errors import NoAnswersError, check_draws, of_each
from vision.grounding.prompts import checked_phrases
from vision.types import Box, Region, RgbImage, Span

_SHORT = Decoding(max_new_tokens=32)


class Florence2Captioner:
    """A Florence-2 in PyTorch. Fulfils `GroundedCaptioner`, but for questions. Safe to call from several threads.

    The model does not point while it writes: `caption` and `samples` write the text first and then ask where its
    phrases are, from one look at the picture. A region's span is None where the model names a phrase that the caption
    does not hold.

    Runs on the first CUDA device where there is one, else on the CPU, in batches sized by the memory that is free.

    Args:
        folder: the model folder or hub snapshot.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        threads: CPU cores for the whole process's PyTorch; None for every core that this process may use.
        precision: `float32`, `bfloat16`, `float16` (on CUDA) or `int8` (on the CPU).

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the weights are pickles, damaged, incomplete or of another architecture, the tokenizer lacks a
            location, or the precision is unknown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None = None,
        threads: int | None = None,
        precision: str = "float32",
    ) -> None:
        self._engine = Engine(folder, name=name, revision=revision, threads=threads, precision=precision)

    @property
    def facts(self) -> CaptionerFacts:
        """What this captioner is."""
        return self._engine.facts

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
        question = caption_question(self._engine, detail, language, decoding or Decoding())
        return self._captions(images, [question] * len(images), decoding or Decoding())

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
        """Draw several captions of each picture; see `GroundedCaptioner`. Their boxes are not drawn: the best ones."""
        check_draws(count, seed)
        check_images(images)
        question = caption_question(self._engine, detail, language, decoding or Decoding())
        questions = [replace(question, seed=(seed, number)) for number in range(count)]
        shown = [image for image in images for _ in range(count)]
        drawn = self._captions(shown, questions * len(images), decoding or Decoding())
        return [drawn[first : first + count] for first in range(0, len(drawn), count)]

    def ground(
        self,
        images: Sequence[RgbImage],
        phrases: Sequence[Sequence[str]],
        *,
        sentences: Sequence[str] | None = None,
        decoding: Decoding | None = None,
    ) -> list[tuple[Region, ...]]:
        """Find each phrase of each picture; see `GroundedCaptioner`. The model reads the whole sentence."""
        check_pairs(images, phrases, "lists of phrases")
        if sentences is not None:
            check_pairs(images, sentences, "sentences")
        told = sentences if sentences is not None else [None] * len(images)
        chosen = decoding or _SHORT
        asked = of_each(
            len(images),
            lambda at: [locate_question(self._engine, one, told[at], chosen) for one in checked_phrases(phrases[at])],
        )
        owners = [number for number, pairs in enumerate(asked) for _ in pairs]
        questions = [question for pairs in asked for question, _ in pairs]
        spans = [span for pairs in asked for _, span in pairs]
        found = self._find([images[number] for number in owners], questions, spans, chosen)
        regions: list[list[Region]] = [[] for _ in images]
        for number, of_phrase in zip(owners, found, strict=True):
            regions[number].extend(of_phrase)
        return [tuple(row) for row in regions]

    def refer(
        self, images: Sequence[RgbImage], expressions: Sequence[str], *, decoding: Decoding | None = None
    ) -> list[tuple[Region, ...]]:
        """Find what one expression per picture refers to; see `GroundedCaptioner`."""
        check_pairs(images, expressions, "expressions")
        chosen = decoding or _SHORT
        questions = of_each(len(images), lambda at: locate_question(self._engine, expressions[at], None, chosen)[0])
        return self._find(images, questions, [None] * len(questions), chosen)

    def describe(
        self, images: Sequence[RgbImage], boxes: Sequence[Box], *, decoding: Decoding | None = None
    ) -> list[GroundedCaption]:
        """Say what is in one box per picture; see `GroundedCaptioner`."""
        check_pairs(images, boxes, "boxes")
        chosen = decoding or _SHORT
        questions = [describe_question(self._engine, box, chosen) for box in boxes]
        written = self._write(images, questions, chosen)
        return [description_of(self._engine, box, answer) for box, answer in zip(boxes, written, strict=True)]

    def ask(
        self,
        images: Sequence[RgbImage],
        questions: Sequence[str],
        *,
        history: Sequence[Sequence[Turn]] | None = None,
        decoding: Decoding | None = None,
    ) -> NoReturn:
        """Refuse: the released weights were not trained to answer questions, and would answer with a caption.

        Raises:
            NoAnswersError: always.
        """
        raise NoAnswersError(
            f"{self.facts.name} answers no questions: Florence-2 was trained to describe and to point, not to answer",
            remedy="Ask kosmos2 or storybook-captioner, or let this one find a phrase or describe a box.",
        )

    def score(self, images: Sequence[RgbImage], texts: Sequence[str], *, prompt: str | None = None) -> TextScores:
        """Say how probable one text per picture is; see `GroundedCaptioner`.

        Args:
            images: the pictures.
            texts: one for each.
            prompt: words, or one of the task tokens of `CAPTION_TASKS`; None for the brief caption's.
        """
        check_pairs(images, texts, "texts")
        engine, vocabulary = self._engine, self._engine.vocabulary
        asked = score_prompt(engine, prompt)
        told = of_each(len(images), lambda at: (*text_ids(engine, texts[at]), vocabulary.end))

        def work(latents: Tensor, picture_of: Sequence[int], part: slice) -> list[float]:
            logits = engine.network.read_answers(latents, picture_of, [asked] * len(told[part]), told[part])
            return [_log_probability(row, ids) for row, ids in zip(logits, told[part], strict=True)]

        longest = max((len(ids) for ids in told), default=0)
        # Every token's logits are kept here, not the last one's alone.
        sums = engine.in_batches(images, work, tokens=len(asked) + longest, copies=max(1, longest // 8))
        tokens = np.array([len(ids) for ids in told], dtype=np.int64)
        total = np.array(sums, np.float32)
        return TextScores(total, (total / np.maximum(tokens, 1)).astype(np.float32), tokens)

    def _captions(
        self, images: Sequence[RgbImage], questions: Sequence[Question], decoding: Decoding
    ) -> list[GroundedCaption]:
        engine = self._engine

        def work(latents: Tensor, picture_of: Sequence[int], part: slice) -> list[GroundedCaption]:
            texts = engine.write(latents, picture_of, questions[part], decoding)
            asked: dict[int, Question] = {}
            for number, text in enumerate(texts):
                caption = read_answer(engine.vocabulary, text.tokens, text.log_probabilities).text
                if caption:
                    asked[number] = where_question(engine, caption, decoding)
            found = engine.write(latents, [picture_of[at] for at in asked], list(asked.values()), decoding)
            answer_of = dict(zip(asked, found, strict=True))
            return [caption_of(engine, text, answer_of.get(number)) for number, text in enumerate(texts)]

        # The second question holds the caption, and its answer repeats it with boxes.
        tokens = 3 * _most(questions) + CORNERS * decoding.max_boxes
        return engine.in_batches(images, work, tokens=tokens, copies=decoding.beams)

    def _find(
        self,
        images: Sequence[RgbImage],
        questions: Sequence[Question],
        spans: Sequence[Span | None],
        decoding: Decoding,
    ) -> list[tuple[Region, ...]]:
        written = self._write(images, questions, decoding)
        return [
            regions_of(self._engine, question, answer, span)
            for question, answer, span in zip(questions, written, spans, strict=True)
        ]

    def _write(self, images: Sequence[RgbImage], questions: Sequence[Question], decoding: Decoding) -> list[Written]:
        def work(latents: Tensor, picture_of: Sequence[int], part: slice) -> list[Written]:
            return self._engine.write(latents, picture_of, questions[part], decoding)

        return self._engine.in_batches(images, work, tokens=_most(questions), copies=decoding.beams)


def _most(questions: Sequence[Question]) -> int:
    """Tokens of a prompt and its answer, at most."""
    return max((len(question.prompt) + question.tokens for question in questions), default=0)


def _log_probability(logits: Tensor, ids: Sequence[int]) -> float:
    """Of ids, given `(at least as many, vocabulary)` logits of which the first are theirs."""
    before = logits[: len(ids)]
    told = torch.tensor(ids, device=logits.device)
    return float((before.gather(1, told[:, None]).squeeze(1) - before.logsumexp(1)).sum())
