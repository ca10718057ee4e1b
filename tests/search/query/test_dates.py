"""Days in words and numbers: what each typical word of six languages means, and that every span has two ends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.errors import QueryError
from search.query.date_words import _SAYING_NOTHING, _WORDS, MEANINGS, simpler
from search.query.dates import LANGUAGES, read_days
from search.query.language import parse

TODAY = date(2026, 3, 10)  # a Tuesday

MEANT = {
    "today": ("2026-03-10", "2026-03-10"),
    "yesterday": ("2026-03-09", "2026-03-09"),
    "the day before": ("2026-03-08", "2026-03-08"),
    "last week": ("2026-03-02", "2026-03-08"),
    "this week": ("2026-03-09", "2026-03-15"),
    "last month": ("2026-02-01", "2026-02-28"),
    "this month": ("2026-03-01", "2026-03-31"),
    "last year": ("2025-01-01", "2025-12-31"),
    "this year": ("2026-01-01", "2026-12-31"),
    "last summer": ("2025-06-01", "2025-08-31"),
    "last winter": ("2025-12-01", "2026-02-28"),
    "spring 2023": ("2023-03-01", "2023-05-31"),
    "christmas 2022": ("2022-12-24", "2022-12-26"),
    "new year 2020": ("2019-12-31", "2020-01-01"),
    "easter 2023": ("2023-04-07", "2023-04-10"),
    "march 2024": ("2024-03-01", "2024-03-31"),
    "2019": ("2019-01-01", "2019-12-31"),
    "2019-2021": ("2019-01-01", "2021-12-31"),
    "3 days ago": ("2026-03-07", "2026-03-07"),
    "2 weeks ago": ("2026-02-23", "2026-03-01"),
    "last weekend": ("2026-03-07", "2026-03-08"),
}
SAID = {
    "en": {
        "today": "today", "yesterday": "yesterday", "the day before": "day before yesterday",
        "last week": "last week; past week; the last week", "this week": "this week", "last month": "last month",
        "this month": "this month", "last year": "last year; previous year", "this year": "this year",
        "last summer": "last summer; summer; summer of last year", "last winter": "last winter",
        "spring 2023": "spring 2023; spring of 2023; 2023 spring", "christmas 2022": "christmas 2022; Xmas 2022",
        "new year 2020": "new year 2020; new year’s day 2020", "easter 2023": "easter 2023; Easter, 2023",
        "march 2024": "march 2024; March, 2024; mar 2024; in march 2024; 03/2024; 2024/3",
        "2019": "2019; in 2019; the year 2019",
        "2019-2021": "2019-2021; 2019 – 2021; 2019 to 2021; from 2019 until 2021; between 2019 and 2021; 2019..2021",
        "3 days ago": "3 days ago; three days ago", "2 weeks ago": "2 weeks ago; two weeks ago",
        "last weekend": "last weekend; weekend",
    },
    "de": {
        "today": "heute", "yesterday": "gestern", "the day before": "vorgestern",
        "last week": "letzte Woche; vorige Woche; in der letzten Woche", "this week": "diese Woche",
        "last month": "letzten Monat; letzter Monat; im letzten Monat", "this month": "diesen Monat; dieser Monat",
        "last year": "letztes Jahr; vergangenes Jahr; im letzten Jahr", "this year": "dieses Jahr; heuer",
        "last summer": "letzten Sommer; letzter Sommer; im Sommer des letzten Jahres", "last winter": "letzten Winter",
        "spring 2023": "Frühling 2023; Frühjahr 2023; im Frühling 2023",
        "christmas 2022": "Weihnachten 2022", "new year 2020": "Neujahr 2020", "easter 2023": "Ostern 2023",
        "march 2024": "März 2024; im März 2024", "2019": "2019; im Jahr 2019",
        "2019-2021": "2019-2021; 2019 bis 2021; von 2019 bis 2021", "3 days ago": "vor 3 Tagen; vor drei Tagen",
        "2 weeks ago": "vor 2 Wochen; vor zwei Wochen", "last weekend": "letztes Wochenende",
    },
    "fr": {
        "today": "aujourd'hui; aujourd’hui", "yesterday": "hier", "the day before": "avant-hier",
        "last week": "la semaine dernière; semaine passée", "this week": "cette semaine",
        "last month": "le mois dernier; mois dernier", "this month": "ce mois-ci; ce mois",
        "last year": "l'année dernière; l’an dernier; l'an passé", "this year": "cette année",
        "last summer": "l'été dernier; été dernier; l’été de l’année dernière", "last winter": "hiver dernier",
        "spring 2023": "printemps 2023; au printemps 2023", "christmas 2022": "Noël 2022; à Noël 2022",
        "new year 2020": "nouvel an 2020; jour de l’an 2020", "easter 2023": "Pâques 2023",
        "march 2024": "mars 2024; en mars 2024", "2019": "2019; en 2019; l'an 2019",
        "2019-2021": "2019-2021; de 2019 à 2021; entre 2019 et 2021",
        "3 days ago": "il y a 3 jours; il y a trois jours", "2 weeks ago": "il y a deux semaines",
        "last weekend": "le week-end dernier",
    },
    "es": {
        "today": "hoy", "yesterday": "ayer", "the day before": "anteayer",
        "last week": "la semana pasada; última semana", "this week": "esta semana",
        "last month": "el mes pasado; último mes", "this month": "este mes", "last year": "el año pasado",
        "this year": "este año", "last summer": "el verano pasado; el verano del año pasado",
        "last winter": "invierno pasado", "spring 2023": "primavera 2023; primavera de 2023; la primavera del 2023",
        "christmas 2022": "Navidad 2022; Navidades de 2022", "new year 2020": "Año Nuevo 2020",
        "easter 2023": "Pascua 2023", "march 2024": "marzo 2024; marzo de 2024", "2019": "2019; en 2019; año 2019",
        "2019-2021": "2019-2021; de 2019 a 2021; entre 2019 y 2021",
        "3 days ago": "hace 3 días; hace tres días", "2 weeks ago": "hace dos semanas",
        "last weekend": "el fin de semana pasado",
    },
    "uk": {
        "today": "сьогодні", "yesterday": "вчора; учора", "the day before": "позавчора",
        "last week": "минулого тижня; минулий тиждень", "this week": "цього тижня",
        "last month": "минулого місяця; минулий місяць", "this month": "цього місяця; цей місяць",
        "last year": "минулого року; торік", "this year": "цього року; цьогоріч",
        "last summer": "минулого літа; минуле літо; торішнє літо; літо минулого року", "last winter": "минулої зими",
        "spring 2023": "весна 2023; весна 2023 року; навесні 2023",
        "christmas 2022": "Різдво 2022; на Різдво 2022 року",
        "new year 2020": "Новий рік 2020", "march 2024": "березень 2024; березень 2024 року; у березні 2024 року",
        "2019": "2019; 2019 рік; у 2019 році", "2019-2021": "2019-2021; з 2019 по 2021; від 2019 до 2021 року",
        "3 days ago": "3 дні тому; три дні тому", "2 weeks ago": "два тижні тому", "last weekend": "минулі вихідні",
    },
    "zh": {
        "today": "今天", "yesterday": "昨天", "the day before": "前天", "last week": "上周; 上个星期; 上星期; 上週",
        "this week": "本周; 这周; 这个星期", "last month": "上个月; 上個月", "this month": "这个月; 本月; 這個月",
        "last year": "去年", "this year": "今年", "last summer": "去年夏天; 上个夏天; 夏天",
        "last winter": "上个冬天; 去年冬天", "spring 2023": "2023年春天; 2023春天; 2023年的春天",
        "christmas 2022": "2022年圣诞节; 圣诞节 2022; 2022年聖誕節", "new year 2020": "2020年元旦",
        "easter 2023": "2023年复活节", "march 2024": "2024年3月; 2024年三月", "2019": "2019; 2019年; 在2019年",
        "2019-2021": "2019-2021; 2019年到2021年; 从2019年至2021年; 2019—2021年",
        "3 days ago": "3天前; 三天前", "2 weeks ago": "两周前; 2个星期前", "last weekend": "上周末",
    },
}  # fmt: skip
ROWS = [
    (language, meant, text)
    for language, said in SAID.items()
    for meant, texts in said.items()
    for text in texts.split("; ")
]


def test_every_language_has_its_words() -> None:
    assert set(SAID) == set(LANGUAGES)
    # Orthodox Easter is another day, and Chinese and Ukrainian are held to all else.
    assert all({*MEANT} - {*said} <= {"easter 2023"} for said in SAID.values())


@pytest.mark.parametrize(("language", "meant", "text"), ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_a_typical_word_means_its_days(language: str, meant: str, text: str) -> None:
    first, last = MEANT[meant]
    assert read_days(text, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))
    (token,) = parse(f'date:"{text}"', today=TODAY).tokens
    assert token.kind == "filter"
    assert first in token.means
    assert last in token.means


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("this summer", "2025-06-01", "2025-08-31"), ("今年夏天", "2026-06-01", "2026-08-31"),
        ("vorletztes Jahr", "2024-01-01", "2024-12-31"), ("前年", "2024-01-01", "2024-12-31"),
        ("the last 3 months", "2025-12-01", "2026-03-10"), ("1000 days ago", "2023-06-14", "2023-06-14"),
        ("last march", "2025-03-01", "2025-03-31"), ("this march", "2026-03-01", "2026-03-31"),
        ("last monday", "2026-03-09", "2026-03-09"), ("last tuesday", "2026-03-03", "2026-03-03"),
        ("tuesday", "2026-03-10", "2026-03-10"), ("上周一", "2026-03-02", "2026-03-02"),
        ("周一", "2026-03-09", "2026-03-09"), ("this weekend", "2026-03-14", "2026-03-15"),
        ("a week ago", "2026-03-02", "2026-03-08"), ("vor einem Jahr", "2025-01-01", "2025-12-31"),
        ("1990s", "1990-01-01", "1999-12-31"), ("the 90s", "1990-01-01", "1999-12-31"),
        ("die 20er Jahre", "2020-01-01", "2029-12-31"), ("les années 80", "1980-01-01", "1989-12-31"),
        ("90-ті роки", "1990-01-01", "1999-12-31"), ("80年代", "1980-01-01", "1989-12-31"),
        ("Великдень 2023", "2023-04-14", "2023-04-17"), ("Semana Santa 2023", "2023-04-02", "2023-04-09"),
        ("Silvester 2019", "2019-12-31", "2019-12-31"), ("Nochebuena 2022", "2022-12-24", "2022-12-24"),
        ("halloween", "2025-10-31", "2025-10-31"), ("winter 2023", "2023-12-01", "2024-02-29"),
        ("12.03.2024", "2024-03-12", "2024-03-12"), ("12. März 2024", "2024-03-12", "2024-03-12"),
        ("2024年3月12日", "2024-03-12", "2024-03-12"), ("24 Dec 2022", "2022-12-24", "2022-12-24"),
        ("christmas 2019..easter 2020", "2019-12-24", "2020-04-13"), ("last summer..", "2025-06-01", "9999-12-31"),
    ],
)  # fmt: skip
def test_what_else_is_said_of_days(text: str, first: str, last: str) -> None:
    assert read_days(text, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "text",
    [
        "never", "..", "2024-13", "2024-02-30", "0000", "2021-2019", "2021..2019", "last purple summer",
        "spring 2023 blue",
        "summer winter", "春节2023", "dog", "99", "5", "10:30", "1700000000", "a", "last", "ago", "3", "week",
        "week 2019",
        "summer 9999", "christmas 0000", "this 3 weeks", "0-0", "1990s dog", "vor", "里", "...", "🐕",
    ],
)  # fmt: skip
def test_what_is_no_date_is_said_with_a_remedy(text: str) -> None:
    with pytest.raises(QueryError, match=r"is no date|ends before it begins") as caught:
        read_days(text, TODAY)
    assert caught.value.remedy


def test_easter_is_when_it_was() -> None:
    sundays = {1961: (4, 2), 2000: (4, 23), 2008: (3, 23), 2024: (3, 31), 2038: (4, 25)}
    for year, (month, day) in sundays.items():
        assert read_days(f"holy week {year}", TODAY)[1] == date(year, month, day)
    for year, (month, day) in {2000: (4, 30), 2021: (5, 2), 2024: (5, 5)}.items():
        assert read_days(f"великдень {year}", TODAY)[1] == date(year, month, day) + timedelta(days=1)


def test_no_word_means_two_things() -> None:
    words = [word for table in _WORDS.values() for said in table.values() for word in said.split()]
    assert len(words) == len(set(words)) == len(MEANINGS)
    assert not _SAYING_NOTHING & MEANINGS.keys()
    assert all(simpler(word) == word for word in MEANINGS)


PIECES = st.sampled_from(
    [*MEANINGS, *sorted(_SAYING_NOTHING), "2019", "2024", "3", "0", "12", "999", "-", "..", " ", ","]
)


@given(st.lists(PIECES, min_size=1, max_size=5).map(" ".join) | st.text(max_size=30), st.dates(date(1970, 1, 1)))
@example("999 years ago", TODAY)
@example("9999 weeks ago", date(1970, 1, 1))
@example("winter", date(2024, 2, 29))
def test_a_span_of_days_never_ends_before_it_begins(text: str, today: date) -> None:
    try:
        first, last = read_days(text, min(today, date(2200, 1, 1)))
    except QueryError:
        return
    assert first <= last
