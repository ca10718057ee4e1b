"""Keeps the catalogues up to date: `python -m web.catalogues` brings every message of the pages into each of them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from web.languages import LANGUAGES, SOURCE, Language, catalogue_path

WEB = Path(__file__).parent

_METHODS = [("templates/**.html", "jinja2"), ("*.py", "python")]
_OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "marked": None,
    "Kind": (3,),  # titles of problems, see `web.errors`
}
_KEPT_FIELDS = (b'"Language:', b'"Plural-Forms:', b'"MIME-Version:', b'"Content-T')


def extracted() -> Catalog:
    """Every message of the templates and of this room's modules."""
    catalogue = _empty(SOURCE)
    found = extract_from_dir(
        WEB, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS, comment_tags=("Translators:",)
    )
    for name, _, message, comments, context in found:
        catalogue.add(message, None, locations=[(name, 0)], auto_comments=comments, context=context)
    return catalogue


def read(language: Language) -> Catalog:
    """The catalogue of a language as it is; an empty one where there is none yet."""
    path = catalogue_path(language.code)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language.code, abort_invalid=True)


def updated(language: Language, messages: Catalog) -> bytes:
    """The catalogue of a language with all messages and no other ones, as it is written.

    What is translated stays; what is new is empty. Neither dates nor line numbers are in it, so that branches
    that add messages merge.
    """
    catalogue, old = _empty(language), read(language)
    for message in messages:
        if not message.id:
            continue
        known = old.get(message.id, message.context)
        catalogue.add(
            message.id,
            known.string if known is not None else None,
            locations=message.locations,
            auto_comments=message.auto_comments,
            user_comments=known.user_comments if known is not None else (),
            context=message.context,
        )
    out = io.BytesIO()
    write_po(out, catalogue, width=0, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return b"".join(_without_dates(out.getvalue()))


def _empty(language: Language) -> Catalog:
    catalogue = Catalog(
        locale=language.code, fuzzy=False, header_comment=f"# Deixis: the pages in {language.name} ({language.tag})."
    )
    catalogue.mime_headers = [("Plural-Forms", language.plurals)]
    return catalogue


def _without_dates(text: bytes) -> Iterator[bytes]:
    """Lines of a catalogue, of its header only the fields that say something."""
    head, gap, rest = text.partition(b"\n\n")
    for line in head.splitlines(keepends=True):
        if not line.startswith(b'"') or line.startswith(_KEPT_FIELDS):
            yield line
    yield gap + rest


def main() -> None:
    """Update every catalogue, and say what is left to translate."""
    messages = extracted()
    for language in LANGUAGES.values():
        path = catalogue_path(language.code)
        text = updated(language, messages)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        empty = [message.id for message in read(language) if message.id and not any(_strings(message.string))]
        left = 0 if language is SOURCE else len(empty)
        sys.stdout.write(f"{language.name}: {len(messages)} messages, {left} to translate\n")


def _strings(string: object) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (str(string or ""),)


if __name__ == "__main__":
    main()
