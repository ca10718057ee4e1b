"""From what a recognition graph says of each narrow strip of a line to its characters, and how sure they are."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SCRIPTS = {
    "LATIN": "Latn",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "CJK": "Hani",
    "HIRAGANA": "Jpan",
    "KATAKANA": "Jpan",
    "HANGUL": "Hang",
    "ARABIC": "Arab",
    "HEBREW": "Hebr",
    "DEVANAGARI": "Deva",
    "THAI": "Thai",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "KANNADA": "Knda",
    "BENGALI": "Beng",
    "GEORGIAN": "Geor",
    "ARMENIAN": "Armn",
}
"""ISO 15924 code by the first word of a letter's Unicode name."""

_COVERED_FROM = 10
"""Letters of a script that an alphabet must have to be said to cover it."""


def spell(strips: NDArray[np.float32], alphabet: Sequence[str]) -> tuple[str, float]:
    """Take the likeliest character of each strip, repeats once, blanks out (connectionist temporal classification).

    Args:
        strips: `(t, len(alphabet))` float32, chances; the first of the alphabet is the blank between characters.
        alphabet: what each column stands for.

    Returns:
        The text and the mean chance of its characters; 0 where there is none.
    """
    best = strips.argmax(axis=1)
    kept = best != 0
    kept[1:] &= best[1:] != best[:-1]
    if not kept.any():
        return "", 0.0
    chances = strips[np.flatnonzero(kept), best[kept]]
    return "".join(alphabet[at] for at in best[kept].tolist()), float(np.clip(chances.mean(), 0, 1))


def readable(text: str) -> str:
    """The text with white space folded and compatibility forms as usual ones; empty where it has no letter or digit."""
    folded = " ".join(unicodedata.normalize("NFKC", text).split())
    return folded if any(char.isalnum() for char in folded) else ""


def script_of(text: str) -> str | None:
    """ISO 15924 code of the script of most of a text's letters."""
    found = Counter(code for char in text if (code := _script(char)) is not None)
    return found.most_common(1)[0][0] if found else None


def scripts_of(alphabet: Sequence[str]) -> tuple[str, ...]:
    """Scripts that an alphabet covers, that with the most letters first."""
    found = Counter(code for char in alphabet if len(char) == 1 and (code := _script(char)) is not None)
    return tuple(code for code, count in found.most_common() if count >= _COVERED_FROM)


def _script(char: str) -> str | None:
    if not char.isalpha():
        return None
    return _SCRIPTS.get(unicodedata.name(char, "").split(" ")[0].split("-")[0])
