"""JSON of which one value may be beyond all reason without keeping the rest from being read."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_DEEPEST = 64
"""Levels that are read; no annotation needs ten."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def parse_json(text: str) -> Any:
    """Read JSON; a whole number of thousands of digits reads as infinity, what is nested too deeply as null.

    Raises:
        json.JSONDecodeError: it is not JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python reads 4,300 digits at most
        return json.loads(text, parse_int=_whole)
    except RecursionError as error:
        try:
            return json.loads(_shallow(text), parse_int=_whole)
        except json.JSONDecodeError:
            raise json.JSONDecodeError("nested too deeply, and broken", text, 0) from error


def _whole(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return -math.inf if digits.startswith("-") else math.inf


def _shallow(text: str) -> str:
    """The text with `null` in place of every value that lies deeper than anything of use."""
    pieces: list[str] = []
    depth = kept_to = 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == _DEEPEST:
                pieces += [text[kept_to : token.start()], "null"]
        elif token[0] in ("]", "}"):
            if depth == _DEEPEST:
                kept_to = token.end()
            depth -= 1
    return "".join([*pieces, text[kept_to:] if depth < _DEEPEST else ""])
