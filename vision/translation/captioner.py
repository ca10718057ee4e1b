"""A captioner that also answers in languages it was not taught, through a translator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vision.batching import Batches, SizesBatches
from vision.grounding.base import (
    Answer,
    CaptionerFacts,
    Decoding,
    Detail,
    GroundedCaption,
    GroundedCaptioner,
    TextScores,
    Turn,
)
from vision.grounding.errors import LanguageError
from vision.grounding.prompts import checked_text, span_in
from vision.translation.base import Translator
from vision.translation.realign import translate_captions, translate_texts
from vision.translation.registry import load_translator
from vision.types import Box, Region, RgbImage


class TranslatingCaptioner:
    """A captioner behind a translator. Fulfils `GroundedCaptioner`.

    A language that the captioner writes itself goes straight to it. Any other goes through the captioner's first
    language: what is asked is translated into it, what is written is translated back, and boxes stay on their phrases.
    Methods whose protocol names no language take one here.

    Args:
        captioner: looks at the pictures.
        translator: knows the captioner's first language.

    Attributes:
        picture_batches: how the captioner sizes its batches.

    Raises:
        LanguageError: it does not.
    """

    def __init__(self, captioner: GroundedCaptioner, translator: Translator) -> None:
        self._captioner, self._translator = captioner, translator
        self._spoken = captioner.facts.languages
        self._first = self._spoken[0]
        known = translator.facts.languages
        if self._first not in known:
            raise LanguageError(
                f"{translator.facts.name} does not translate from {self._first!r}, which {captioner.facts.name} writes",
                remedy=f"It translates between {', '.join(known)}; choose another translator.",
            )
        self._facts = replace(
            captioner.facts,
            name=f"{captioner.facts.name}+{translator.facts.name}",
            languages=(*self._spoken, *(language for language in known if language not in self._spoken)),
            # Another translator writes other captions.
            prompt_recipe=f"{captioner.facts.prompt_recipe}|{translator.facts.identity}",
        )
        # Pictures are the captioner's business; for one that does not size its batches these stand for "nothing known".
        self.picture_batches = (
            captioner.picture_batches if isinstance(captioner, SizesBatches) else Batches(1, ceiling=1)
        )

    @property
    def facts(self) -> CaptionerFacts:
        """The captioner's facts with the languages of both; the identity changes with either."""
        return self._facts

    def caption(
        self,
        images: Sequence[RgbImage],
        *,
        detail: Detail = "brief",
        language: str = "en",
        decoding: Decoding | None = None,
    ) -> list[GroundedCaption]:
        """Describe each picture; see `GroundedCaptioner`.

        Raises:
            LanguageError: neither of the two knows the language.
        """
        written = self._captioner.caption(images, detail=detail, language=self._asked(language), decoding=decoding)
        return self._told(written, language)

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
        """Draw several captions of each picture and translate each; see `GroundedCaptioner`."""
        drawn = self._captioner.samples(
            images, count, seed=seed, detail=detail, language=self._asked(language), decoding=decoding
        )
        told = self._told([caption for row in drawn for caption in row], language)
        return [told[first : first + count] for first in range(0, len(told), count)]

    def ground(
        self,
        images: Sequence[RgbImage],
        phrases: Sequence[Sequence[str]],
        *,
        sentences: Sequence[str] | None = None,
        decoding: Decoding | None = None,
        language: str = "en",
    ) -> list[tuple[Region, ...]]:
        """Find each phrase of each picture; see `GroundedCaptioner`.

        A phrase in a language that the captioner does not write is looked for by its translation alone; its sentence,
        where there is one, says only where it stands.
        """
        counts = {len(images), len(phrases), len(images if sentences is None else sentences)}
        if self._asked(language) == language or len(counts) > 1:  # which the captioner refuses in its own words
            return self._captioner.ground(images, phrases, sentences=sentences, decoding=decoding)
        owners = [place for place, row in enumerate(phrases) for _ in row]
        asked = [phrase for row in phrases for phrase in row]
        places = (
            [span_in(sentences[owner], phrase) for owner, phrase in zip(owners, asked, strict=True)]
            if sentences
            else None
        )
        # The same array given several times is looked at once, and each phrase has an answer of its own.
        found = self._captioner.ground(
            [images[owner] for owner in owners],
            [[one] for one in self._in_first(asked, language, "phrase")],
            decoding=decoding,
        )
        regions: list[list[Region]] = [[] for _ in images]
        for number, of_phrase in enumerate(found):
            span = places[number] if places else None
            regions[owners[number]].extend(replace(one, phrase=asked[number], span=span) for one in of_phrase)
        return [tuple(row) for row in regions]

    def refer(
        self,
        images: Sequence[RgbImage],
        expressions: Sequence[str],
        *,
        decoding: Decoding | None = None,
        language: str = "en",
    ) -> list[tuple[Region, ...]]:
        """Find what one expression per picture refers to; see `GroundedCaptioner`."""
        if self._asked(language) == language:
            return self._captioner.refer(images, expressions, decoding=decoding)
        found = self._captioner.refer(images, self._in_first(expressions, language, "expression"), decoding=decoding)
        return [
            tuple(replace(region, phrase=expression) for region in row)
            for row, expression in zip(found, expressions, strict=True)
        ]

    def describe(
        self,
        images: Sequence[RgbImage],
        boxes: Sequence[Box],
        *,
        decoding: Decoding | None = None,
        language: str = "en",
    ) -> list[GroundedCaption]:
        """Say what is in one box per picture; see `GroundedCaptioner`."""
        self._asked(language)
        # What is in a box is always said in English: there is no prompt for it in another language.
        return self._told(self._captioner.describe(images, boxes, decoding=decoding), language)

    def ask(
        self,
        images: Sequence[RgbImage],
        questions: Sequence[str],
        *,
        history: Sequence[Sequence[Turn]] | None = None,
        decoding: Decoding | None = None,
        language: str = "en",
    ) -> list[Answer]:
        """Answer one question per picture, in its language; see `GroundedCaptioner`.

        Returns:
            The log-probability of an answer that was translated is that of the answer and its translation together.
        """
        if self._asked(language) == language:
            return self._captioner.ask(images, questions, history=history, decoding=decoding)
        turns = [turn for row in history or () for turn in row]
        earlier = iter(
            self._in_first([part for one in turns for part in (one.question, one.answer)], language, "earlier turn")
        )
        told = history and [[Turn(next(earlier), next(earlier)) for _ in row] for row in history]
        asked = self._in_first(questions, language, "question")
        answers = self._captioner.ask(images, asked, history=told, decoding=decoding)
        back = translate_texts(
            self._translator, [answer.text for answer in answers], source=self._first, target=language
        )
        return [
            Answer(one.text, answer.log_probability + one.log_probability)
            for answer, one in zip(answers, back, strict=True)
        ]

    def score(self, images: Sequence[RgbImage], texts: Sequence[str], *, prompt: str | None = None) -> TextScores:
        """Say how probable one text per picture is, as it stands; see `GroundedCaptioner`."""
        return self._captioner.score(images, texts, prompt=prompt)

    def _asked(self, language: str) -> str:
        """The language in which the captioner is to write."""
        if language in self._spoken:
            return language
        if language not in self._facts.languages:
            raise LanguageError(
                f"neither {self._captioner.facts.name} nor {self._translator.facts.name} knows {language!r}",
                remedy=f"Together they know {', '.join(self._facts.languages)}.",
            )
        return self._first

    def _told(self, captions: Sequence[GroundedCaption], language: str) -> list[GroundedCaption]:
        if all(caption.language == language for caption in captions):
            return list(captions)
        return translate_captions(self._translator, captions, target=language)

    def _in_first(self, texts: Sequence[str], language: str, what: str) -> list[str]:
        plain = [checked_text(text, what) for text in texts]
        return [one.text for one in translate_texts(self._translator, plain, source=language, target=self._first)]


def in_language(
    captioner: GroundedCaptioner, language: str | None, *, translator: str | None, threads: int | None = None
) -> GroundedCaptioner:
    """A captioner that writes this language: itself where it was taught, else behind a translator loaded now.

    Args:
        captioner: looks at the pictures.
        language: ISO 639-1 code; None for the captioner's own first language.
        translator: preset, folder or cached hub id of a translator; None where there is none.
        threads: CPU cores for the translator.

    Raises:
        LanguageError: no language of the captioner and no translator, or one that does not know it either.
        ModelError: the translator cannot be loaded.
    """
    spoken = captioner.facts.languages
    if language is None or language in spoken:
        return captioner
    if translator is None:
        raise LanguageError(
            f"{captioner.facts.name} does not write {language!r}",
            remedy=f"It writes {', '.join(spoken)}. For other languages name a translator: --translator m2m100",
        )
    translating = TranslatingCaptioner(captioner, load_translator(translator, threads=threads))
    if language not in translating.facts.languages:
        raise LanguageError(
            f"neither {captioner.facts.name} nor {translator} knows {language!r}",
            remedy=f"Together they know {', '.join(translating.facts.languages)}.",
        )
    return translating
