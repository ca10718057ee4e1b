"""Spans of days in words and numbers: `2024`, `2024-05..2024-08`, "last summer", "vor 3 Tagen"."""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date, timedelta

from search.errors import QueryError

LANGUAGES = ("en", "de", "fr", "es", "uk", "zh")

_SEASONS = {
    "spring": "spring frühling frühjahr printemps primavera весна весни весною 春天 春季 春",
    "summer": "summer sommer été ete verano літо літа літом влітку 夏天 夏季 夏",
    "autumn": "autumn fall herbst automne otoño otono осінь осені восени 秋天 秋季 秋",
    "winter": "winter hiver invierno зима зими взимку 冬天 冬季 冬",
}
_SEASON_OF = {word: season for season, words in _SEASONS.items() for word in words.split()}
_STARTS = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}

_UNITS = {
    "day": "day days tag tage tagen jour jours día días dia dias день дні днів 天 日",
    "week": "week weeks woche wochen semaine semaines semana semanas тиждень тижні тижнів тижня 周 星期 个星期 週",
    "month": "month months monat monate monaten mois mes meses місяць місяці місяців місяця 月 个月",
    "year": "year years jahr jahre jahren an ans année années annee ano año años рік роки років року 年",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}

_LAST = frozenset(
    "last letzte letzten letzter letztes vorige vorigen voriges vergangene vergangenen vergangener dernier dernière "
    "derniere passé passe pasado pasada último ultimo última ultima минулий минулого минула минулої минуле "
    "上 上个 去".split()
)
_THIS = frozenset("this diese diesen dieser dieses ce cet cette este esta цей цього ця цієї це 这 这个 今 本".split())
_AGO = frozenset("ago vor il y a hace тому назад 前".split())
_DAYS = {
    0: "today heute aujourd'hui aujourdhui hoy сьогодні 今天",
    1: "yesterday gestern hier ayer вчора 昨天",
    2: "vorgestern avant-hier anteayer позавчора 前天",
}
_DAY_OF = {word: days for days, words in _DAYS.items() for word in words.split()}

_PART = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_CHINESE = re.compile(r"(上个?|这个?|去|今|本)?\s*(年|月|周|星期|春|夏|秋|冬)(?:天|季)?")
_EARLIEST, _LATEST = date(1, 1, 1), date(9999, 12, 31)


def read_days(value: str, today: date) -> tuple[date, date]:
    """The first and the last day that a text means, both included.

    Args:
        value: a year, a month, a day, `a..b` of these or of words, `..b`, `a..`, or words in one of `LANGUAGES`.
        today: what "yesterday" counts from.

    Raises:
        QueryError: it is no date.
    """
    if ".." in value:
        first, last = (part.strip() for part in value.split("..", 1))
        if not first and not last:
            raise _no_date(value)
        start = read_days(first, today)[0] if first else _EARLIEST
        end = read_days(last, today)[1] if last else _LATEST
        if start > end:
            raise QueryError(f"date:{value} ends before it begins", remedy="Write the earlier one first.")
        return start, end
    found = _in_numbers(value) or _in_own_words(value, today) or _by_library(value, today)
    if found is None:
        raise _no_date(value)
    return found


def _no_date(value: str) -> QueryError:
    return QueryError(
        f"date:{value} is no date",
        remedy='For example: date:2024, date:2024-05..2024-08, date:..2020, date:yesterday, date:"last summer".',
    )


def _in_numbers(value: str) -> tuple[date, date] | None:
    match = _PART.fullmatch(value.strip().replace("/", "-").replace(".", "-"))
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None  # the expression needs one
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        raise _no_date(value) from None
    if day is not None:
        return first, first
    return first, _month_end(year, month or 12)


def _in_own_words(value: str, today: date) -> tuple[date, date] | None:
    """Seasons, "last year", "this week", "3 days ago", by own tables: libraries give a moment, and these are spans."""
    folded = unicodedata.normalize("NFC", value).casefold()
    chinese = _CHINESE.fullmatch(folded.strip())
    words = [part for part in chinese.groups() if part] if chinese else re.findall(r"[\w'\-]+", folded)
    if len(words) == 1 and words[0] in _DAY_OF:
        day = today - timedelta(days=_DAY_OF[words[0]])
        return day, day
    years = [int(word) for word in words if re.fullmatch(r"\d{4}", word)]
    season = next((_SEASON_OF[word] for word in words if word in _SEASON_OF), None)
    back = any(word in _LAST for word in words)
    if season is not None:
        return _season(season, years[0] if years else None, today, last=back)
    unit = next((_UNIT_OF[word] for word in words if word in _UNIT_OF), None)
    number = next((int(word) for word in words if word.isdecimal()), None)
    if unit is not None and number is not None and number <= 10_000 and any(word in _AGO for word in words):
        return _unit(unit, today, number)
    if unit is not None and (back or any(word in _THIS for word in words)):
        return _unit(unit, today, 1 if back else 0)
    return None


def _season(season: str, year: int | None, today: date, *, last: bool) -> tuple[date, date]:
    """Three months; the last one that has ended, or the latest that has begun. A winter is named by its December."""
    begins = _STARTS[season]

    def span(of: int) -> tuple[date, date]:
        ends = (of + 1, 2) if begins == 12 else (of, begins + 2)
        return date(of, begins, 1), _month_end(*ends)

    if year is not None:
        return span(min(max(year, 1), 9998))
    candidates = [span(today.year - back) for back in (0, 1, 2)]
    return next(one for one in candidates if (one[1] if last else one[0]) <= today)


def _unit(unit: str, today: date, back: int) -> tuple[date, date]:
    if unit == "day":
        day = today - timedelta(days=min(back, 300_000))
        return day, day
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return monday, monday + timedelta(days=6)
    months = today.year * 12 + today.month - 1 - back * (12 if unit == "year" else 1)
    year, month = max(months // 12, 1), months % 12 + 1
    if unit == "year":
        return date(year, 1, 1), date(year, 12, 31)
    return date(year, month, 1), _month_end(year, month)


def _by_library(value: str, today: date) -> tuple[date, date] | None:
    """Months and days by name, in any of the languages."""
    from datetime import datetime, time  # noqa: PLC0415

    from dateparser.date import DateDataParser  # noqa: PLC0415 (half a second, and only for words)

    now = datetime.combine(today, time(12))
    settings = {"RELATIVE_BASE": now, "PREFER_DATES_FROM": "past", "PREFER_DAY_OF_MONTH": "first"}
    found = DateDataParser(languages=list(LANGUAGES), settings=settings).get_date_data(value)
    if found.date_obj is None:
        return None
    day = found.date_obj.date()
    if found.period == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if found.period == "month":
        return date(day.year, day.month, 1), _month_end(day.year, day.month)
    return day, day


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
