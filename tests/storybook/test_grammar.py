"""Grammar: gender, number, case, elision and measure words of six languages, held by golden phrases and sentences."""

from __future__ import annotations

import pytest

from storybook.language import LANGUAGES, grammar_of
from storybook.language.compose import Filling, Mention, Writer
from storybook.language.grammar import Words
from storybook.world import BACKGROUNDS, COLOURS, PATTERNS, RELATIONS, STYLES, THINGS, RelationName

W = Words

# (language, words, case, expected lead + noun phrase)
PHRASES = [
    ("en", W("elephant"), "nom", "an elephant"),
    ("en", W("elephant", "grey"), "nom", "a grey elephant"),
    ("en", W("umbrella", "orange"), "nom", "an orange umbrella"),
    ("en", W("sheep", "white", count=2), "nom", "two white sheep"),
    ("en", W("woman", "red", count=3), "nom", "three women in red"),
    ("en", W("table", "red", "small", "wooden", definite=True), "nom", "the small red wooden table"),
    ("en", W("bus", "blue", "large", "striped"), "nom", "a large striped blue bus"),
    ("en", W("box", count=0), "nom", "boxes"),
    ("de", W("dog", "red"), "nom", "ein roter Hund"),
    ("de", W("dog", "red"), "acc", "einen roten Hund"),
    ("de", W("dog", "red"), "dat", "einem roten Hund"),
    ("de", W("cat", "black"), "acc", "eine schwarze Katze"),
    ("de", W("cat", "black"), "dat", "einer schwarzen Katze"),
    ("de", W("house", "white"), "nom", "ein weißes Haus"),
    ("de", W("house", "white"), "dat", "einem weißen Haus"),
    ("de", W("house", "white", definite=True), "acc", "das weiße Haus"),
    ("de", W("house", "turquoise", "small", "checked"), "acc", "ein kleines kariertes türkisfarbenes Haus"),
    ("de", W("tree", "green", definite=True), "von", "vom grünen Baum"),
    ("de", W("tree"), "von", "von einem Baum"),
    ("de", W("basket", definite=True), "in", "im Korb"),
    ("de", W("box", definite=True), "in", "in der Kiste"),
    ("de", W("elephant", "pink", definite=True), "dat", "dem rosa Elefanten"),
    ("de", W("boy", "blue"), "acc", "einen Jungen in Blau"),
    ("de", W("bird", "orange", count=2), "dat", "zwei orangefarbenen Vögeln"),
    ("de", W("car", "grey", count=3), "dat", "drei grauen Autos"),
    ("de", W("horse", "brown", count=2), "dat", "zwei braunen Pferden"),
    ("de", W("dog", "red", count=2), "acc", "zwei rote Hunde"),
    ("de", W("table", "purple", pattern="wooden"), "nom", "ein hölzerner violetter Tisch"),
    ("fr", W("car", "green"), "nom", "une voiture verte"),
    ("fr", W("car", "white", count=2), "nom", "deux voitures blanches"),
    ("fr", W("dog", "grey", count=2), "nom", "deux chiens gris"),
    ("fr", W("cow", "brown", count=3), "nom", "trois vaches marron"),
    ("fr", W("horse", "black", "large", count=2), "nom", "deux grands chevaux noirs"),
    ("fr", W("flower", "purple", "small"), "nom", "une petite fleur violette"),
    ("fr", W("tree", definite=True), "nom", "l'arbre"),
    ("fr", W("tree", definite=True), "de", "de l'arbre"),
    ("fr", W("tree", size="small", definite=True), "de", "du petit arbre"),
    ("fr", W("star", "blue", definite=True), "de", "de l'étoile bleue"),
    ("fr", W("dog", "red", definite=True), "de", "du chien rouge"),
    ("fr", W("house", definite=True), "de", "de la maison"),
    ("fr", W("elephant", count=0), "de", "d'éléphants"),
    ("fr", W("dog", "green", count=0), "de", "de chiens verts"),
    ("fr", W("man", "green"), "nom", "un homme en vert"),
    ("fr", W("man", "green", definite=True), "de", "de l'homme en vert"),
    ("fr", W("kite", "red", pattern="striped", count=2), "nom", "deux cerfs-volants rouges à rayures"),
    ("es", W("car", "red"), "nom", "un coche rojo"),
    ("es", W("flower", "yellow", count=2), "nom", "dos flores amarillas"),
    ("es", W("house", "blue", "large"), "nom", "una gran casa azul"),
    ("es", W("house", "blue", "large", count=2), "nom", "dos grandes casas azules"),
    ("es", W("tree", "brown", "small", count=3), "nom", "tres pequeños árboles marrones"),
    ("es", W("dog", "black", definite=True), "de", "del perro negro"),
    ("es", W("moon", "white", definite=True), "de", "de la luna blanca"),
    ("es", W("dog", "black", definite=True), "a", "al perro negro"),
    ("es", W("moon", definite=True), "a", "a la luna"),
    ("es", W("cup", "purple", pattern="spotted"), "nom", "una taza morada de lunares"),
    ("es", W("hot-air balloon", "yellow", count=2), "nom", "dos globos aerostáticos amarillos"),
    ("es", W("woman", "red", count=2), "nom", "dos mujeres de rojo"),
    ("es", W("sheep", count=0), "how many", "Cuántas ovejas"),
    ("es", W("dog", count=0), "how many", "Cuántos perros"),
    ("zh", W("dog", "red"), "nom", "一只红色的狗"),
    ("zh", W("car", "blue", count=2), "nom", "两辆蓝色的汽车"),
    ("zh", W("horse", "white", "small", "striped"), "nom", "一匹带条纹的白色小马"),
    ("zh", W("tree", definite=True), "nom", "树"),
    ("zh", W("elephant", "pink", "small"), "nom", "一头粉色的小象"),
    ("zh", W("man", "green", count=3), "nom", "三个穿绿色衣服的男人"),
    ("zh", W("cup", count=0), "nom", "几个杯子"),
    ("uk", W("car", "red"), "nom", "червона машина"),
    ("uk", W("dog", "red"), "nom", "червоний собака"),
    ("uk", W("dog", "red"), "ins", "червоним собакою"),
    ("uk", W("tree", "blue"), "nom", "синє дерево"),
    ("uk", W("tree", "blue"), "gen", "синього дерева"),
    ("uk", W("star", "blue"), "ins", "синьою зіркою"),
    ("uk", W("house", "white", "large"), "gen", "великого білого будинку"),
    ("uk", W("cat", "black", count=2), "nom", "два чорні коти"),
    ("uk", W("cow", "brown", count=2), "nom", "дві коричневі корови"),
    ("uk", W("bed", "green", count=4), "nom", "чотири зелені ліжка"),
    ("uk", W("bicycle", "grey", count=5), "nom", "п’ять сірих велосипедів"),
    ("uk", W("hot-air balloon", "yellow"), "ins", "жовтою повітряною кулею"),
    ("uk", W("woman", "red"), "nom", "жінка в червоному"),
    ("uk", W("man", "blue"), "nom", "чоловік у синьому"),
    ("uk", W("sheep", count=0), "gen", "овець"),
    ("uk", W("chair", pattern="wooden"), "ins", "дерев’яним стільцем"),
]

