"""German: three genders, nominative, accusative and dative, strong, mixed and weak adjectives, contractions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from storybook.language.grammar import Asking, Grammar, Relating, Templates, Words
from storybook.world import RelationName

# kind: (gender, singular, plural); the n-declension is listed below.
_NOUNS: dict[str, tuple[str, str, str]] = {
    "man": ("m", "Mann", "Männer"),
    "woman": ("f", "Frau", "Frauen"),
    "boy": ("m", "Junge", "Jungen"),
    "girl": ("n", "Mädchen", "Mädchen"),
    "dog": ("m", "Hund", "Hunde"),
    "cat": ("f", "Katze", "Katzen"),
    "horse": ("n", "Pferd", "Pferde"),
    "cow": ("f", "Kuh", "Kühe"),
    "sheep": ("n", "Schaf", "Schafe"),
    "pig": ("n", "Schwein", "Schweine"),
    "rabbit": ("n", "Kaninchen", "Kaninchen"),
    "elephant": ("m", "Elefant", "Elefanten"),
    "duck": ("f", "Ente", "Enten"),
    "snail": ("f", "Schnecke", "Schnecken"),
    "bird": ("m", "Vogel", "Vögel"),
    "butterfly": ("m", "Schmetterling", "Schmetterlinge"),
    "car": ("n", "Auto", "Autos"),
    "bus": ("m", "Bus", "Busse"),
    "truck": ("m", "Lastwagen", "Lastwagen"),
    "bicycle": ("n", "Fahrrad", "Fahrräder"),
    "boat": ("n", "Boot", "Boote"),
    "train": ("m", "Zug", "Züge"),
    "aeroplane": ("n", "Flugzeug", "Flugzeuge"),
    "hot-air balloon": ("m", "Heißluftballon", "Heißluftballons"),
    "house": ("n", "Haus", "Häuser"),
    "castle": ("f", "Burg", "Burgen"),
    "lighthouse": ("m", "Leuchtturm", "Leuchttürme"),
    "tent": ("n", "Zelt", "Zelte"),
    "tree": ("m", "Baum", "Bäume"),
    "flower": ("f", "Blume", "Blumen"),
    "mushroom": ("m", "Pilz", "Pilze"),
    "cactus": ("m", "Kaktus", "Kakteen"),
    "sun": ("f", "Sonne", "Sonnen"),
    "moon": ("m", "Mond", "Monde"),
    "star": ("m", "Stern", "Sterne"),
    "cloud": ("f", "Wolke", "Wolken"),
    "chair": ("m", "Stuhl", "Stühle"),
    "table": ("m", "Tisch", "Tische"),
    "lamp": ("f", "Lampe", "Lampen"),
    "bed": ("n", "Bett", "Betten"),
    "ball": ("m", "Ball", "Bälle"),
    "box": ("f", "Kiste", "Kisten"),
    "basket": ("m", "Korb", "Körbe"),
    "umbrella": ("m", "Regenschirm", "Regenschirme"),
    "cup": ("f", "Tasse", "Tassen"),
    "kite": ("m", "Drachen", "Drachen"),
}
_OBLIQUE = {"boy": "Jungen", "elephant": "Elefanten"}
_STEMS = {
    "red": "rot",
    "orange": "orangefarben",
    "yellow": "gelb",
    "green": "grün",
    "turquoise": "türkisfarben",
    "blue": "blau",
    "purple": "violett",
    "pink": "rosa",
    "brown": "braun",
    "black": "schwarz",
    "white": "weiß",
    "grey": "grau",
    "small": "klein",
    "large": "groß",
    "striped": "gestreift",
    "spotted": "gepunktet",
    "checked": "kariert",
    "wooden": "hölzern",
    "knitted": "gestrickt",
}
_INVARIABLE = ("rosa",)
_WORN = {
    "red": "Rot",
    "orange": "Orange",
    "yellow": "Gelb",
    "green": "Grün",
    "turquoise": "Türkis",
    "blue": "Blau",
    "purple": "Violett",
    "pink": "Rosa",
    "brown": "Braun",
    "black": "Schwarz",
    "white": "Weiß",
    "grey": "Grau",
}
_DER = {
    "nom": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
}
_EIN = {
    "nom": {"m": "ein", "f": "eine", "n": "ein"},
    "acc": {"m": "einen", "f": "eine", "n": "ein"},
    "dat": {"m": "einem", "f": "einer", "n": "einem"},
}
_WEAK = {
    "nom": {"m": "e", "f": "e", "n": "e", "p": "en"},
    "acc": {"m": "en", "f": "e", "n": "e", "p": "en"},
    "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
}
_MIXED = {
    "nom": {"m": "er", "f": "e", "n": "es"},
    "acc": {"m": "en", "f": "e", "n": "es"},
    "dat": {"m": "en", "f": "en", "n": "en"},
}
_STRONG_PLURAL = {"nom": "e", "acc": "e", "dat": "en"}
_NUMBERS = ("", "", "zwei", "drei", "vier", "fünf")
_CONTRACTED = {("von", "dem"): "vom", ("in", "dem"): "im"}


class German(Grammar):
    """German. Cases: `nom`, `acc`, `dat`, and `von` and `in`: the dative with a preposition that contracts."""

    code = "de"
    conjunction = " und "
    verbs = ("ist", "sind")
    yes_no = ("ja", "nein")
    sides: ClassVar[Mapping[str, str]] = {"left of": "links", "right of": "rechts", "above": "über", "below": "unter"}
    colours: ClassVar[Mapping[str, str]] = {
        **{key: _STEMS[key] for key in _WORN},
        "orange": "orange",
        "turquoise": "türkis",
    }
    relations: ClassVar[Mapping[RelationName, tuple[Relating, ...]]] = {
        "left of": (Relating("links ", "von"),),
        "right of": (Relating("rechts ", "von"),),
        "above": (Relating("über ", "dat"),),
        "below": (Relating("unter ", "dat"), Relating("unterhalb ", "von")),
        "inside": (Relating("", "in"),),
        "next to": (Relating("neben ", "dat"),),
        "in front of": (Relating("vor ", "dat"),),
    }
    places: ClassVar[Mapping[str, str]] = {
        "beach": "am Strand",
        "forest": "im Wald",
        "street": "auf der Straße",
        "room": "in einem Zimmer",
        "night": "bei Nacht",
        "snow": "im Schnee",
        "meadow": "auf einer Wiese",
        "desert": "in der Wüste",
        "mountains": "in den Bergen",
        "harbour": "am Hafen",
    }
    styles: ClassVar[Mapping[str, str]] = {
        "flat": "eine flächige Illustration",
        "outlined": "eine Tuschezeichnung",
        "watercolour": "ein Aquarell",
        "crayon": "eine Wachsmalzeichnung",
        "paper-cut": "ein Papierschnitt",
        "pixel": "ein Pixelbild",
    }
    templates = Templates(
        brief=(
            "{things} {place}.",
            "Ein Bild mit {things:dat} {place}.",
            "Ein Bild von {things:dat} {place}.",
            "Hier {be} {things} {place}.",
            "{place}: {things}.",
            "Das Bild zeigt {things:acc} {place}.",
        ),
        opening=(
            "Hier {be} {things} {place}.",
            "Die Szene {place} zeigt {things:acc}.",
            "{place} sieht man {things:acc}.",
        ),
        relates=("{subject} ist {relation}.", "{subject} befindet sich {relation}."),
        styles=("Es ist {style}.", "Das Bild ist {style}."),
        referring="{subject} {relation}",
        prompts=(
            "{subject}",
            "ein Bild mit {subject:dat}",
            "eine Zeichnung mit {subject:dat}",
            "Das Bild zeigt {subject:acc}.",
        ),
        asking=Asking(
            colour="Welche Farbe hat {subject}?",
            colour_worn="Welche Farbe trägt {subject}?",
            count="Wie viele {subject:acc} gibt es?",
            place="Wo ist das?",
            side="Ist {subject} links oder rechts {object:von}?",
            height="Ist {subject} über oder unter {object:dat}?",
            exists="Gibt es {subject:acc}?",
            is_colour="Ist {subject} {colour}?",
            is_worn="Trägt {subject} {colour}?",
            relates="Ist {subject} {relation}?",
        ),
    )

    def phrase(self, words: Words, case: str = "nom") -> tuple[str, str]:
        """Return (lead, noun phrase); the lead is a contraction such as "im " or a preposition."""
        preposition = case if case in ("von", "in") else ""
        case = "dat" if preposition else case
        gender, singular, plural_form = _NOUNS[words.kind]
        plural = words.count != 1
        group = "p" if plural else gender
        adjectives = [
            self._inflected(word, self._ending(words, group, case))
            for word in (words.size, words.pattern, None if words.is_person else words.colour)
            if word
        ]
        noun = plural_form if plural else singular
        if plural and case == "dat" and noun[-1] not in "ns":
            noun += "n"
        if not plural and case != "nom":
            noun = _OBLIQUE.get(words.kind, noun)
        if words.is_person and words.colour:
            noun += f" in {_WORN[words.colour]}"
        article = _DER[case][group] if words.definite else "" if plural else _EIN[case][group]
        number = _NUMBERS[words.count] if plural else ""
        lead = f"{preposition} " if preposition else ""
        if (preposition, article) in _CONTRACTED:
            lead, article = _CONTRACTED[preposition, article] + " ", ""
        return lead, " ".join(part for part in (article, number, *adjectives, noun) if part)

    def predicate(self, kind: str, colour: str) -> str:
        """Return the uninflected colour, or the noun that a person wears."""
        return _WORN[colour] if Words(kind).is_person else self.colours[colour]

    @staticmethod
    def _ending(words: Words, group: str, case: str) -> str:
        if words.definite:
            return _WEAK[case][group]
        return _STRONG_PLURAL[case] if group == "p" else _MIXED[case][group]

    @staticmethod
    def _inflected(word: str, ending: str) -> str:
        stem = _STEMS[word]
        return stem if stem in _INVARIABLE else stem + ending
