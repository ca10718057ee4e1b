"""Numbers, sizes and dates as the language of the request writes them, and what templates need to speak it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from jinja2 import Environment

from web.languages import LANGUAGES, spoken, translations

_UNITS = ("kilobyte", "megabyte", "gigabyte", "terabyte")


def number(value: float) -> str:
    """`12345` as `12,345`, `12.345` or `12 345`."""
    return format_decimal(value, locale=spoken().locale)


def share(value: float) -> str:
    """A share in [0, 1] in per cent, without decimals; rounded down, so that `100 %` is all of it."""
    return format_percent(math.floor(value * 100) / 100, locale=spoken().locale)


def size(size_bytes: int) -> str:
    """A size for people: `184 kB`, `2.4 MB` (powers of ten, as file managers and disks count)."""
    locale = spoken().locale
    if size_bytes < 1000:
        return format_unit(size_bytes, "digital-byte", "long", locale=locale)
    scaled = float(size_bytes)
    for unit in _UNITS:
        scaled /= 1000
        if scaled < 1000 or unit == _UNITS[-1]:
            break
    pattern = "#,##0" if scaled >= 10 else "0.0"
    return format_unit(scaled, f"digital-{unit}", "short", format=pattern, locale=locale)


def day(moment: datetime) -> str:
    """A date: `3 May 2024` in the words of the language."""
    return format_date(moment, "medium", locale=spoken().locale)


def moment(at: datetime) -> str:
    """Date and time of day where the server is; a time without a zone is one of UTC."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return format_datetime(aware.astimezone(), "medium", locale=spoken().locale)


def ago(at: datetime, now: datetime | None = None) -> str:
    """How long something is over: `5 minutes ago`."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    passed = max((now or datetime.now(UTC)) - aware, timedelta(seconds=1))
    return format_timedelta(-passed, add_direction=True, locale=spoken().locale)


def speak(environment: Environment) -> None:
    """Let an environment's templates use `_`, `ngettext`, `{% trans %}` and the filters of this file."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension
        lambda message: translations(spoken().code).gettext(message),
        lambda one, many, n: translations(spoken().code).ngettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, message: translations(spoken().code).pgettext(context, message),
        npgettext=lambda context, one, many, n: translations(spoken().code).npgettext(context, one, many, n),
    )
    environment.globals.update(spoken=spoken, languages=tuple(LANGUAGES.values()))
    environment.filters.update(ago=ago, day=day, moment=moment, number=number, share=share, size=size)