RELATED = {
    "left of": {
        "en": "the dog left of the tree",
        "de": "der Hund links vom Baum",
        "fr": "le chien à gauche de l'arbre",
        "es": "el perro a la izquierda del árbol",
        "zh": "在树左边的狗",
        "uk": "собака ліворуч від дерева",
    },
    "above": {
        "en": "the dog above the tree",
        "de": "der Hund über dem Baum",
        "fr": "le chien au-dessus de l'arbre",
        "es": "el perro encima del árbol",
        "zh": "在树上方的狗",
        "uk": "собака над деревом",
    },
    "inside": {
        "en": "the dog inside the tree",
        "de": "der Hund im Baum",
        "fr": "le chien dans l'arbre",
        "es": "el perro dentro del árbol",
        "zh": "在树里面的狗",
        "uk": "собака всередині дерева",
    },
    "next to": {
        "en": "the dog next to the tree",
        "de": "der Hund neben dem Baum",
        "fr": "le chien à côté de l'arbre",
        "es": "el perro al lado del árbol",
        "zh": "在树旁边的狗",
        "uk": "собака поруч із деревом",
    },
    "in front of": {
        "en": "the dog in front of the tree",
        "de": "der Hund vor dem Baum",
        "fr": "le chien devant l'arbre",
        "es": "el perro delante del árbol",
        "zh": "在树前面的狗",
        "uk": "собака перед деревом",
    },
}

OTHER_WORDINGS = {
    "en": {
        "to the left of the tree",
        "to the right of the tree",
        "underneath the tree",
        "in the tree",
        "beside the tree",
    },
    "de": {"unterhalb vom Baum"},
    "fr": {"en dessous de l'arbre", "à l'intérieur de l'arbre"},
    "es": {"por encima del árbol", "por debajo del árbol", "en el árbol", "junto al árbol"},
    "zh": {"在树的左侧", "在树的右侧", "在树里"},
    "uk": {"зліва від дерева", "справа від дерева", "біля дерева"},
}

