"""Understands a natural sentence: which language it is in, and what it says."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from search.query.sentences.meaning import Sentence, Thing
from search.query.sentences.phrases import COUNTED_LEAST, COUNTED_MOST
from search.query.sentences.pieces import tokens_of
from search.query.sentences.postposed import read_postposed
from search.query.sentences.reading import Reading
from search.query.sentences.table import lexicon_of
from search.query.sentences.tables import TABLES
from search.words.stop import STOP_WORDS
from search.words.terms import terms
from vision.types import Span

MAX_READ = 2000
"""Characters; a longer text is no sentence and is taken as it is."""

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_OTHER_UNSPACED = re.compile("[\u3041-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uac00-\ud7af]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_NOT_UKRAINIAN = re.compile("[ыэъёўђјљњћџѓќѕ]", re.IGNORECASE)
_LATIN = ("en", "de", "fr", "es")
_PARTS = re.compile(r"[^,;，、；。.!?！？\n]+")
_COUNTED = re.compile(r"([0-9]{1,2})\s+(?=[^\W\d])")
_LIST_MOST = 8
_PLAINEST = ("article", "and", "number")


def understand(text: str, language: str | None = None) -> Sentence:
    """Read a sentence.

    Args:
        text: any string; spans count its characters.
        language: ISO 639-1 code, where it is known; one without a table counts as unknown.

    Returns:
        What it says; no relations rather than wrong ones. Where no table fits, what stands between commas are the
        things.
    """
    if not text.strip() or len(text) > MAX_READ:
        return Sentence(text, text)
    code = language if language in TABLES else language_of(text)
    if code is None:
        return Sentence(text, text, None, _between_commas(text))
    lexicon = lexicon_of(code)
    return read_postposed(text, lexicon) if code == "zh" else Reading(text, lexicon).sentence()


def language_of(text: str) -> str | None:
    """The language among `TABLES` in which a text is written, by its script and its small words; None if unclear."""
    if _HAN.search(text):
        return None if _OTHER_UNSPACED.search(text) else "zh"
    if _CYRILLIC.search(text):
        return None if _NOT_UKRAINIAN.search(text) else "uk"
    words = [token.text for token in tokens_of(text) if token.kind == "word"]
    votes = {code: sum(letter in TABLES[code].letters for letter in text.casefold()) for code in _LATIN}
    for code in _LATIN:
        votes[code] += sum(_weights(code).get(word, 0) for word in words)
    best = max(votes.values())
    if best == 0:
        return None
    likely = [code for code in _LATIN if votes[code] == best]
    return max(likely, key=lambda code: sum(_ends_as(code, word) for word in words))


def _ends_as(code: str, word: str) -> bool:
    """Whether a word that is none of its small words ends as this language's do."""
    if word in _weights(code):
        return False
    return bool(TABLES[code].endings and re.search(TABLES[code].endings, word))


@functools.cache
def _weights(code: str) -> Mapping[str, int]:
    """How much each word speaks for a language: articles and conjunctions most, words for things least."""
    lexicon = lexicon_of(code)
    nouns = frozenset().union(
        lexicon.colours, lexicon.scenery, lexicon.containers, lexicon.clothing, *lexicon.extents.values()
    )
    small = lexicon.function_words
    plainest = {entry.words[0] for found in lexicon.entries.values() for entry in found if entry.kind in _PLAINEST}
    return {
        **dict.fromkeys(nouns, 1),
        **dict.fromkeys(STOP_WORDS[code], 2),
        **dict.fromkeys(small, 4),
        **dict.fromkeys(plainest, 6),
    }


def _between_commas(text: str) -> tuple[Thing, ...]:
    found = []
    for part in _PARTS.finditer(text):
        phrase = part[0].strip()
        content = tuple(dict.fromkeys(term.word for term in terms(phrase)))
        if content:
            start = part.start() + part[0].index(phrase)
            span = Span(start, start + len(phrase))
            number = _COUNTED.match(phrase)
            count = int(number[1]) if number and COUNTED_LEAST <= int(number[1]) <= COUNTED_MOST else None
            named = phrase[number.end() :] if number and count else phrase
            found.append(Thing(named, span, named.split()[-1], content, count))
    return tuple(found[:_LIST_MOST])
