"""What every language of the storybook can do: noun phrases in their cases, tables of words, and sentence templates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from storybook.world import THINGS, RelationName


@dataclass(frozen=True, slots=True)
class Words:
    """What a noun phrase says.

    Attributes:
        kind: a key of `THINGS`.
        colour: a key of `COLOURS`, or None to leave it unsaid.
        size: `small` or `large`, or None.
        pattern: a pattern other than plain, or None.
        count: how many; 0 is the bare plural that stands after "how many".
        definite: whether the listener knows which one is meant.
    """

    kind: str
    colour: str | None = None
    size: str | None = None
    pattern: str | None = None
    count: int = 1
    definite: bool = False

    @property
    def is_person(self) -> bool:
        """Whether the colour is worn rather than had."""
        return THINGS[self.kind].group == "person"


@dataclass(frozen=True, slots=True)
class Relating:
    """How a relation is said: text before its object, the object's case, text after it."""

    before: str
    case: str = "nom"
    after: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """Question templates; fields as in `Templates`, `{colour}` is a colour in the predicate.

    Attributes:
        colour: the colour of one thing; `colour_worn` the same for a person.
        count: how many of a kind.
        place: where the scene is.
        side: left or right of something; `height` above or below something.
        exists: whether there is one.
        is_colour: whether a thing has a colour; `is_worn` the same for a person.
        relates: whether a relation holds.
    """

    colour: str
    colour_worn: str
    count: str
    place: str
    side: str
    height: str
    exists: str
    is_colour: str
    is_worn: str
    relates: str


@dataclass(frozen=True, slots=True)
class Templates:
    """Sentence templates.

    Fields: `{things}` the list of things, `{subject}` and `{object}` one thing, each with its case after a colon;
    `{relation}` a relation with its object, `{place}`, `{style}`, and `{be}` for a verb that agrees with the list.

    Attributes:
        brief: one-sentence captions.
        opening: first sentences of detailed captions.
        relates: sentences that tell one relation.
        styles: sentences that tell the drawing style.
        referring: a thing singled out by a relation.
        prompts: captions for the name of a kind alone.
        asking: the questions.
    """

    brief: tuple[str, ...]
    opening: tuple[str, ...]
    relates: tuple[str, ...]
    styles: tuple[str, ...]
    referring: str
    prompts: tuple[str, ...]
    asking: Asking


class Grammar(ABC):
    """One language.

    Attributes:
        code: its two-letter code.
        templates: its sentences.
        relations: how each relation is said, the plainest way first.
        places: where a scene is, by background, as an adverbial.
        styles: the name of each drawing style, as `templates.styles` needs it.
        colours: each colour as a short answer.
        yes_no: the answers (yes, no).
        sides: the answers for left, right, above and below.
        comma, conjunction: what joins a list.
        sentence_gap: what stands between two sentences.
        verbs: what `{be}` becomes for (one, many).
        agrees_with_first: whether `{be}` looks at the first thing of the list only ("there is a dog and a cat").
    """

    code: str
    templates: Templates
    relations: ClassVar[Mapping[RelationName, tuple[Relating, ...]]]
    places: ClassVar[Mapping[str, str]]
    styles: ClassVar[Mapping[str, str]]
    colours: ClassVar[Mapping[str, str]]
    yes_no: tuple[str, str]
    sides: ClassVar[Mapping[str, str]]
    comma: str = ", "
    conjunction: str = " "
    sentence_gap: str = " "
    verbs: tuple[str, str] = ("", "")
    agrees_with_first: bool = False

    @abstractmethod
    def phrase(self, words: Words, case: str = "nom") -> tuple[str, str]:
        """Return (lead, noun phrase): the lead holds a preposition or a contraction that is not part of the phrase."""

    def place(self, background: str, before: str) -> str:
        """Return where the scene is, as it is said after the text `before`."""
        return self.places[background]

    def predicate(self, kind: str, colour: str) -> str:
        """Return the colour as it is said of a thing: "the car is …"; agrees where the language agrees."""
        return self.colours[colour]
