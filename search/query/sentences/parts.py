"""What of a sentence can be looked for on its own: its things, and its words."""

from __future__ import annotations

from search.query.sentences.pieces import tokens_of
from search.query.sentences.table import folded, lexicon_of
from search.query.sentences.understanding import understand
from search.words.stop import stops
from search.words.terms import content
from vision.types import Span

MAX_PARTS = 16


def parts_of(text: str) -> tuple[Span, ...]:
    """Find the things of a sentence, of several words the words of each, and the other words that show something.

    Args:
        text: words of any language; without a table for it, the things are what stands between commas. Nothing is cut
            inside of what is written without blanks.

    Returns:
        Spans in the order in which they begin, a thing before its words; no text twice, nor the whole of it; at most
        `MAX_PARTS`.
    """
    sentence = understand(text)
    spans: list[Span] = []
    inside: set[Span] = set()
    words = [Span(token.start, token.end) for token in tokens_of(text) if token.kind == "word"]
    languages = None if sentence.language is None else (sentence.language,)
    for thing in (*sentence.things, *sentence.without):
        own = [word for word in words if thing.span.start <= word.start and word.end <= thing.span.end]
        showing = [word for word in own if content(text[word.start : word.end], languages) & set(thing.content)]
        # "A dog" and "dog" are one thing to look for.
        spans += [thing.span, *(showing if len(showing) > 1 else [])]
        inside.update(own)
    spans += [word for word in words if word not in inside and _shows(text[word.start : word.end], sentence.language)]
    found: dict[str, Span] = {}
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        found.setdefault(text[span.start : span.end].casefold(), span)
    found.pop(text.strip().casefold(), None)
    return tuple(found.values())[:MAX_PARTS]


def _shows(word: str, language: str | None) -> bool:
    """Whether a word that belongs to no thing is of no use to the grammar, and so names a place or a deed."""
    if language is not None and folded(word) in lexicon_of(language).function_words:
        return False
    languages = None if language is None else (language,)
    return bool(content(word, languages) - stops(languages))
