"""Words for spans of days in English, German, French, Spanish, Ukrainian and Chinese, and a text read by them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "ago", "back", "day", "feast", "month", "number", "season", "unit", "weekday", "weekend", "year", "year_back"
]

# A blank within a phrase is written `_`. Keys that are numbers are months, days of the week from Monday on, or how
# many of them ago.
_WORDS: Mapping[Kind, Mapping[str | int, str]] = {
    "season": {
        3: "spring springtime frühling frühjahr printemps primavera весна весни весну весною навесні 春天 春季 春",
        6: "summer summertime sommer été ete verano літо літа літом влітку улітку 夏天 夏季 夏",
        9: "autumn fall herbst automne otoño otono осінь осені восени 秋天 秋季 秋",
        12: "winter wintertime hiver invierno зима зими зиму зимою взимку узимку 冬天 冬季 冬",
    },
    "unit": {
        "day": "day days tag tage tagen jour jours día días dia dias день дні днів 天 日",
        "week": "week weeks woche wochen semaine semaines semana semanas тиждень тижні тижнів тижня"
        " 周 星期 个星期 礼拜 个礼拜",
        "month": "month months monat monate monaten monats mois mes meses місяць місяці місяців місяця 月 个月",
        "year": "year years jahr jahre jahren jahres an ans année années annee annees ano anos año años рік роки років"
        " року році 年",
    },
    "back": {
        0: "this diese diesen dieser dieses diesem ce cet cette este esta цей цього ця цієї це цю цьому 这 这个 今 本",
        1: "last past previous letzte letzten letzter letztes letztem vorige vorigen voriger voriges vergangene"
        " vergangenen vergangener vergangenes dernier dernière derniers dernières derniere passé passée passe pasado"
        " pasada último última últimos últimas ultimo ultima минулий минулого минула минулої минуле минулу минулі"
        " минулих минулому останній останнього остання останньої останні останніх 上 上个 上一个 过去",
        2: "vorletzte vorletzten vorletzter vorletztes avant-dernier avant-dernière позаминулий позаминулого"
        " позаминула позаминулої позаминуле 上上 上上个",
    },
    "year_back": {
        0: "heuer цьогоріч цьогорічне цьогорічного цьогорічна цьогорічної 今年",
        1: "торік торішній торішнього торішня торішньої торішнє 去年",
        2: "позаторік 前年",
    },
    "ago": {0: "ago vor il_y_a hace тому тому_назад 前 之前 以前"},
    "day": {
        0: "today heute aujourd'hui aujourdhui hoy сьогодні 今天 今日",
        1: "yesterday gestern hier ayer вчора учора 昨天 昨日",
        2: "day_before_yesterday vorgestern avant-hier anteayer antier позавчора 前天",
    },
    "weekend": {
        0: "weekend wochenende wochenendes week-end fin_de_semana вихідні вихідних уїкенд уїкенду 周末 个周末",
    },
    "weekday": {
        0: "monday montag lundi lunes понеділок понеділка 周一 星期一 礼拜一",
        1: "tuesday dienstag mardi martes вівторок вівторка 周二 星期二 礼拜二",
        2: "wednesday mittwoch mercredi miércoles miercoles середа середи середу 周三 星期三 礼拜三",
        3: "thursday donnerstag jeudi jueves четвер четверга 周四 星期四 礼拜四",
        4: "friday freitag vendredi viernes п'ятниця п'ятниці п'ятницю 周五 星期五 礼拜五",
        5: "saturday samstag sonnabend samedi sábado sabado субота суботи суботу 周六 星期六 礼拜六",
        6: "sunday sonntag dimanche domingo неділя неділі неділю 周日 周天 星期日 星期天 礼拜天",
    },
    "month": {
        1: "january januar jänner janvier enero січень січня січні 一月",
        2: "february februar feber février fevrier febrero лютий лютого лютому 二月",
        3: "march märz mars marzo березень березня березні 三月",
        4: "april avril abril квітень квітня квітні 四月",
        5: "may mai mayo травень травня травні 五月",
        6: "june juni juin junio червень червня червні 六月",
        7: "july juli juillet julio липень липня липні 七月",
        8: "august août aout agosto серпень серпня серпні 八月",
        9: "september septembre septiembre setiembre вересень вересня вересні 九月",
        10: "october oktober octobre octubre жовтень жовтня жовтні 十月",
        11: "november novembre noviembre листопад листопада листопаді 十一月",
        12: "december dezember décembre decembre diciembre грудень грудня грудні 十二月",
    },
    "feast": {
        "christmas": "christmas xmas weihnachten noël noel navidad navidades різдво різдва 圣诞节 圣诞",
        "christmas eve": "christmas_eve heiligabend veille_de_noël nochebuena святвечір святий_вечір 平安夜",
        "new year": "new_year new_year's new_year's_day neujahr nouvel_an jour_de_l'an año_nuevo ano_nuevo новий_рік"
        " нового_року 元旦",
        "new year's eve": "new_year's_eve silvester saint-sylvestre nochevieja 跨年夜",
        "halloween": "halloween хелловін гелловін 万圣节前夜 万圣夜",
        "easter": "easter ostern pâques paques pascua 复活节",
        "holy week": "holy_week karwoche semaine_sainte semana_santa",
        "orthodox easter": "великдень великодня великдня orthodox_easter",
    },
    "number": {
        1: "one ein eine einen einem einer eines un une una uno один одну одна 一",
        2: "two zwei deux dos два дві 二 两",
        3: "three drei trois tres три 三",
        4: "four vier quatre cuatro чотири 四",
        5: "five fünf cinq cinco п'ять 五",
        6: "six sechs seis шість 六",
        7: "seven sieben sept siete сім 七",
        8: "eight acht huit ocho вісім 八",
        9: "nine neun neuf nueve дев'ять 九",
        10: "ten zehn dix diez десять 十",
        11: "eleven elf onze once одинадцять 十一",
        12: "twelve zwölf douze doce дванадцять 十二",
    },
}
_SAYING_NOTHING = frozenset(
    "the of in on at during a der die das den dem des im am vom von le la les l d du de en au aux à ci el los las del"
    " al у в на за з 的 在 那 号".split()
)
_SIMPLER = str.maketrans("’ʼ`‐‑‒–—−週個這聖誕節兩復萬過禮", "'''------周个这圣诞节两复万过礼")

MEANINGS: Mapping[str, tuple[Kind, str | int]] = {
    word.replace("_", " "): (kind, meant)
    for kind, table in _WORDS.items()
    for meant, words in table.items()
    for word in words.split()
}
"""Every word and phrase with what it means."""


def _any_of(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_HAN = re.compile(rf"({_any_of([word for word in (*MEANINGS, *_SAYING_NOTHING) if word[0] >= chr(0x4E00)])})")
_PHRASE = re.compile(rf"(?<!\w)(?:{_any_of([word for word in MEANINGS if ' ' in word])})(?!\w)")
_HAN_MONTH = re.compile(r"(?<!\d)(\d{1,2})月")
_APART = re.compile(r"[-' ]")


def simpler(value: str) -> str:
    """NFC, case folded, single blanks, plain apostrophes and hyphens, simplified characters."""
    return " ".join(unicodedata.normalize("NFC", value).casefold().translate(_SIMPLER).split())


def meanings_of(text: str) -> dict[Kind, str | int] | None:
    """What the words of a text mean, each kind once; None where one is unknown or two say the same kind of thing.

    Args:
        text: from `simpler`. Numbers of four digits are years.
    """
    cut = _HAN.sub(r" \1 ", _HAN_MONTH.sub(r" month\1 ", text))
    cut = _PHRASE.sub(lambda phrase: phrase[0].replace(" ", "_"), cut)
    found: dict[Kind, str | int] = {}
    for piece in cut.split():
        token = piece.strip(",.;")
        meant = _meaning(token)
        for part in (token,) if meant is not None else _APART.split(token):
            if not part or part in _SAYING_NOTHING:
                continue
            one = _meaning(part)
            if one is None or one[0] in found:
                return None
            found[one[0]] = one[1]
    return found


def _meaning(token: str) -> tuple[Kind, str | int] | None:
    if re.fullmatch(r"[0-9]{4}", token):
        return "year", int(token)
    if re.fullmatch(r"[0-9]{1,3}", token):
        return "number", int(token)
    if match := re.fullmatch(r"month([0-9]{1,2})", token):
        return ("month", int(match[1])) if 1 <= int(match[1]) <= 12 else None
    return MEANINGS.get(token.replace("_", " "))
