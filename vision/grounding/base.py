"""What a grounded captioner is: the protocol that every backend fulfils, what it is told and what it answers."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vision.grounding.errors import DecodingError
from vision.preprocessing import Preprocessing
from vision.types import Box, Region, RgbImage

Detail: TypeAlias = Literal["brief", "detailed"]


@dataclass(frozen=True, slots=True)
class CaptionerFacts:
    """The identity of a captioner: equal identities write equal captions, up to the rounding of the device.

    Attributes:
        name: preset or folder name, for people; not part of the identity.
        backend: `transformers` or `onnx`.
        revision: the hub commit, or the SHA-256 over the files of a local folder (first 40 hex digits).
        precision: see `vision.precision`.
        image_px: side of the square that every picture is squashed to, in pixels.
        grid: locations along one side; a box is good to about 1/grid of that side.
        image_tokens: places in the text that hold what the model saw.
        context_length: tokens of picture, prompt and answer together.
        languages: ISO 639-1 codes in which it answers, the first by default.
        preprocessing: how a picture becomes the model's input.
        prompt_recipe: which words ask for what; changes when the prompts do.
        location: where the model was loaded from (folder); not part of the identity.
    """

    name: str
    backend: str
    revision: str
    precision: str
    image_px: int
    grid: int
    image_tokens: int
    context_length: int
    languages: tuple[str, ...]
    preprocessing: Preprocessing
    prompt_recipe: str
    location: str

    @property
    def identity(self) -> str:
        """SHA-256 (64 hex digits) over everything that changes what is written."""
        parts = asdict(self)
        del parts["name"], parts["location"]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Decoding:
    """How an answer is looked for. The defaults are greedy with constrained boxes.

    Attributes:
        max_new_tokens: longest answer in tokens; a longer one is cut, its tags closed.
        constrained: only well-formed boxes can be written: upper left before lower right, every tag closed. Without it
            the model writes freely, and boxes that are none are dropped and counted.
        max_boxes: boxes in one answer, at most, when constrained.
        max_boxes_per_phrase: boxes of one phrase, at most, when constrained.
        beams: answers that are followed at once; 1 is greedy.
        length_penalty: exponent of the length by which a beam's log-probability is divided; above 0 favours long ones.
        temperature: of sampling; below 1 is more careful.
        top_p: sampling draws from the fewest tokens that together have this probability.
    """

    max_new_tokens: int = 128
    constrained: bool = True
    max_boxes: int = 32
    max_boxes_per_phrase: int = 8
    beams: int = 1
    length_penalty: float = 1.0
    temperature: float = 1.0
    top_p: float = 0.9

    def __post_init__(self) -> None:
        whole = {"max_new_tokens": 8, "max_boxes": 1, "max_boxes_per_phrase": 1, "beams": 1}
        for name, least in whole.items():
            if getattr(self, name) < least:
                raise DecodingError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise DecodingError(f"temperature must be above 0, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise DecodingError(f"top_p must lie in (0, 1], got {self.top_p}")
        if not math.isfinite(self.length_penalty):
            raise DecodingError(f"length_penalty must be finite, got {self.length_penalty}")


@dataclass(frozen=True, slots=True)
class GroundedCaption:
    """A text about one picture, with its phrases tied to boxes.

    Attributes:
        text: the words without tags or outer blanks; without the prompt that asked for them.
        regions: a region for every box, in the order of the text; its span lies in `text`, its score is the geometric
            mean of the probabilities that the model gave to the words of the phrase and the two corners of the box.
        dropped_boxes: boxes written that are none: inverted, half, or tied to no phrase.
        language: the ISO 639-1 code asked for.
        log_probability: natural logarithm of the probability of all tokens written, tags included.
        complete: the model ended by itself; False where the limit on tokens cut it.
    """

    text: str
    regions: tuple[Region, ...]
    dropped_boxes: int
    language: str
    log_probability: float
    complete: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says to a question.

    Attributes:
        text: the answer without tags or outer blanks; may be empty.
        log_probability: natural logarithm of the probability of its tokens.
    """

    text: str
    log_probability: float


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was asked before, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class TextScores:
    """How probable texts are, given pictures.

    Attributes:
        log_probability: `(n,)` float32, natural logarithm of p(text, end of text | image, prompt).
        per_token: `(n,)` float32, the same divided by `tokens`, comparable between lengths.
        tokens: `(n,)` int64, tokens scored, the end among them.
    """

    log_probability: NDArray[np.float32]
    per_token: NDArray[np.float32]
    tokens: NDArray[np.int64]


class GroundedCaptioner(Protocol):
    """Writes about pictures and points while it writes. Every method answers in the order of its images.

    Images are HWC uint8 RGB of any size, squashed to the model's square, so boxes refer to the whole picture. The same
    array given several times is looked at once per batch.
    """

    @property
    def facts(self) -> CaptionerFacts:
        """What this captioner is."""

    def caption(
        self,
        images: Sequence[RgbImage],
        *,
        detail: Detail = "brief",
        language: str = "en",
        decoding: Decoding | None = None,
    ) -> list[GroundedCaption]:
        """Describe each picture.

        Raises:
            LanguageError: the model was not taught this language.
            ModelError: an image is not HWC uint8 RGB, or does not fit into memory alone.
        """

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
        """Draw `count` captions of each picture, which is looked at and read once.

        A picture's draws follow from the seed alone, not from its place or its neighbours, up to the rounding of a
        batched matrix product.

        Raises:
            DecodingError: the count is below 1 or the seed below 0.
            LanguageError: the model was not taught this language.
        """

    def ground(
        self,
        images: Sequence[RgbImage],
        phrases: Sequence[Sequence[str]],
        *,
        sentences: Sequence[str] | None = None,
        decoding: Decoding | None = None,
    ) -> list[tuple[Region, ...]]:
        """Find each phrase of each picture; regions in the order of the phrases, several where a phrase has several.

        Args:
            images: the pictures.
            phrases: for each picture the phrases to find.
            sentences: for each picture the sentence in which its phrases stand; the model reads what comes before the
                phrase, and the region's span lies in the sentence. Without it a phrase stands alone and has no span.
            decoding: how to look.

        Raises:
            PromptError: a phrase is empty, holds a tag, or does not stand in its sentence.
        """

    def refer(
        self, images: Sequence[RgbImage], expressions: Sequence[str], *, decoding: Decoding | None = None
    ) -> list[tuple[Region, ...]]:
        """Find what one expression per picture refers to ("the dog left of the tree"), usually one region.

        Raises:
            PromptError: an expression is empty or holds a tag.
        """

    def describe(
        self, images: Sequence[RgbImage], boxes: Sequence[Box], *, decoding: Decoding | None = None
    ) -> list[GroundedCaption]:
        """Say what is in one box per picture; the first region is that box with the whole text as its phrase."""

    def ask(
        self,
        images: Sequence[RgbImage],
        questions: Sequence[str],
        *,
        history: Sequence[Sequence[Turn]] | None = None,
        decoding: Decoding | None = None,
    ) -> list[Answer]:
        """Answer one question per picture, each after the turns of its history.

        Raises:
            PromptError: a question is empty, too long or holds a tag.
        """

    def score(self, images: Sequence[RgbImage], texts: Sequence[str], *, prompt: str | None = None) -> TextScores:
        """Say how probable one text per picture is as an answer to `prompt` (the brief English caption's when None).

        Raises:
            PromptError: a text is empty, too long or holds a tag, or the prompt is empty.
        """
