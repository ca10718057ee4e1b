"""What no scene can show: things outside the storybook's world, in its languages, and words that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

OUTSIDE: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "en": (
            "a giraffe", "a guitar", "a pizza", "a zebra", "a laptop", "a helicopter", "a penguin", "a violin",
            "a tractor", "an octopus", "a banana", "a skateboard", "a fridge", "a crocodile", "a piano",
            "a telephone", "a toothbrush", "a bridge", "a shark", "a keyboard", "a hamburger", "a dinosaur",
            "a microscope", "a sword",
        ),
        "de": (
            "eine Giraffe", "eine Gitarre", "eine Pizza", "ein Zebra", "ein Laptop", "ein Hubschrauber",
            "ein Pinguin", "eine Geige", "ein Traktor", "ein Oktopus", "eine Banane", "ein Skateboard",
            "ein Kühlschrank", "ein Krokodil", "ein Klavier", "ein Telefon", "eine Zahnbürste", "eine Brücke",
            "ein Hai", "eine Tastatur", "ein Hamburger", "ein Dinosaurier", "ein Mikroskop", "ein Schwert",
        ),
        "fr": (
            "une girafe", "une guitare", "une pizza", "un zèbre", "un ordinateur portable", "un hélicoptère",
            "un pingouin", "un violon", "un tracteur", "une pieuvre", "une banane", "une planche à roulettes",
            "un réfrigérateur", "un crocodile", "un piano", "un téléphone", "une brosse à dents", "un pont",
            "un requin", "un clavier", "un hamburger", "un dinosaure", "un microscope", "une épée",
        ),
        "es": (
            "una jirafa", "una guitarra", "una pizza", "una cebra", "un ordenador portátil", "un helicóptero",
            "un pingüino", "un violín", "un tractor", "un pulpo", "un plátano", "un monopatín", "una nevera",
            "un cocodrilo", "un piano", "un teléfono", "un cepillo de dientes", "un puente", "un tiburón",
            "un teclado", "una hamburguesa", "un dinosaurio", "un microscopio", "una espada",
        ),
        "zh": (
            "一只长颈鹿", "一把吉他", "一个比萨饼", "一匹斑马", "一台笔记本电脑", "一架直升机", "一只企鹅",
            "一把小提琴", "一台拖拉机", "一只章鱼", "一根香蕉", "一块滑板", "一台冰箱", "一条鳄鱼", "一架钢琴",
            "一部电话", "一把牙刷", "一座桥", "一条鲨鱼", "一个键盘", "一个汉堡包", "一只恐龙", "一台显微镜", "一把剑",
        ),
        "uk": (
            "жираф", "гітара", "піца", "зебра", "ноутбук", "гелікоптер", "пінгвін", "скрипка", "трактор",
            "восьминіг", "банан", "скейтборд", "холодильник", "крокодил", "піаніно", "телефон", "зубна щітка",
            "міст", "акула", "клавіатура", "гамбургер", "динозавр", "мікроскоп", "меч",
        ),
    }
)  # fmt: skip
"""Things that no scene shows, by language, the same in each row's place."""

_MADE_UP = (
    "blorptic", "a zanfeld", "the quibbering snorf", "glimmet", "vrandoxia", "mubbly torp", "a frindle", "skwelp",
    "drotharn", "yimbulous", "plonkest grubber", "wixolate", "a trombulant", "fnargle", "ostrivane", "a pelquist",
    "crumvole", "the zibbety wost", "haxomir", "a lunterpog", "spreezle", "quandervist", "a molfrace", "jubbenoy",
)  # fmt: skip
NONSENSE: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        **dict.fromkeys(("en", "de", "fr", "es"), _MADE_UP),
        "zh": (
            "呱嘹咘", "嗞磕茋", "哒嘚嗙", "噼唥喵叽", "叽锘嘭", "嘎嘣嗒", "咔嗞噜", "唧咘嗡", "嘚啵唥", "哐嗞嘹",
            "噗叽嗒", "咣嘭唧", "嗙噜啵", "喀嗒嘎", "嘭咔叽", "嗡哒咘", "唥嘣噼",
            "啵哐嗞", "嘹嗙喀", "叽噗咣", "嗒嘚哒", "噜唧嘭", "咘嘎哐", "嗞嗡啵",
        ),
        "uk": (
            "блорптик", "занфельд", "квіберний снорф", "глимет", "врандоксія", "мублий торп", "фриндль", "сквелп",
            "дротарн", "їмбулос", "плонкий грубер", "виксолат", "тромбулант", "фнаргель", "остриван", "пельквіст",
            "крумволь", "зібетний вост", "гаксомир", "лунтерпог", "спризель", "квандервіст", "молфрас", "юбеной",
        ),
    }
)  # fmt: skip
"""Words that mean nothing, by language."""
