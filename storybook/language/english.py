"""English: articles, irregular plurals, order of adjectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from storybook.language.grammar import Asking, Grammar, Relating, Templates, Words
from storybook.world import COLOURS, RelationName

_PLURALS = {
    "man": "men",
    "woman": "women",
    "sheep": "sheep",
    "butterfly": "butterflies",
    "bus": "buses",
    "cactus": "cacti",
    "box": "boxes",
}
_NUMBERS = ("", "", "two", "three", "four", "five")


class English(Grammar):
    """English as written in Britain."""

    code = "en"
    conjunction = " and "
    verbs = ("is", "are")
    agrees_with_first = True
    yes_no = ("yes", "no")
    sides: ClassVar[Mapping[str, str]] = {"left of": "left", "right of": "right", "above": "above", "below": "below"}
    colours: ClassVar[Mapping[str, str]] = {colour: colour for colour in COLOURS}
    relations: ClassVar[Mapping[RelationName, tuple[Relating, ...]]] = {
        "left of": (Relating("left of "), Relating("to the left of ")),
        "right of": (Relating("right of "), Relating("to the right of ")),
        "above": (Relating("above "),),
        "below": (Relating("below "), Relating("underneath ")),
        "inside": (Relating("inside "), Relating("in ")),
        "next to": (Relating("next to "), Relating("beside ")),
        "in front of": (Relating("in front of "),),
    }
    places: ClassVar[Mapping[str, str]] = {
        "beach": "on a beach",
        "forest": "in a forest",
        "street": "on a street",
        "room": "in a room",
        "night": "at night",
        "snow": "in the snow",
        "meadow": "in a meadow",
        "desert": "in a desert",
        "mountains": "in the mountains",
        "harbour": "at a harbour",
    }
    styles: ClassVar[Mapping[str, str]] = {
        "flat": "a flat illustration",
        "outlined": "an ink drawing",
        "watercolour": "a watercolour",
        "crayon": "a crayon drawing",
        "paper-cut": "a paper cut-out",
        "pixel": "a pixel drawing",
    }
    templates = Templates(
        brief=(
            "{things} {place}.",
            "A picture of {things} {place}.",
            "An image of {things} {place}.",
            "There {be} {things} {place}.",
            "{place}: {things}.",
            "This picture shows {things} {place}.",
        ),
        opening=("There {be} {things} {place}.", "The scene {place} shows {things}.", "{place} there {be} {things}."),
        relates=("{subject} is {relation}.", "{subject} can be seen {relation}."),
        styles=("It is {style}.", "The picture is {style}."),
        referring="{subject} {relation}",
        prompts=("{subject}", "a picture of {subject}", "a drawing of {subject}", "This picture shows {subject}."),
        asking=Asking(
            colour="What colour is {subject}?",
            colour_worn="What colour is {subject} wearing?",
            count="How many {subject} are there?",
            place="Where is this?",
            side="Is {subject} left or right of {object}?",
            height="Is {subject} above or below {object}?",
            exists="Is there {subject}?",
            is_colour="Is {subject} {colour}?",
            is_worn="Is {subject} wearing {colour}?",
            relates="Is {subject} {relation}?",
        ),
    )

    def phrase(self, words: Words, case: str = "nom") -> tuple[str, str]:
        """Return ("", noun phrase); English nouns have no cases here."""
        plural = words.count != 1
        noun = _PLURALS.get(words.kind, words.kind + "s") if plural else words.kind
        late = words.pattern in ("wooden", "knitted")
        parts = [
            words.size,
            None if late else words.pattern,
            None if words.is_person else words.colour,
            words.pattern if late else None,
            noun,
        ]
        text = " ".join(part for part in parts if part)
        if words.is_person and words.colour:
            text += f" in {words.colour}"
        number = _NUMBERS[words.count] if plural else ""
        article = "the" if words.definite else "" if plural else "an" if text[0] in "aeiou" else "a"
        return "", " ".join(part for part in (article, number, text) if part)
