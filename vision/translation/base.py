"""What a translator is: the protocol that every backend fulfils, and what it answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.types import Span


@dataclass(frozen=True, slots=True)
class TranslatorFacts:
    """The identity of a translator: equal identities write equal translations, up to the rounding of the device.

    Attributes:
        name: preset or folder name, for people; not part of the identity.
        backend: `transformers`.
        revision: the hub commit, or the SHA-256 over the files of a local folder (first 40 hex digits).
        precision: `float32`.
        context_length: tokens of one sentence, those that frame it among them.
        languages: ISO 639 codes between which it translates, in any direction.
        recipe: how the most probable translation is looked for.
        location: where the model was loaded from (folder); not part of the identity.
    """

    name: str
    backend: str
    revision: str
    precision: str
    context_length: int
    languages: tuple[str, ...]
    recipe: str
    location: str

    @property
    def identity(self) -> str:
        """SHA-256 (64 hex digits) over everything that changes what is written."""
        parts = asdict(self)
        del parts["name"], parts["location"]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Translation:
    """One translated sentence.

    Attributes:
        text: the words, without outer blanks; may be empty where the model has nothing to say.
        log_probability: natural logarithm of the probability of its tokens, given the sentence.
        complete: the model ended by itself; False where the limit on tokens cut it.
    """

    text: str
    log_probability: float
    complete: bool


@dataclass(frozen=True, slots=True)
class Alignment:
    """From which tokens of a sentence each token of its translation comes.

    Attributes:
        source: where the sentence's tokens stand in it, in their order; tokens without a visible letter are left out.
        target: the same for the translation.
        weights: `(len(target), len(source))` float32, at least 0; each row sums to 1, or to 0 where nothing is known.
    """

    source: tuple[Span, ...]
    target: tuple[Span, ...]
    weights: NDArray[np.float32]


class Translator(Protocol):
    """Translates sentences, and says which words became which. Every method answers in the order of its texts."""

    @property
    def facts(self) -> TranslatorFacts:
        """What this translator is."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[Translation]:
        """Translate sentences; `vision.translation.passages` splits longer texts.

        Args:
            texts: one sentence each.
            source: ISO 639 code of their language.
            target: code of the language to write.

        Raises:
            LanguageError: a language that it does not know, or the same one twice.
            TranslationError: a text is empty, or too long to be read at once; the message names its position.
            ModelError: a single text does not fit into memory.
        """

    def align(self, texts: Sequence[str], translations: Sequence[str], *, source: str, target: str) -> list[Alignment]:
        """Tie the tokens of each translation to the tokens of its sentence, whoever translated it.

        Raises:
            LanguageError: as for `translate`.
            TranslationError: as for `translate`, or another number of translations than texts. A translation may be
                empty, and of one that is too long the rest is aligned with nothing.
            ModelError: a single pair does not fit into memory.
        """
