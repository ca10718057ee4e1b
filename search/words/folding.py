"""Folds text for comparison: case, compatibility forms and accents go, and what separates words becomes a blank."""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = "'’ʼ‘`´＇"
_NO_DECOMPOSITION = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
# Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic. The marks of Indic scripts, of Thai and of kana
# are vowels and consonants, and stay.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670]")
_LETTERS_OF_THEIR_OWN = {"и\u0306": "\ue000", "і\u0308": "\ue001"}  # й and ї are no и and і with accents
_UNSEEN = "\u00ad\u200d\u200e\u200f\u2060\ufeff"  # soft hyphen, joiners, marks of direction: no end of a word
_SEPARATED_MOST = 65_536

UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "]+"
)
"""A run of a script that is written without blanks."""


class _Separators(dict[int, str]):
    """What becomes of a character: letters, marks and digits stay, apostrophes become `'`, the rest a blank."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in _APOSTROPHES:
            kept = "'"
        elif char in _UNSEEN:
            kept = ""
        else:
            kept = char if unicodedata.category(char)[0] in "LMN" else " "
        if len(self) < _SEPARATED_MOST:
            self[code] = kept
        return kept


_separators = _Separators()


def split(text: str) -> list[str]:
    """Words in lower case with their accents; what is no letter, mark, digit or apostrophe separates."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return text.lower().translate(_separators).split()


def unaccented(word: str) -> str:
    """The word without accents; `word` is one of `split`'s."""
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFKD", word)
    for letter, stand_in in _LETTERS_OF_THEIR_OWN.items():
        parts = parts.replace(letter, stand_in)
    parts = _ACCENTS.sub("", parts)
    for letter, stand_in in _LETTERS_OF_THEIR_OWN.items():
        parts = parts.replace(stand_in, letter)
    return unicodedata.normalize("NFC", parts).translate(_NO_DECOMPOSITION)


def fold(text: str) -> str:
    """The whole text as its words are compared, with one blank between words."""
    return " ".join(filter(None, map(unaccented, split(text))))
