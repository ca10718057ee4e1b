"""Captions into another language: sentence by sentence, every region with its box and, where it is found, its span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vision.grounding.base import GroundedCaption
from vision.translation.base import Alignment, Translation, Translator
from vision.translation.projection import find_phrase, project
from vision.translation.sentences import joined, sentences_of, words_of
from vision.types import Region, Span


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a caption, translated.

    Attributes:
        span: where it stands in the caption.
        translation: what became of it.
        alignment: None where the translator had nothing to say.
    """

    span: Span
    translation: Translation
    alignment: Alignment | None


def translate_texts(translator: Translator, texts: Sequence[str], *, source: str, target: str) -> list[Translation]:
    """Translate texts of any number of sentences; one without a visible letter stays empty.

    Raises:
        LanguageError: a language that the translator does not know, or the same one twice.
    """
    longest = _longest(translator)
    spans = [sentences_of(text, longest) for text in texts]
    sentences = [text[span.start : span.end] for text, row in zip(texts, spans, strict=True) for span in row]
    translated = iter(translator.translate(sentences, source=source, target=target))
    rows = [[next(translated) for _ in row] for row in spans]
    return [_as_one(row, joined([one.text for one in row], target)[0]) for row in rows]


def translate_captions(
    translator: Translator, captions: Sequence[GroundedCaption], *, target: str
) -> list[GroundedCaption]:
    """Translate captions; every region is kept, with its box and score, in the order of the translated text.

    A phrase takes the words that align with it. Where none do, it is translated alone and looked for; where it is not
    found, the region has the phrase translated alone and no span, and comes last.

    Args:
        translator: translates and aligns.
        captions: all of one language; one without a visible letter stays empty.
        target: code of the language to write.

    Returns:
        In order. `log_probability` is that of the caption and its translation together; `complete` means both.

    Raises:
        LanguageError: a language that the translator does not know, or the same one twice.
    """
    if not captions:
        return []
    source = captions[0].language
    translated = _translate(translator, captions, source, target)
    spans = [_spans(caption, row, target) for caption, row in zip(captions, translated, strict=True)]
    lost = sorted(
        {
            region.phrase
            for caption, found in zip(captions, spans, strict=True)
            for region in caption.regions
            if region.phrase.strip() and (region.span is None or found.get(region.span) is None)
        }
    )
    alone = translate_texts(translator, lost, source=source, target=target) if lost else []
    phrases = {phrase: _without_marks(one.text) for phrase, one in zip(lost, alone, strict=True)}
    return [
        _assembled(caption, row, found, phrases, target)
        for caption, row, found in zip(captions, translated, spans, strict=True)
    ]


def _translate(
    translator: Translator, captions: Sequence[GroundedCaption], source: str, target: str
) -> list[list[_Sentence]]:
    longest = _longest(translator)
    spans = [sentences_of(caption.text, longest, _inner_spans(caption)) for caption in captions]
    texts = [caption.text[span.start : span.end] for caption, row in zip(captions, spans, strict=True) for span in row]
    translations = translator.translate(texts, source=source, target=target)
    told = [place for place, one in enumerate(translations) if one.text]
    aligned = translator.align(
        [texts[place] for place in told], [translations[place].text for place in told], source=source, target=target
    )
    alignments = dict(zip(told, aligned, strict=True))
    numbered = iter(range(len(texts)))
    return [
        [
            _Sentence(span, translations[place], alignments.get(place))
            for span, place in zip(row, numbered, strict=False)
        ]
        for row in spans
    ]


def _longest(translator: Translator) -> int:
    """Characters that surely fit: a piece has one at least, and four are left for frame, blank and end."""
    return translator.facts.context_length - 4


def _inner_spans(caption: GroundedCaption) -> list[Span]:
    """Where phrases stand that are not the whole caption."""
    whole = Span(0, len(caption.text)) if caption.text else None
    return [region.span for region in caption.regions if region.span is not None and region.span != whole]


def _spans(caption: GroundedCaption, sentences: Sequence[_Sentence], target: str) -> dict[Span, Span | None]:
    """For each place of a phrase in the caption its place in the translated text."""
    text, starts = joined([one.translation.text for one in sentences], target)
    found: dict[Span, Span | None] = {}
    if text:
        found[Span(0, len(caption.text))] = Span(0, len(text))
    inner = sorted(set(_inner_spans(caption)), key=lambda span: (span.start, span.end))
    for sentence, start in zip(sentences, starts, strict=True):
        own = [span for span in inner if sentence.span.start <= span.start < sentence.span.end]
        if sentence.alignment is None or not own:
            continue
        shifted = [Span(span.start - sentence.span.start, span.end - sentence.span.start) for span in own]
        places = project(sentence.alignment, sentence.translation.text, shifted)
        for span, place in zip(own, places, strict=True):
            found[span] = place and Span(start + place.start, start + place.end)
    return found


def _assembled(
    caption: GroundedCaption,
    sentences: Sequence[_Sentence],
    spans: dict[Span, Span | None],
    alone: dict[str, str],
    target: str,
) -> GroundedCaption:
    text, _ = joined([one.translation.text for one in sentences], target)
    regions = [_region(region, text, region.span and spans.get(region.span), alone) for region in caption.regions]
    # Sorting is stable, so the boxes of one phrase stay in their order.
    regions.sort(key=lambda region: len(text) if region.span is None else region.span.start)
    whole = _as_one([one.translation for one in sentences], text)
    return replace(
        caption,
        text=text,
        regions=tuple(regions),
        language=target,
        log_probability=caption.log_probability + whole.log_probability,
        complete=caption.complete and whole.complete,
    )


def _region(region: Region, text: str, span: Span | None, alone: dict[str, str]) -> Region:
    phrase = alone.get(region.phrase, "")
    if span is None and region.span is not None and phrase:
        span = find_phrase(text, phrase)
    if span is not None:
        phrase = text[span.start : span.end]
    return Region(phrase or region.phrase, region.box, span, region.score)


def _without_marks(text: str) -> str:
    """From the first word to the last: alone, a phrase is often taken for a sentence and gets its full stop."""
    words = words_of(text)
    return text[words[0].start : words[-1].end] if words else ""


def _as_one(sentences: Sequence[Translation], text: str) -> Translation:
    return Translation(text, sum(one.log_probability for one in sentences), all(one.complete for one in sentences))
