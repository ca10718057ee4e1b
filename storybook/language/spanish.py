"""Spanish: gender and number, size before the noun and colour after it, "de" + "el" contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from storybook.language.grammar import Asking, Grammar, Relating, Templates, Words
from storybook.world import RelationName

# kind: (gender, singular, plural)
_NOUNS: dict[str, tuple[str, str, str]] = {
    "man": ("m", "hombre", "hombres"),
    "woman": ("f", "mujer", "mujeres"),
    "boy": ("m", "niño", "niños"),
    "girl": ("f", "niña", "niñas"),
    "dog": ("m", "perro", "perros"),
    "cat": ("m", "gato", "gatos"),
    "horse": ("m", "caballo", "caballos"),
    "cow": ("f", "vaca", "vacas"),
    "sheep": ("f", "oveja", "ovejas"),
    "pig": ("m", "cerdo", "cerdos"),
    "rabbit": ("m", "conejo", "conejos"),
    "elephant": ("m", "elefante", "elefantes"),
    "duck": ("m", "pato", "patos"),
    "snail": ("m", "caracol", "caracoles"),
    "bird": ("m", "pájaro", "pájaros"),
    "butterfly": ("f", "mariposa", "mariposas"),
    "car": ("m", "coche", "coches"),
    "bus": ("m", "autobús", "autobuses"),
    "truck": ("m", "camión", "camiones"),
    "bicycle": ("f", "bicicleta", "bicicletas"),
    "boat": ("m", "barco", "barcos"),
    "train": ("m", "tren", "trenes"),
    "aeroplane": ("m", "avión", "aviones"),
    "hot-air balloon": ("m", "globo aerostático", "globos aerostáticos"),
    "house": ("f", "casa", "casas"),
    "castle": ("m", "castillo", "castillos"),
    "lighthouse": ("m", "faro", "faros"),
    "tent": ("f", "tienda de campaña", "tiendas de campaña"),
    "tree": ("m", "árbol", "árboles"),
    "flower": ("f", "flor", "flores"),
    "mushroom": ("f", "seta", "setas"),
    "cactus": ("m", "cactus", "cactus"),
    "sun": ("m", "sol", "soles"),
    "moon": ("f", "luna", "lunas"),
    "star": ("f", "estrella", "estrellas"),
    "cloud": ("f", "nube", "nubes"),
    "chair": ("f", "silla", "sillas"),
    "table": ("f", "mesa", "mesas"),
    "lamp": ("f", "lámpara", "lámparas"),
    "bed": ("f", "cama", "camas"),
    "ball": ("f", "pelota", "pelotas"),
    "box": ("f", "caja", "cajas"),
    "basket": ("f", "cesta", "cestas"),
    "umbrella": ("m", "paraguas", "paraguas"),
    "cup": ("f", "taza", "tazas"),
    "kite": ("f", "cometa", "cometas"),
}
# colour: (masculine, feminine, masculine plural, feminine plural)
_COLOURS = {
    "red": ("rojo", "roja", "rojos", "rojas"),
    "orange": ("naranja", "naranja", "naranjas", "naranjas"),
    "yellow": ("amarillo", "amarilla", "amarillos", "amarillas"),
    "green": ("verde", "verde", "verdes", "verdes"),
    "turquoise": ("turquesa", "turquesa", "turquesas", "turquesas"),
    "blue": ("azul", "azul", "azules", "azules"),
    "purple": ("morado", "morada", "morados", "moradas"),
    "pink": ("rosa", "rosa", "rosas", "rosas"),
    "brown": ("marrón", "marrón", "marrones", "marrones"),
    "black": ("negro", "negra", "negros", "negras"),
    "white": ("blanco", "blanca", "blancos", "blancas"),
    "grey": ("gris", "gris", "grises", "grises"),
}
_SIZES = {"small": ("pequeño", "pequeña", "pequeños", "pequeñas"), "large": ("gran", "gran", "grandes", "grandes")}
_PATTERNS = {
    "striped": "a rayas",
    "spotted": "de lunares",
    "checked": "a cuadros",
    "wooden": "de madera",
    "knitted": "de punto",
}
_NUMBERS = ("", "", "dos", "tres", "cuatro", "cinco")


class Spanish(Grammar):
    """Spanish. Cases: `nom`, `de` and `a` (after these prepositions), and `how many`, which agrees."""

    code = "es"
    conjunction = " y "
    yes_no = ("sí", "no")
    sides: ClassVar[Mapping[str, str]] = {
        "left of": "a la izquierda",
        "right of": "a la derecha",
        "above": "encima",
        "below": "debajo",
    }
    colours: ClassVar[Mapping[str, str]] = {key: forms[0] for key, forms in _COLOURS.items()}
    relations: ClassVar[Mapping[RelationName, tuple[Relating, ...]]] = {
        "left of": (Relating("a la izquierda ", "de"),),
        "right of": (Relating("a la derecha ", "de"),),
        "above": (Relating("encima ", "de"), Relating("por encima ", "de")),
        "below": (Relating("debajo ", "de"), Relating("por debajo ", "de")),
        "inside": (Relating("dentro ", "de"), Relating("en ")),
        "next to": (Relating("al lado ", "de"), Relating("junto ", "a")),
        "in front of": (Relating("delante ", "de"),),
    }
    places: ClassVar[Mapping[str, str]] = {
        "beach": "en la playa",
        "forest": "en el bosque",
        "street": "en la calle",
        "room": "en una habitación",
        "night": "de noche",
        "snow": "en la nieve",
        "meadow": "en un prado",
        "desert": "en el desierto",
        "mountains": "en las montañas",
        "harbour": "en el puerto",
    }
    styles: ClassVar[Mapping[str, str]] = {
        "flat": "una ilustración plana",
        "outlined": "un dibujo a tinta",
        "watercolour": "una acuarela",
        "crayon": "un dibujo con ceras",
        "paper-cut": "un recorte de papel",
        "pixel": "un dibujo de píxeles",
    }
    templates = Templates(
        brief=(
            "{things} {place}.",
            "Una imagen con {things} {place}.",
            "Un dibujo con {things} {place}.",
            "Hay {things} {place}.",
            "{place}: {things}.",
            "La imagen muestra {things} {place}.",
        ),
        opening=(
            "Hay {things} {place}.",
            "La escena {place} muestra {things}.",
            "{place} se ve lo siguiente: {things}.",
        ),
        relates=("{subject} está {relation}.", "{subject} se encuentra {relation}."),
        styles=("Es {style}.", "La imagen es {style}."),
        referring="{subject} {relation}",
        prompts=("{subject}", "una imagen con {subject}", "un dibujo con {subject}", "La imagen muestra {subject}."),
        asking=Asking(
            colour="¿De qué color es {subject}?",
            colour_worn="¿De qué color va {subject}?",
            count="¿{subject:how many} hay?",
            place="¿Dónde es esto?",
            side="¿A qué lado {object:de} está {subject}?",
            height="¿Dónde está {subject}, encima o debajo {object:de}?",
            exists="¿Hay {subject}?",
            is_colour="¿Es {colour} {subject}?",
            is_worn="¿Va de {colour} {subject}?",
            relates="¿Está {subject} {relation}?",
        ),
    )

    def phrase(self, words: Words, case: str = "nom") -> tuple[str, str]:
        """Return (lead, noun phrase); the lead is "de ", "del ", "al " or "Cuántos "."""
        gender, singular, plural_form = _NOUNS[words.kind]
        plural = words.count != 1
        form = (0 if gender == "m" else 1) + (2 if plural else 0)
        parts = [plural_form if plural else singular]
        if words.size:
            parts.insert(0, _SIZES[words.size][form])
        if words.colour:
            parts.append(f"de {_COLOURS[words.colour][0]}" if words.is_person else _COLOURS[words.colour][form])
        if words.pattern:
            parts.append(_PATTERNS[words.pattern])
        if plural and words.count:
            parts.insert(0, _NUMBERS[words.count])
        text = " ".join(parts)
        if case == "how many":
            return ("Cuántos " if gender == "m" else "Cuántas "), text
        lead = f"{case} " if case in ("de", "a") else ""
        if words.definite:
            article = ("el", "la", "los", "las")[form]
            if article == "el" and lead:
                return {"de": "del ", "a": "al "}[case], text
            return lead, f"{article} {text}"
        return lead, text if plural else ("un " if gender == "m" else "una ") + text

    def predicate(self, kind: str, colour: str) -> str:
        """Return the colour agreeing with one thing of the kind; what a person wears stays masculine."""
        feminine = not Words(kind).is_person and _NOUNS[kind][0] == "f"
        return _COLOURS[colour][int(feminine)]
