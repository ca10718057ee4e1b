"""Spans of days in words and numbers: `2024`, `2024-05..2024-08`, "last summer", "vor 3 Tagen"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TypeAlias

from search.errors import QueryError
from search.query.date_words import Kind, meanings_of, simpler

LANGUAGES = ("en", "de", "fr", "es", "uk", "zh")

Days: TypeAlias = tuple[date, date]
"""The first and the last of them, both included."""

_PART = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_YEARS = re.compile(
    r"(?:(?:from|between|von|zwischen|de|entre|з|із|від|从)\s?)?(\d{4})(?:\s?年)?"
    r"\s?(?:-|to|until|till|and|bis|und|à|au|et|a|al|hasta|y|до|по|і|та|到|至)\s?(\d{4})(?:\s?(?:年|рр?\.?|роки|рік|року))?"
)
_DECADE = re.compile(
    r"(?:(?:in )?(?:the|die|den) )?(\d0|\d{3}0)(?:'?s|er(?: jahren?)?|-(?:ті|х)(?: рок(?:и|ів|ах))?|\s?年代)"
    r"|(?:(?:en |dans )?(?:les|los) )?(?:années|annees|años|anos) (\d0|\d{3}0)"
)
_NO_WORDS = re.compile(r"[\d\s:.,]*|[^\W\d_\u3400-\u9fff]")
"""Bare small numbers, times of day, a letter: a month or a clock to a library, and to nobody else a date."""

_EARLIEST, _LATEST = date(1, 1, 1), date(9999, 12, 31)
_LAST_YEAR = 9998
"""A winter, and a feast of some days, may end in the year that follows."""


def read_days(value: str, today: date) -> Days:
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
    said = simpler(value)
    meant = meanings_of(said)
    found = _in_numbers(said) or _years(value, said, today) or _in_own_words(said, meant, today)
    if found is None and (not meant or "month" in meant):
        # Of words that we know, a library knows only the days of months better.
        found = _by_library(value, today)
    if found is None:
        raise _no_date(value)
    return found


def _no_date(value: str) -> QueryError:
    return QueryError(
        f"date:{value} is no date",
        remedy='For example: date:2024, date:2024-05..2024-08, date:..2020, date:yesterday, date:"last summer".',
    )


def _in_numbers(value: str) -> Days | None:
    turned = _DAY_FIRST.fullmatch(value)
    match = _PART.fullmatch("-".join(turned.groups()[::-1]) if turned else re.sub("[/.]", "-", value))
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


def _years(value: str, said: str, today: date) -> Days | None:
    """Several years: "2019-2021", "2019 to 2021", "the 1990s"."""
    if match := _YEARS.fullmatch(said):
        first, last = int(match[1]), int(match[2])
        if not 1 <= first <= last:
            raise QueryError(f"date:{value} ends before it begins", remedy="Write the earlier one first.")
        return date(first, 1, 1), date(last, 12, 31)
    if match := _DECADE.fullmatch(said):
        decade = int(match[1] or match[2])
        if decade < 100:
            decade += today.year // 100 * 100
            decade -= 100 if decade > today.year else 0
        return (date(decade, 1, 1), date(decade + 9, 12, 31)) if decade > 0 else None
    return None


def _in_own_words(said: str, found: Mapping[Kind, str | int] | None, today: date) -> Days | None:
    """Seasons, feasts, "last year", "3 days ago", by own tables: libraries give a moment, and these are spans."""
    if not found:
        return None
    kinds = frozenset(found)
    for named, span in (("season", _season), ("feast", _feast), ("month", _month)):
        if named in kinds and kinds - {named} in _WHEN:
            return _one_of(span(found[named]), found, today)
    if kinds in _BY_DAYS:
        return _by_days(said, found, today)
    if kinds == {"unit", "year"} and found["unit"] != "year":
        return None
    if kinds in _WHEN:
        return _by_units(found, today)
    return _ago(found, today)


def _by_days(said: str, found: Mapping[Kind, str | int], today: date) -> Days:
    """Yesterday, a day of the week, a weekend."""
    back = int(found.get("back", 0))
    if "day" in found:
        day = today - timedelta(days=int(found["day"]))
        return day, day
    if "weekday" in found:
        return _weekday(said, int(found["weekday"]), back, today)
    saturday = today - timedelta(days=today.weekday() - 5)
    # Without "this" it is one that has begun.
    saturday -= timedelta(days=7 * (back if "back" in found else int(saturday > today)))
    return saturday, saturday + timedelta(days=1)


def _by_units(found: Mapping[Kind, str | int], today: date) -> Days | None:
    """A year by its number, "last year", "this week"."""
    if "year" in found or "year_back" in found:
        year = int(found["year"]) if "year" in found else today.year - int(found["year_back"])
        return (date(year, 1, 1), date(year, 12, 31)) if year > 0 else None
    return _unit(str(found["unit"]), today, int(found["back"])) if "unit" in found else None


def _ago(found: Mapping[Kind, str | int], today: date) -> Days | None:
    """ "3 days ago" is that day, "2 weeks ago" that week; "the last 2 weeks" go on until today."""
    counted = frozenset(found) - {"number", "year"}  # a thousand days read like a year
    if len(found) - len(counted) > 1 or "unit" not in found:
        return None
    count = int(found.get("number", found.get("year", 1)))
    span = _unit(str(found["unit"]), today, count)
    if counted == {"unit", "ago"}:
        return span
    return (span[0], today) if counted == {"unit", "back"} and found["back"] == 1 else None


_BY_DAYS = frozenset(
    frozenset(kinds.split()) for kinds in ("day", "weekday", "back weekday", "weekend", "back weekend")
)
_WHEN = frozenset(frozenset(kinds.split()) for kinds in ("", "year", "unit year", "year_back", "back", "back unit"))
"""With what a name that comes round every year may stand: nothing, a year, "last", "of last year"."""


def _one_of(span: Callable[[int], Days], found: Mapping[Kind, str | int], today: date) -> Days | None:
    """Of what comes round every year the one that is meant: of a year; else the last that has ended or has begun."""
    if found.get("unit", "year") != "year":
        return None
    if "year" in found:
        return span(int(found["year"])) if 1 <= int(found["year"]) <= _LAST_YEAR else None
    if "year_back" in found or "unit" in found:
        return span(today.year - int(found.get("year_back", found.get("back", 0))))
    back = int(found.get("back", 0))
    years = (today.year + 1 - number for number in range(5))
    past = [one for one in map(span, years) if (one[1] < today if back else one[0] <= today)]
    return past[max(back - 1, 0)]


def _season(begins: int | str) -> Callable[[int], Days]:
    """Three months; a winter is named by its December."""
    first = int(begins)
    return lambda year: (
        date(year, first, 1),
        _month_end(year + 1, 2) if first == 12 else _month_end(year, first + 2),
    )


def _month(number: int | str) -> Callable[[int], Days]:
    return lambda year: (date(year, int(number), 1), _month_end(year, int(number)))


def _feast(name: int | str) -> Callable[[int], Days]:
    def span(year: int) -> Days:
        match name:
            case "christmas":
                return date(year, 12, 24), date(year, 12, 26)
            case "christmas eve":
                return date(year, 12, 24), date(year, 12, 24)
            case "new year":  # the night belongs to it
                return date(max(year - 1, 1), 12, 31), date(year, 1, 1)
            case "new year's eve":
                return date(year, 12, 31), date(year, 12, 31)
            case "halloween":
                return date(year, 10, 31), date(year, 10, 31)
        sunday = _easter(year, orthodox=name == "orthodox easter")
        first, last = (-7, 0) if name == "holy week" else (-2, 1)
        return sunday + timedelta(days=first), sunday + timedelta(days=last)

    return span


def _easter(year: int, *, orthodox: bool) -> date:
    """Easter Sunday in our calendar, by the rules of Butcher (1876) and of Meeus (1991) for the Julian one."""
    if orthodox:
        moon = (19 * (year % 19) + 15) % 30
        ahead = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
        month, day = divmod(moon + ahead + 114, 31)
        return date(year, month, day + 1) + timedelta(days=year // 100 - year // 400 - 2)
    century, rest = divmod(year, 100)
    golden, leap = year % 19, century // 4
    moon = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    ahead = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    month, day = divmod(moon + ahead - 7 * ((golden + 11 * moon + 22 * ahead) // 451) + 114, 31)
    return date(year, month, day + 1)


def _weekday(said: str, weekday: int, back: int, today: date) -> Days:
    """The latest such day; with "last" not today. In Chinese "last" is said of the week."""
    if back and any(char in said for char in "周期拜"):
        day = today - timedelta(days=today.weekday() - weekday + 7 * back)
    else:
        since = (today.weekday() - weekday) % 7
        day = today - timedelta(days=since + (7 * back if since == 0 or back == 2 else 0))
    return day, day


def _unit(unit: str, today: date, back: int) -> Days:
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


def _by_library(value: str, today: date) -> Days | None:
    """Days by name, in any of the languages; the year that somebody wrote, or nothing."""
    if _NO_WORDS.fullmatch(value.strip()):
        return None
    from datetime import datetime, time  # noqa: PLC0415

    from dateparser.date import DateDataParser  # noqa: PLC0415 (half a second, and only for words)

    now = datetime.combine(today, time(12))
    settings = {"RELATIVE_BASE": now, "PREFER_DATES_FROM": "past", "PREFER_DAY_OF_MONTH": "first"}
    found = DateDataParser(languages=list(LANGUAGES), settings=settings).get_date_data(value)
    if found.date_obj is None:
        return None
    day = found.date_obj.date()
    written = re.findall(r"\d{4}", value)
    if written and str(day.year).zfill(4) not in written:
        return None
    if found.period == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if found.period == "month":
        return date(day.year, day.month, 1), _month_end(day.year, day.month)
    return day, day


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
