"""The languages of the pages: which there are, which one a request wants, and what a message is in it."""

from __future__ import annotations

import functools
import gettext as mo
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel.core import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CATALOGUES: Final = Path(__file__).parent / "locale"

COOKIE: Final = "deixis_language"

_ACCEPTED_CHARS = 500
"""So much of an Accept-Language is read; browsers send a tenth."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that pages can be read in.

    Attributes:
        code: folder of its catalogue; what the cookie holds.
        tag: for `lang` attributes (BCP 47).
        name: in that language.
        plurals: the rule of its plural forms, as catalogues write it.
    """

    code: str
    tag: str
    name: str
    plurals: str

    @property
    def locale(self) -> Locale:
        """How numbers, sizes and dates are written in it."""
        return Locale.parse(self.tag, sep="-")


_TWO = "nplurals=2; plural=(n != 1);"

LANGUAGES: Final[Mapping[str, Language]] = {
    language.code: language
    for language in (
        Language("en", "en", "English", _TWO),
        Language("de", "de", "Deutsch", _TWO),
        Language("es", "es", "Español", _TWO),
        Language("fr", "fr", "Français", "nplurals=2; plural=(n > 1);"),
        Language(
            "uk",
            "uk",
            "Українська",
            "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);",
        ),
        Language("zh", "zh-Hans", "简体中文", "nplurals=1; plural=0;"),
    )
}

SOURCE: Final = LANGUAGES["en"]
"""The language that messages are written in."""

_spoken: ContextVar[Language] = ContextVar("spoken", default=SOURCE)


def spoken() -> Language:
    """The language of the request that is being answered; English outside of one."""
    return _spoken.get()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak a language until the block ends, in this task and in the threads that it starts work in."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def gettext(message: str, /, **values: object) -> str:
    """A message in the language of the request, with its `%(name)s` filled in."""
    return translations(spoken().code).gettext(message) % values


def ngettext(one: str, many: str, n: int, /, **values: object) -> str:
    """As `gettext`, in the form for `n` things, which `%(num)s` names."""
    return translations(spoken().code).ngettext(one, many, n) % {"num": n, **values}


def marked(message: str, /) -> str:
    """The message itself: marks a constant for the catalogues, which `gettext` gets when it is shown."""
    return message


@functools.cache
def translations(code: str) -> mo.NullTranslations:
    """The messages of a language, from the catalogue as translators edit it: there is no compiled copy to grow old.

    Raises:
        KeyError: there is no such language.
    """
    language = LANGUAGES[code]
    if language is SOURCE:
        return mo.NullTranslations()  # its catalogue is the list of all messages
    compiled = io.BytesIO()
    with catalogue_path(code).open("rb") as file:
        write_mo(compiled, read_po(file, locale=code, abort_invalid=True))
    compiled.seek(0)
    return mo.GNUTranslations(compiled)


def catalogue_path(code: str) -> Path:
    """Where the messages of a language are."""
    return CATALOGUES / code / "LC_MESSAGES" / "deixis.po"


def language_of(cookie: str | None, accepted: str) -> Language:
    """The language to answer in: the one that was chosen, else the best of those that the browser names, else English.

    Args:
        cookie: what `COOKIE` holds.
        accepted: the value of Accept-Language (RFC 9110, section 12.5.4).
    """
    if cookie is not None and cookie in LANGUAGES:
        return LANGUAGES[cookie]
    wanted: list[tuple[float, str]] = []
    for piece in accepted[:_ACCEPTED_CHARS].split(","):
        tag, _, weight = piece.partition(";")
        code = tag.strip().lower().split("-")[0]
        wanted.append((_weight(weight), code))
    wanted.sort(key=lambda each: -each[0])  # stable: of equal ones the first
    return next((LANGUAGES[code] for weight, code in wanted if weight > 0 and code in LANGUAGES), SOURCE)


def _weight(text: str) -> float:
    name, _, value = text.partition("=")
    if not name.strip():
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip().lower() == "q" and 0 <= weight <= 1 else 0.0


class Speaking:
    """Lets each request be answered in its language, and tells caches what that depends on.

    Args:
        app: what lies inside; `spoken` knows the language there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        language = language_of(asked.cookies.get(COOKIE), asked.headers.get("accept-language", ""))

        async def send_varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.add_vary_header("Accept-Language")
                    headers.add_vary_header("Cookie")
                    headers.setdefault("Content-Language", language.tag)
            await send(message)

        with speaking(language):
            await self.app(scope, receive, send_varied)
