"""Jinja: templates that escape everything, and the few functions that they call."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from search.db.images import display_path
from web.access.caller import may_see_paths
from web.access.sessions import csrf_token
from web.addresses import at
from web.languages import gettext, marked
from web.layout import aspect_class, percent
from web.wording import speak

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

_FOLDERS = re.compile(r"(?<![\w.…/-])/(?:[^/\n'\"`;]+/)+")
"""A path that begins at the top, up to its last part; blanks are part of names."""

_PARTS = {
    "image": marked("how it looks"),
    "words": marked("words of a text"),
    "meaning": marked("meaning of a text"),
    "things": marked("its things"),
    "boxes": marked("boxes of the things"),
    "relation": marked("how they stand"),
    "number": marked("how many"),
    "patches": marked("its things, looked at closely"),
    "without": marked("what should not be there"),
    "weighted": marked("weighted words"),
    "like": marked("likeness"),
    "box": marked("how a box of it looks"),
    "typed": marked("a text typed word for word"),
}


def text_of_path(path: str) -> str:
    """A path, or the name of an upload, as text that can be shown and sent: what is no text becomes U+FFFD."""
    return display_path(path)


def file_name(path: str) -> str:
    """The last part of a path as text that can be shown and sent."""
    return text_of_path(path).replace("\\", "/").rsplit("/", 1)[-1]


def shown_path(path: str) -> str:
    """A path for whoever asks: whole, or the file's name alone where they are not told where files lie."""
    return text_of_path(path) if may_see_paths() else file_name(path)


def folder_name(path: str) -> str:
    """A path without its last part, for whoever asks; empty where they are not told where files lie."""
    return shown_path(path).removesuffix(file_name(path))


def without_paths(text: str) -> str:
    """A sentence for whoever asks; folders in it are left out where they are not told where files lie."""
    return text if may_see_paths() else _FOLDERS.sub("…/", text)


def search_url(**parts: object) -> str:
    """Address of a results page; parts that are None are left out."""
    return at("/search?") + urlencode({name: value for name, value in parts.items() if value is not None})


def preview_url(image_id: int, sha256: str, name: str) -> str:
    """Address of a preview; `v` is its content, so that browsers may keep it for good."""
    return at(f"/media/{image_id}/{name}?v={sha256[:16]}")


def heat_url(image_id: int, text: str, version: str) -> str:
    """Address of a heat map's layer; `v` is what it follows from, so that browsers may keep it for good."""
    return at(f"/media/{image_id}/heat.png?") + urlencode({"q": text, "v": version[:16]})


def page_url(image_id: int, q: object = "", heat: str = "", **led: object) -> str:
    """Address of a picture's page, which remembers the search that led there; `heat` is what to look for in it."""
    given = {name: value for name, value in {"q": q, **led, "heat": heat}.items() if value}
    return at(f"/images/{image_id}") + ("?" + urlencode(given) if given else "")


def static_url(name: str) -> str:
    """Address of a static file; `v` is its content, so that browsers may keep it for good."""
    return at(f"/static/{name}?v={_static_version(name)}")


@functools.cache
def _static_version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def render(
    request: Request,
    name: str,
    context: Mapping[str, object],
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Fill a template; every value is escaped."""
    return _templates.TemplateResponse(request, name, dict(context), status_code, headers)


def fragment(request: Request, name: str, context: Mapping[str, object]) -> str:
    """Fill a template that is a piece of a page."""
    return _templates.get_template(name).render({"request": request, **context})


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,  # for every template, whatever its name
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        aspect=aspect_class,
        at=at,
        csrf_token=csrf_token,
        page_url=page_url,
        percent=percent,
        preview_url=preview_url,
        search_url=search_url,
        static=static_url,
    )
    environment.filters.update(
        file_name=file_name,
        folder=folder_name,
        part_name=lambda part: gettext(_PARTS[part]) if part in _PARTS else part,
        path=shown_path,
        plain=lambda text: without_paths(text_of_path(text)),
    )
    speak(environment)
    return environment


_templates = Jinja2Templates(env=_environment())