# One caption per language over the same list: two red dogs, a black cat and a white house, in a forest.
SENTENCES = {
    ("en", "There {be} {things} {place}."): "There are two red dogs, a black cat and a white house in a forest.",
    ("de", "Das Bild zeigt {things:acc} {place}."): (
        "Das Bild zeigt zwei rote Hunde, eine schwarze Katze und ein weißes Haus im Wald."
    ),
    ("de", "Ein Bild mit {things:dat} {place}."): (
        "Ein Bild mit zwei roten Hunden, einer schwarzen Katze und einem weißen Haus im Wald."
    ),
    ("fr", "Il y a {things} {place}."): "Il y a deux chiens rouges, un chat noir et une maison blanche dans la forêt.",
    ("es", "{place}: {things}."): "En el bosque: dos perros rojos, un gato negro y una casa blanca.",
    ("zh", "{place}有{things}。"): "在森林里有两只红色的狗、一只黑色的猫和一座白色的房子。",
    ("uk", "{place} є {things}."): "У лісі є два червоні собаки, чорний кіт і білий будинок.",
}


@pytest.mark.parametrize(("language", "words", "case", "expected"), PHRASES)
def test_noun_phrases_agree(language: str, words: Words, case: str, expected: str) -> None:
    assert "".join(grammar_of(language).phrase(words, case)) == expected


@pytest.mark.parametrize(("name", "language"), [(name, code) for name in RELATED for code in LANGUAGES])
def test_relations_take_their_case(name: RelationName, language: str) -> None:
    grammar = grammar_of(language)
    writer = Writer(grammar)
    filling = Filling(
        subject=Mention(W("dog", definite=True), (0,)),
        object=Mention(W("tree", definite=True), (1,)),
        relating=grammar.relations[name][0],
    )
    writer.sentence(grammar.templates.referring, filling, capital=False)
    assert writer.text == RELATED[name][language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_wordings_of_a_relation_take_their_case_too(language: str) -> None:
    grammar = grammar_of(language)
    said = set()
    for ways in grammar.relations.values():
        for way in ways[1:]:
            writer = Writer(grammar)
            filling = Filling(object=Mention(W("tree", definite=True), (0,)), relating=way)
            writer.sentence("{relation}", filling, capital=False)
            said.add(writer.text)
    assert said == OTHER_WORDINGS[language]


@pytest.mark.parametrize(("kind", "expected"), [("moon", "Місяць у лісі."), ("cow", "Корова в лісі.")])
def test_ukrainian_place_avoids_a_clash_of_vowels(kind: str, expected: str) -> None:
    writer = Writer(grammar_of("uk"))
    writer.sentence("{things} {place}.", Filling(things=(Mention(W(kind), (0,)),), background="forest"))
    assert writer.text == expected


@pytest.mark.parametrize(("language", "template"), SENTENCES)
def test_golden_sentences(language: str, template: str) -> None:
    grammar = grammar_of(language)
    assert template in (*grammar.templates.brief, *grammar.templates.opening)
    things = (
        Mention(W("dog", "red", count=2), (0, 1)),
        Mention(W("cat", "black"), (2,)),
        Mention(W("house", "white"), (3,)),
    )
    writer = Writer(grammar)
    writer.sentence(template, Filling(things=things, background="forest"))
    assert writer.text == SENTENCES[language, template]
    assert [indexes for _, indexes in writer.phrases] == [(0, 1), (2,), (3,)]


@pytest.mark.parametrize(("count", "words"), [(1, "is a dog"), (2, "are two dogs")])
def test_the_english_verb_agrees_with_what_comes_first(count: int, words: str) -> None:
    writer = Writer(grammar_of("en"))
    things = (Mention(W("dog", count=count), (0,)), Mention(W("cat"), (1,)))
    writer.sentence("There {be} {things}.", Filling(things=things))
    assert writer.text.startswith(f"There {words} and a cat")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_world_is_known_in_every_language(language: str) -> None:
    grammar = grammar_of(language)
    for kind in THINGS:
        for count in (1, 2, 3, 4, 5):
            lead, phrase = grammar.phrase(Words(kind, "green", count=count))
            assert phrase == phrase.strip()
            assert "  " not in lead + phrase
    for colour in COLOURS:
        assert grammar.colours[colour]
        assert grammar.predicate("cat", colour)
    assert len(set(grammar.colours.values())) == len(COLOURS)
    for pattern in PATTERNS[1:]:
        assert grammar.phrase(Words("chair", "green", "small", pattern))[1]
    assert set(grammar.places) == set(BACKGROUNDS)
    assert set(grammar.styles) == set(STYLES)
    assert set(grammar.relations) == set(RELATIONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_kinds_and_colours_never_share_a_name(language: str) -> None:
    phrases = {grammar_of(language).phrase(Words(kind, colour))[1] for kind in THINGS for colour in COLOURS}
    assert len(phrases) == len(THINGS) * len(COLOURS)
