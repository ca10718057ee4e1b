"""Takes a query apart: its phrases and content words, each with its place, so that each can have a heat map."""

from __future__ import annotations

import re
from itertools import groupby

from vision.types import Span

MAX_PARTS = 16

_WORD = re.compile(r"[ld]['’]|\w[\w'’-]*", re.IGNORECASE)  # of "d'un arbre" the first word is "d'"

# Words that join or introduce things and show nothing themselves, in the languages of the storybook that write with
# spaces. Articles belong to the phrase that they open and are told apart, for a word alone is looked up without one.
_JOINING = frozenset(
    """
    and or with without on in at of to from by for near next left right above below under over inside behind beside
    between front top bottom into onto that which who is are there while through along around
    und oder mit ohne auf in im an am von vom zu zum zur bei neben links rechts über unter hinter vor zwischen aus
    der die das dem den des ist sind
    et ou avec sans sur dans en de d' d’ du des à au aux par pour près gauche droite dessus dessous sous derrière devant
    entre est sont
    y o con sin sobre en de del al por para cerca izquierda derecha encima debajo bajo detrás delante junto entre
    es son
    і й та або з із зі без на у в від до біля поруч ліворуч праворуч над під за перед між є
    """.split()
)
_ARTICLES = frozenset(
    "a an the ein eine einen einem einer eines un une le la les l' l’ una unos unas el los las".split()
)


def parts_of(query: str) -> tuple[Span, ...]:
    """Find the phrases of a query and, in phrases of several content words, those words.

    A phrase is a run of words without a word that joins ("a red car" and "a tree" in "a red car left of a tree"). A
    part that is the whole query is left out. Chinese and Japanese, written without spaces, are taken apart only at
    punctuation.

    Args:
        query: words of any language; for languages without a table of joining words, the phrases are what lies
            between punctuation.

    Returns:
        Spans in the order in which they begin, a phrase before its words; no text twice; at most 16.
    """
    found: dict[str, Span] = {}
    for phrase in _phrases(query):
        content = [word for word in phrase if word[0].lower() not in _ARTICLES]
        if not content:
            continue
        _note(found, query, phrase[0].start(), phrase[-1].end())
        if len(content) > 1:
            for word in content:
                _note(found, query, word.start(), word.end())
    found.pop(query.strip().casefold(), None)
    return tuple(found.values())[:MAX_PARTS]


def _phrases(query: str) -> list[list[re.Match[str]]]:
    """Runs of words between which there are only blanks."""
    words = list(_WORD.finditer(query))
    run = 0
    numbered: list[tuple[int, re.Match[str]]] = []
    end = 0
    for word in words:
        run += bool(query[end : word.start()].strip())
        end = word.end()
        if word[0].lower() in _JOINING:
            run += 1
        else:
            numbered.append((run, word))
    return [[word for _, word in members] for _, members in groupby(numbered, key=lambda entry: entry[0])]


def _note(found: dict[str, Span], query: str, start: int, end: int) -> None:
    found.setdefault(query[start:end].casefold(), Span(start, end))
