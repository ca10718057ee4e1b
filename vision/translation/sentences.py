"""Sentences of a text and back: translators are trained on one sentence at a time and forget parts of longer texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from vision.types import Span

# A full stop needs a blank behind it, or `3.5` would be two sentences; a wide one needs none.
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[”」』）]*|\n)\s*")
# "Mr.", "St.", "No.": a short word with a capital in front of a full stop is rather an abbreviation than the last word.
_ABBREVIATION = re.compile(r"(?:^|\W)[^\W\d_]{1,3}\.$")
# Languages that are written without a blank between sentences.
_WITHOUT_GAP = frozenset({"zh", "ja"})


def sentences_of(text: str, longest: int, whole: Sequence[Span] = ()) -> list[Span]:
    """Split a text; sentences have no outer blanks, and together they have every visible letter.

    Args:
        text: any text; without a visible letter it has no sentence.
        longest: characters of one sentence, at most; a longer one is cut between words, or where it has none.
        whole: spans that are not torn apart, unless one is longer than that.
    """
    ends = [match.end() for match in _END.finditer(text) if _is_end(text, match)]
    ends = [end for end in ends if not any(span.start < end < span.end for span in whole)]
    found = []
    for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
        for part in _cut(text, start, end, longest, whole):
            inner = text[part.start : part.end].strip()
            if inner:
                first = text.index(inner, part.start)
                found.append(Span(first, first + len(inner)))
    return found


def _cut(text: str, start: int, end: int, longest: int, whole: Sequence[Span]) -> Iterator[Span]:
    while end - start > longest:
        blanks = (place for place in range(start + longest, start, -1) if text[place - 1].isspace())
        cut = next(
            (place for place in blanks if not any(span.start < place < span.end for span in whole)), start + longest
        )
        yield Span(start, cut)
        start = cut
    if start < end:
        yield Span(start, end)


def joined(sentences: Sequence[str], language: str) -> tuple[str, list[int]]:
    """Write sentences as one text; returns it and where each one starts. Empty ones leave no gap."""
    gap = "" if language in _WITHOUT_GAP else " "
    text, starts = "", []
    for sentence in sentences:
        text += gap if text and sentence else ""
        starts.append(len(text))
        text += sentence
    return text, starts


def words_of(text: str) -> list[Span]:
    """The words; where words are not parted by blanks (Chinese, Thai, …), each letter."""
    words: list[Span] = []
    for place, letter in enumerate(text):
        if not _is_word(letter):
            continue
        # A letter of such a script begins a word of its own; an accent or vowel sign belongs to the letter before it.
        fits = not is_unparted(letter) or unicodedata.category(letter).startswith("M")
        if words and words[-1].end == place and fits and not (is_unparted(text[place - 1]) and letter.isalnum()):
            words[-1] = Span(words[-1].start, place + 1)
        else:
            words.append(Span(place, place + 1))
    return words


def is_unparted(letter: str) -> bool:
    """Whether the letter is of a script that parts no words."""
    script = unicodedata.name(letter, "").split(" ", 1)[0]
    return script in ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


def _is_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _is_end(text: str, match: re.Match[str]) -> bool:
    before = text[: match.start() + 1]
    if not before.endswith(".") or match[0].startswith(".."):
        return True
    abbreviation = _ABBREVIATION.search(before)
    return abbreviation is None or not abbreviation[0].lstrip()[:1].isupper()
