"""Stems of words per language: Snowball's algorithms, and light suffix stripping for Ukrainian."""

from __future__ import annotations

import functools
import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""ISO 639-1 code → Snowball's algorithm; one that the installed version lacks does not stem."""

_LATIN_UNKNOWN = ("en", "de", "fr", "es")
_CYRILLIC_UNKNOWN = ("uk", "ru")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[a-z\u00df-\u024f]")

# Longest first within each list; taken off once each, reflexive before adjective or noun.
_REFLEXIVE = ("ся", "сь")
_ADJECTIVE = (
    "ького", "ьому", "ього", "ійшого", "ими", "іми", "ого", "ому", "ої", "ій", "ий", "их", "іх", "им", "ім", "ую", "юю",
    "ою", "ею",
)  # fmt: skip
_NOUN = (
    "ями", "ами", "ові", "еві", "єві", "ять", "ах", "ях", "ам", "ям", "ів", "їв", "ом", "ем", "єм", "ею", "єю", "ою",
    "ей", "а", "я", "о", "е", "є", "и", "і", "ї", "у", "ю", "ь", "й",
)  # fmt: skip
_VOWELS = "аеєиіїоуюя"
_STEM_LEAST = 3


def stems(word: str, languages: tuple[str, ...] | None) -> tuple[str, ...]:
    """Distinct stems of a word in lower case, with its accents; none for digits and scripts without a stemmer.

    Args:
        word: in lower case.
        languages: ISO 639-1 codes; None means unknown: Latin letters are stemmed as English, German, French and
            Spanish, Cyrillic ones as Ukrainian and Russian.
    """
    if languages is None:
        languages = _CYRILLIC_UNKNOWN if _CYRILLIC.search(word) else _LATIN_UNKNOWN if _LATIN.search(word) else ()
    found: dict[str, None] = {}
    for code in languages:
        if code == "uk":
            found.update(dict.fromkeys(_ukrainian(word)))
        elif (stem := _snowball(code)) is not None:
            found[stem(word)] = None
    return tuple(found)


@functools.cache
def _snowball_names() -> frozenset[str]:
    import snowballstemmer  # noqa: PLC0415 - a command that searches nothing need not load 36 languages

    return frozenset(snowballstemmer.algorithms())


class _Stemmers(threading.local):
    """Those of one thread: a stemmer works on its own attributes, and two threads would stem each other's words."""

    def __init__(self) -> None:
        self.by_code: dict[str, Callable[[str], str] | None] = {}


_own = _Stemmers()


def _snowball(code: str) -> Callable[[str], str] | None:
    known = _own.by_code
    if code not in known:
        name = _ALGORITHMS.get(code)
        known[code] = None if name is None or name not in _snowball_names() else _new(name)
    return known[code]


def _new(name: str) -> Callable[[str], str]:
    import snowballstemmer  # noqa: PLC0415 - as above

    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord
    return stem


def _ukrainian(word: str) -> tuple[str, ...]:
    """The stem, and its other forms where a vowel changes or flees: кіт and кота, човен and човна, жінок and жінка."""
    # Of котів the stem is кот, of корів it is коров.
    others = [word[:-2] + "ов"] if word.endswith("ів") else []
    for endings in (_REFLEXIVE, _ADJECTIVE, _NOUN):
        shorter = _without(word, endings)
        if shorter != word and endings is not _REFLEXIVE:
            word = shorter
            break
        word = shorter
    if len(word) >= _STEM_LEAST and word[-1] not in _VOWELS + "ьй":
        if word[-2] in "ії":
            others += [word[:-2] + "о" + word[-1], word[:-2] + "е" + word[-1]]
        elif word[-2] in "ое" and len(word) > _STEM_LEAST and word[-3] not in _VOWELS:
            others.append(word[:-2] + word[-1])
    return (word, *others)


def _without(word: str, endings: tuple[str, ...]) -> str:
    """The word without the first ending that leaves a stem with a vowel."""
    for ending in endings:
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= _STEM_LEAST - 1 and any(vowel in rest for vowel in _VOWELS):
            return rest
    return word
