"""Ukrainian: three genders, nominative, genitive and instrumental, adjectives that agree, numerals that govern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from storybook.language.grammar import Asking, Grammar, Relating, Templates, Words
from storybook.world import RelationName

# kind: (gender, nominative, genitive, instrumental, nominative plural, genitive plural)
_NOUNS: dict[str, tuple[str, str, str, str, str, str]] = {
    "man": ("m", "чоловік", "чоловіка", "чоловіком", "чоловіки", "чоловіків"),
    "woman": ("f", "жінка", "жінки", "жінкою", "жінки", "жінок"),
    "boy": ("m", "хлопчик", "хлопчика", "хлопчиком", "хлопчики", "хлопчиків"),
    "girl": ("f", "дівчинка", "дівчинки", "дівчинкою", "дівчинки", "дівчаток"),
    "dog": ("m", "собака", "собаки", "собакою", "собаки", "собак"),
    "cat": ("m", "кіт", "кота", "котом", "коти", "котів"),
    "horse": ("m", "кінь", "коня", "конем", "коні", "коней"),
    "cow": ("f", "корова", "корови", "коровою", "корови", "корів"),
    "sheep": ("f", "вівця", "вівці", "вівцею", "вівці", "овець"),
    "pig": ("f", "свиня", "свині", "свинею", "свині", "свиней"),
    "rabbit": ("m", "кролик", "кролика", "кроликом", "кролики", "кроликів"),
    "elephant": ("m", "слон", "слона", "слоном", "слони", "слонів"),
    "duck": ("f", "качка", "качки", "качкою", "качки", "качок"),
    "snail": ("m", "равлик", "равлика", "равликом", "равлики", "равликів"),
    "bird": ("m", "птах", "птаха", "птахом", "птахи", "птахів"),
    "butterfly": ("m", "метелик", "метелика", "метеликом", "метелики", "метеликів"),
    "car": ("f", "машина", "машини", "машиною", "машини", "машин"),
    "bus": ("m", "автобус", "автобуса", "автобусом", "автобуси", "автобусів"),
    "truck": ("f", "вантажівка", "вантажівки", "вантажівкою", "вантажівки", "вантажівок"),
    "bicycle": ("m", "велосипед", "велосипеда", "велосипедом", "велосипеди", "велосипедів"),
    "boat": ("m", "човен", "човна", "човном", "човни", "човнів"),
    "train": ("m", "потяг", "потяга", "потягом", "потяги", "потягів"),
    "aeroplane": ("m", "літак", "літака", "літаком", "літаки", "літаків"),
    "hot-air balloon": (
        "f",
        "повітряна куля",
        "повітряної кулі",
        "повітряною кулею",
        "повітряні кулі",
        "повітряних куль",
    ),
    "house": ("m", "будинок", "будинку", "будинком", "будинки", "будинків"),
    "castle": ("m", "замок", "замку", "замком", "замки", "замків"),
    "lighthouse": ("m", "маяк", "маяка", "маяком", "маяки", "маяків"),
    "tent": ("m", "намет", "намету", "наметом", "намети", "наметів"),
    "tree": ("n", "дерево", "дерева", "деревом", "дерева", "дерев"),
    "flower": ("f", "квітка", "квітки", "квіткою", "квітки", "квіток"),
    "mushroom": ("m", "гриб", "гриба", "грибом", "гриби", "грибів"),
    "cactus": ("m", "кактус", "кактуса", "кактусом", "кактуси", "кактусів"),
    "sun": ("n", "сонце", "сонця", "сонцем", "сонця", "сонць"),
    "moon": ("m", "місяць", "місяця", "місяцем", "місяці", "місяців"),
    "star": ("f", "зірка", "зірки", "зіркою", "зірки", "зірок"),
    "cloud": ("f", "хмара", "хмари", "хмарою", "хмари", "хмар"),
    "chair": ("m", "стілець", "стільця", "стільцем", "стільці", "стільців"),
    "table": ("m", "стіл", "стола", "столом", "столи", "столів"),
    "lamp": ("f", "лампа", "лампи", "лампою", "лампи", "ламп"),
    "bed": ("n", "ліжко", "ліжка", "ліжком", "ліжка", "ліжок"),
    "ball": ("m", "м’яч", "м’яча", "м’ячем", "м’ячі", "м’ячів"),
    "box": ("f", "коробка", "коробки", "коробкою", "коробки", "коробок"),
    "basket": ("m", "кошик", "кошика", "кошиком", "кошики", "кошиків"),
    "umbrella": ("f", "парасолька", "парасольки", "парасолькою", "парасольки", "парасольок"),
    "cup": ("f", "чашка", "чашки", "чашкою", "чашки", "чашок"),
    "kite": ("m", "повітряний змій", "повітряного змія", "повітряним змієм", "повітряні змії", "повітряних зміїв"),
}
_STEMS = {
    "red": "червон",
    "orange": "помаранчев",
    "yellow": "жовт",
    "green": "зелен",
    "turquoise": "бірюзов",
    "blue": "син",
    "purple": "фіолетов",
    "pink": "рожев",
    "brown": "коричнев",
    "black": "чорн",
    "white": "біл",
    "grey": "сір",
    "small": "маленьк",
    "large": "велик",
    "striped": "смугаст",
    "spotted": "плямист",
    "checked": "картат",
    "wooden": "дерев’ян",
    "knitted": "в’язан",
}
_COLOUR_KEYS = tuple(_STEMS)[:12]
_HARD = {
    "nom": {"m": "ий", "f": "а", "n": "е", "p": "і"},
    "gen": {"m": "ого", "f": "ої", "n": "ого", "p": "их"},
    "ins": {"m": "им", "f": "ою", "n": "им", "p": "ими"},
    "loc": {"m": "ому"},
}
_SOFT = {
    "nom": {"m": "ій", "f": "я", "n": "є", "p": "і"},
    "gen": {"m": "ього", "f": "ьої", "n": "ього", "p": "іх"},
    "ins": {"m": "ім", "f": "ьою", "n": "ім", "p": "іми"},
    "loc": {"m": "ьому"},
}
_CASES = ("nom", "gen", "ins")
_NUMBERS = ("", "", "два", "три", "чотири", "п’ять")
_VOWELS = "аеєиіїоуюя"


def _inflected(word: str, group: str, case: str) -> str:
    endings = _SOFT if word == "blue" else _HARD
    return _STEMS[word] + endings[case][group]


class Ukrainian(Grammar):
    """Ukrainian. Cases: `nom`, `gen`, `ins`; things that are counted stand in the nominative only."""

    code = "uk"
    conjunction = " і "
    yes_no = ("так", "ні")
    sides: ClassVar[Mapping[str, str]] = {"left of": "ліворуч", "right of": "праворуч", "above": "над", "below": "під"}
    colours: ClassVar[Mapping[str, str]] = {key: _inflected(key, "m", "nom") for key in _COLOUR_KEYS}
    relations: ClassVar[Mapping[RelationName, tuple[Relating, ...]]] = {
        "left of": (Relating("ліворуч від ", "gen"), Relating("зліва від ", "gen")),
        "right of": (Relating("праворуч від ", "gen"), Relating("справа від ", "gen")),
        "above": (Relating("над ", "ins"),),
        "below": (Relating("під ", "ins"),),
        "inside": (Relating("всередині ", "gen"),),
        "next to": (Relating("поруч із ", "ins"), Relating("біля ", "gen")),
        "in front of": (Relating("перед ", "ins"),),
    }
    places: ClassVar[Mapping[str, str]] = {
        "beach": "на пляжі",
        "forest": "у лісі",
        "street": "на вулиці",
        "room": "у кімнаті",
        "night": "уночі",
        "snow": "на снігу",
        "meadow": "на лузі",
        "desert": "у пустелі",
        "mountains": "у горах",
        "harbour": "у гавані",
    }
    styles: ClassVar[Mapping[str, str]] = {
        "flat": "плоска ілюстрація",
        "outlined": "малюнок тушшю",
        "watercolour": "акварель",
        "crayon": "малюнок восковою крейдою",
        "paper-cut": "паперова аплікація",
        "pixel": "піксельний малюнок",
    }
    templates = Templates(
        brief=(
            "{things} {place}.",
            "На малюнку {things} {place}.",
            "На картинці {place} — {things}.",
            "Тут {things} {place}.",
            "{place}: {things}.",
        ),
        opening=("На малюнку {things} {place}.", "{place} є {things}.", "На картинці {place} — {things}."),
        relates=("{subject} — {relation}.", "{relation} — {subject}."),
        styles=("Це {style}.", "Картинка — {style}."),
        referring="{subject} {relation}",
        prompts=("{subject}", "на малюнку {subject}", "малюнок, на якому є {subject}", "На картинці {subject}."),
        asking=Asking(
            colour="Якого кольору {subject}?",
            colour_worn="Якого кольору одяг {subject:gen}?",
            count="Скільки тут {subject:gen}?",
            place="Де це?",
            side="З якого боку від {object:gen} {subject}?",
            height="Де {subject}: над чи під {object:ins}?",
            exists="Чи є тут {subject}?",
            is_colour="Чи {subject} {colour}?",
            is_worn="Чи {subject} {colour}?",
            relates="Чи {subject} {relation}?",
        ),
    )

    def phrase(self, words: Words, case: str = "nom") -> tuple[str, str]:
        """Return ("", noun phrase); five and more, and "how many", govern the genitive plural."""
        gender, *forms = _NOUNS[words.kind]
        plural = words.count != 1
        if plural and (words.count >= 5 or case == "gen"):
            noun, group, case = forms[4], "p", "gen"
        elif plural:
            noun, group, case = forms[3], "p", "nom"
        else:
            noun, group = forms[_CASES.index(case)], gender
        described = (words.size, words.pattern, None if words.is_person else words.colour)
        parts = [_inflected(word, group, case) for word in described if word]
        parts.append(noun)
        if words.is_person and words.colour:
            parts.append(self._worn(noun, words.colour))
        if words.count > 1:
            parts.insert(0, "дві" if words.count == 2 and gender == "f" else _NUMBERS[words.count])
        return "", " ".join(parts)

    def place(self, background: str, before: str) -> str:
        """Return the place, with "в" for "у" after a vowel."""
        place = self.places[background]
        return "в" + place[1:] if place[0] == "у" and before[-2:-1] and before[-2] in _VOWELS else place

    def predicate(self, kind: str, colour: str) -> str:
        """Return the colour agreeing with one thing of the kind, or what a person is dressed in."""
        gender, noun = _NOUNS[kind][:2]
        return self._worn(noun, colour) if Words(kind).is_person else _inflected(colour, gender, "nom")

    @staticmethod
    def _worn(noun: str, colour: str) -> str:
        # The preposition avoids a clash of vowels or of consonants.
        return ("в " if noun[-1] in _VOWELS else "у ") + _inflected(colour, "m", "loc")
