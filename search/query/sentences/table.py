"""What the reading knows of one language: its small words and what they say, as one table of one form."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, TypeAlias

from search.query.sentences.meaning import Extent, Place, RelationName
from search.words.folding import unaccented
from search.words.terms import terms

Kind: TypeAlias = Literal[
    "article", "number", "relation", "loosely", "place", "and", "or", "negation", "lead", "of", "bare", "verb",
    "preposition", "pronoun", "comma", "stop", "word",
]  # fmt: skip
"""What a piece is; `loosely` is a relation that many objects do not mean ("in a hurry"), `of` ties two nouns to one
phrase, `bare` ties a noun without article ("en bois"), `verb` says no more than that something is there."""


@dataclass(frozen=True, slots=True)
class Table:
    """The words of one language. Phrases are separated by `|`, single words by blanks; case and accents do not matter.

    Attributes:
        code: ISO 639-1.
        forms: what `{name}` in a phrase stands for, e.g. a preposition with its contractions.
        articles: what opens a noun phrase, possessives among them.
        numbers: number words from 1 to 10; digits are known.
        relations: phrases before their object (in languages with postpositions: behind it).
        inside, on: words that say so only before some objects.
        places: phrases that place a thing in the picture.
        extents: adjectives of size; in all their forms where the stemmer does not know them.
        both, either: conjunctions.
        negations: what denies the noun phrase behind it.
        leads: what opens a sentence and shows nothing.
        of, bare: as in `Kind`.
        verbs: verbs, auxiliaries and relative pronouns between a thing and its relation.
        prepositions: those that say no relation.
        pronouns: what stands for a thing.
        colours, clothing: with "in" they belong to the person.
        scenery: objects of "in" and "on" that are where a picture was taken and no things in it.
        containers: objects of which "in" says `inside`.
        compounds: nouns of several words.
        plural: what a noun ends with that is counted.
        noun_first: whether adjectives mostly follow the noun; then `before_noun` are those that do not.
        measures: words between number and noun.
        letters: characters that only this language has among those of its script.
        endings: how its words end; decides between languages that share their small words.
    """

    code: str
    articles: str
    numbers: Mapping[str, int]
    relations: Mapping[RelationName, str]
    places: Mapping[Place, str]
    extents: Mapping[Extent, str]
    both: str
    either: str
    negations: str
    leads: str
    scenery: str
    containers: str
    colours: str
    forms: Mapping[str, str] = field(default_factory=dict)
    inside: str = ""
    on: str = ""
    of: str = ""
    bare: str = ""
    verbs: str = ""
    prepositions: str = ""
    pronouns: str = ""
    clothing: str = ""
    compounds: str = ""
    plural: str = ""
    noun_first: bool = False
    before_noun: str = ""
    measures: str = ""
    letters: str = ""
    endings: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One phrase of a table: what it is and what it says."""

    words: tuple[str, ...]
    kind: Kind
    value: str = ""


class Lexicon:
    """A table, ready to be looked up.

    Attributes:
        table: what it was made from.
        entries: folded first word → its phrases, the longest first.
        function_words: all single words in it; for telling languages apart.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.entries: dict[str, tuple[Entry, ...]] = {}
        by_first: dict[str, dict[tuple[str, ...], Entry]] = {}
        for entry in _entries(table):
            # The first that claims a phrase keeps it.
            by_first.setdefault(entry.words[0], {}).setdefault(entry.words, entry)
        for first, found in by_first.items():
            self.entries[first] = tuple(sorted(found.values(), key=lambda entry: -len(entry.words)))
        self.function_words = frozenset(word for found in by_first.values() for words in found for word in words)
        self.articles = frozenset(map(folded, table.articles.split()))
        self.plural = re.compile(table.plural) if table.plural else None
        self.colours = self._keys(table.colours)
        self.clothing = self._keys(table.clothing)
        self.scenery = self._keys(table.scenery)
        self.containers = self._keys(table.containers)
        self.before_noun = self._keys(table.before_noun)
        self.extents = {name: self._keys(words) for name, words in table.extents.items()}
        self.compounds: dict[str, list[tuple[frozenset[str], ...]]] = {}
        for phrase in table.compounds.split("|"):
            if stems := tuple(self.keys(word) for word in phrase.split()):
                for key in stems[0]:
                    self.compounds.setdefault(key, []).append(stems)

    def keys(self, word: str) -> frozenset[str]:
        """What a word is compared by: its folded form and its stems."""
        return frozenset(key for term in terms(word, (self.table.code,)) for key in term.keys)

    def is_among(self, word: str, keys: frozenset[str]) -> bool:
        """Whether a word or one of its stems is among such keys."""
        return not keys.isdisjoint(self.keys(word))

    def _keys(self, words: str) -> frozenset[str]:
        return frozenset().union(*(self.keys(word) for word in words.split()))


@functools.cache
def lexicon_of(table_code: str) -> Lexicon:
    """The lexicon of a language of `TABLES`; made when it is first needed."""
    from search.query.sentences.tables import TABLES  # noqa: PLC0415 - the tables are written with this file's words

    return Lexicon(TABLES[table_code])


def folded(word: str) -> str:
    """A word as tables hold it."""
    return unaccented(word.casefold().replace("’", "'").replace("ʼ", "'"))


def _entries(table: Table) -> Iterator[Entry]:
    kinds: tuple[tuple[Kind, str, str], ...] = (
        *(("relation", phrases, name) for name, phrases in table.relations.items()),
        *(("place", phrases, place) for place, phrases in table.places.items()),
        ("negation", table.negations, ""),
        ("lead", table.leads, ""),
        ("loosely", table.inside, "inside"),
        ("loosely", table.on, "on"),
        ("of", table.of, ""),
        ("bare", table.bare, ""),
        ("and", table.both, ""),
        ("or", table.either, ""),
        ("preposition", table.prepositions, ""),
        ("pronoun", table.pronouns, ""),
        ("verb", table.verbs, ""),
        ("article", table.articles.replace(" ", "|"), ""),
    )
    for kind, phrases, value in kinds:
        for words in _phrases(phrases, table.forms):
            yield Entry(words, kind, value)
    for phrase, number in table.numbers.items():
        yield Entry(tuple(folded(word) for word in phrase.split()), "number", str(number))


def _phrases(phrases: str, forms: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for phrase in phrases.split("|"):
        choices = [forms[word[1:-1]].split() if word[0] == "{" else [word] for word in phrase.split()]
        for words in product(*choices):
            if words:
                yield tuple(folded(word) for word in words)
