"""French: gender, elision, contractions with "de", size before the noun and colour after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from storybook.language.grammar import Asking, Grammar, Relating, Templates, Words
from storybook.world import RelationName

# kind: (gender, singular, plural)
_NOUNS: dict[str, tuple[str, str, str]] = {
    "man": ("m", "homme", "hommes"),
    "woman": ("f", "femme", "femmes"),
    "boy": ("m", "garçon", "garçons"),
    "girl": ("f", "fille", "filles"),
    "dog": ("m", "chien", "chiens"),
    "cat": ("m", "chat", "chats"),
    "horse": ("m", "cheval", "chevaux"),
    "cow": ("f", "vache", "vaches"),
    "sheep": ("m", "mouton", "moutons"),
    "pig": ("m", "cochon", "cochons"),
    "rabbit": ("m", "lapin", "lapins"),
    "elephant": ("m", "éléphant", "éléphants"),
    "duck": ("m", "canard", "canards"),
    "snail": ("m", "escargot", "escargots"),
    "bird": ("m", "oiseau", "oiseaux"),
    "butterfly": ("m", "papillon", "papillons"),
    "car": ("f", "voiture", "voitures"),
    "bus": ("m", "bus", "bus"),
    "truck": ("m", "camion", "camions"),
    "bicycle": ("m", "vélo", "vélos"),
    "boat": ("m", "bateau", "bateaux"),
    "train": ("m", "train", "trains"),
    "aeroplane": ("m", "avion", "avions"),
    "hot-air balloon": ("f", "montgolfière", "montgolfières"),
    "house": ("f", "maison", "maisons"),
    "castle": ("m", "château", "châteaux"),
    "lighthouse": ("m", "phare", "phares"),
    "tent": ("f", "tente", "tentes"),
    "tree": ("m", "arbre", "arbres"),
    "flower": ("f", "fleur", "fleurs"),
    "mushroom": ("m", "champignon", "champignons"),
    "cactus": ("m", "cactus", "cactus"),
    "sun": ("m", "soleil", "soleils"),
    "moon": ("f", "lune", "lunes"),
    "star": ("f", "étoile", "étoiles"),
    "cloud": ("m", "nuage", "nuages"),
    "chair": ("f", "chaise", "chaises"),
    "table": ("f", "table", "tables"),
    "lamp": ("f", "lampe", "lampes"),
    "bed": ("m", "lit", "lits"),
    "ball": ("m", "ballon", "ballons"),
    "box": ("f", "boîte", "boîtes"),
    "basket": ("m", "panier", "paniers"),
    "umbrella": ("m", "parapluie", "parapluies"),
    "cup": ("f", "tasse", "tasses"),
    "kite": ("m", "cerf-volant", "cerfs-volants"),
}
# colour: (masculine, feminine); invariable colours keep their form in the plural.
_COLOURS = {
    "red": ("rouge", "rouge"),
    "orange": ("orange", "orange"),
    "yellow": ("jaune", "jaune"),
    "green": ("vert", "verte"),
    "turquoise": ("turquoise", "turquoise"),
    "blue": ("bleu", "bleue"),
    "purple": ("violet", "violette"),
    "pink": ("rose", "rose"),
    "brown": ("marron", "marron"),
    "black": ("noir", "noire"),
    "white": ("blanc", "blanche"),
    "grey": ("gris", "grise"),
}
_INVARIABLE = ("orange", "turquoise", "marron")
_SIZES = {"small": ("petit", "petite"), "large": ("grand", "grande")}
_PATTERNS = {
    "striped": "à rayures",
    "spotted": "à pois",
    "checked": "à carreaux",
    "wooden": "en bois",
    "knitted": "en tricot",
}
_NUMBERS = ("", "", "deux", "trois", "quatre", "cinq")
_VOWELS = "aeiouéèêâîôh"


class French(Grammar):
    """French. Cases: `nom`, and `de`: after the preposition "de", which contracts or elides."""

    code = "fr"
    conjunction = " et "
    yes_no = ("oui", "non")
    sides: ClassVar[Mapping[str, str]] = {
        "left of": "à gauche",
        "right of": "à droite",
        "above": "au-dessus",
        "below": "au-dessous",
    }
    colours: ClassVar[Mapping[str, str]] = {key: forms[0] for key, forms in _COLOURS.items()}
    relations: ClassVar[Mapping[RelationName, tuple[Relating, ...]]] = {
        "left of": (Relating("à gauche ", "de"),),
        "right of": (Relating("à droite ", "de"),),
        "above": (Relating("au-dessus ", "de"),),
        "below": (Relating("au-dessous ", "de"), Relating("en dessous ", "de")),
        "inside": (Relating("dans "), Relating("à l'intérieur ", "de")),
        "next to": (Relating("à côté ", "de"),),
        "in front of": (Relating("devant "),),
    }
    places: ClassVar[Mapping[str, str]] = {
        "beach": "sur la plage",
        "forest": "dans la forêt",
        "street": "dans la rue",
        "room": "dans une pièce",
        "night": "la nuit",
        "snow": "dans la neige",
        "meadow": "dans un pré",
        "desert": "dans le désert",
        "mountains": "à la montagne",
        "harbour": "au port",
    }
    styles: ClassVar[Mapping[str, str]] = {
        "flat": "une illustration en aplats",
        "outlined": "un dessin à l'encre",
        "watercolour": "une aquarelle",
        "crayon": "un dessin à la craie grasse",
        "paper-cut": "un papier découpé",
        "pixel": "un dessin en pixels",
    }
    templates = Templates(
        brief=(
            "{things} {place}.",
            "Une image avec {things} {place}.",
            "Un dessin avec {things} {place}.",
            "Il y a {things} {place}.",
            "{place} : {things}.",
            "L'image montre {things} {place}.",
        ),
        opening=("Il y a {things} {place}.", "On voit {things} {place}.", "{place}, on voit {things}."),
        relates=("{subject} est {relation}.", "{subject} se trouve {relation}."),
        styles=("C'est {style}.", "L'image est {style}."),
        referring="{subject} {relation}",
        prompts=("{subject}", "une image avec {subject}", "un dessin avec {subject}", "L'image montre {subject}."),
        asking=Asking(
            colour="De quelle couleur est {subject} ?",
            colour_worn="Quelle couleur porte {subject} ?",
            count="Combien {subject:de} y a-t-il ?",
            place="Où est-ce ?",
            side="De quel côté {object:de} se trouve {subject} ?",
            height="Où se trouve {subject}, au-dessus ou au-dessous {object:de} ?",
            exists="Y a-t-il {subject} ?",
            is_colour="Est-ce que {subject} est {colour} ?",
            is_worn="Est-ce que {subject} est en {colour} ?",
            relates="Est-ce que {subject} est {relation} ?",
        ),
    )

    def phrase(self, words: Words, case: str = "nom") -> tuple[str, str]:
        """Return (lead, noun phrase); the lead is "de ", "du ", "d'" or empty."""
        gender, singular, plural_form = _NOUNS[words.kind]
        plural = words.count != 1
        parts = [plural_form if plural else singular]
        if words.size:
            parts.insert(0, self._agreeing(_SIZES[words.size], gender, plural))
        if words.colour:
            parts.append(
                f"en {_COLOURS[words.colour][0]}" if words.is_person else self._colour(words.colour, gender, plural)
            )
        if words.pattern:
            parts.append(_PATTERNS[words.pattern])
        if plural and words.count:
            parts.insert(0, _NUMBERS[words.count])
        text = " ".join(parts)
        elided = text[0] in _VOWELS
        if words.definite:
            return self._definite(text, gender, case, plural, elided)
        if not plural:
            text = ("un " if gender == "m" else "une ") + text
            return ("d'" if case == "de" else ""), text
        return ("" if case != "de" else "d'" if elided else "de "), text

    def predicate(self, kind: str, colour: str) -> str:
        """Return the colour agreeing with one thing of the kind; what a person wears stays masculine."""
        return _COLOURS[colour][0] if Words(kind).is_person else self._colour(colour, _NOUNS[kind][0], False)

    @staticmethod
    def _definite(text: str, gender: str, case: str, plural: bool, elided: bool) -> tuple[str, str]:
        if plural:
            return ("des ", text) if case == "de" else ("", "les " + text)
        if elided:
            return ("de " if case == "de" else ""), "l'" + text
        if gender == "m":
            return ("du ", text) if case == "de" else ("", "le " + text)
        return ("de " if case == "de" else ""), "la " + text

    def _colour(self, colour: str, gender: str, plural: bool) -> str:
        forms = _COLOURS[colour]
        return forms[0] if forms[0] in _INVARIABLE else self._agreeing(forms, gender, plural)

    @staticmethod
    def _agreeing(forms: tuple[str, str], gender: str, plural: bool) -> str:
        form = forms[0] if gender == "m" else forms[1]
        return form + "s" if plural and form[-1] != "s" else form
