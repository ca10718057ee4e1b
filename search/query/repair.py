"""Mend a query that is not well formed, character for character, so that positions stay what they were."""

from __future__ import annotations

import re

_QUOTES = str.maketrans("“”„‟«»＂", '"""""""')
_MINUS = re.compile(r"(?<![^\s(])[−–—‐‑](?=[^\s])")
_LONE_OR = (
    re.compile(r"(?:^|(?<=\())\s*(OR)(?=\s|\)|$)"),
    re.compile(r"(?<![^\s(])(OR)\s*(?=$|\))"),
    re.compile(r"(?<![^\s(])OR\s+(OR)(?=\s|\)|$)"),
)
MAX_DEPTH = 32
"""Brackets in brackets; deeper ones say nothing that people mean."""

_EMPTY = re.compile(r"\(\s*\)")


def repair(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with its quotes and minus signs made plain and what has no partner made blank.

    Returns:
        A text of the same length, and what was mended, one sentence each.
    """
    mended = _MINUS.sub("-", text.translate(_QUOTES))
    remarks: list[str] = []
    if mended.count('"') % 2:
        at = mended.rindex('"')
        mended = mended[:at] + " " + mended[at + 1 :]
        remarks.append("A quotation mark is not closed; what follows it was searched as words.")
    quoted = _inside_quotes(mended)
    mended, lone = _balanced(mended, quoted)
    if lone:
        remarks.append("A bracket has no partner and was left out.")
    while (empty := _unquoted(_EMPTY, mended, quoted)) is not None:
        mended = mended[: empty.start()] + " " * len(empty[0]) + mended[empty.end() :]
    lone_or = False
    for pattern in _LONE_OR:
        while (found := _unquoted(pattern, mended, quoted)) is not None:
            mended = mended[: found.start(1)] + "  " + mended[found.end(1) :]
            lone_or = True
    if lone_or:
        remarks.append("OR stands between two things; one that does not was left out.")
    return mended, tuple(remarks)


def _inside_quotes(text: str) -> list[bool]:
    inside, marks = False, []
    for char in text:
        marks.append(inside and char != '"')
        inside ^= char == '"'
    return marks


def _balanced(text: str, quoted: list[bool]) -> tuple[str, bool]:
    opened: list[int] = []
    lone: list[int] = []
    for place, char in enumerate(text):
        if quoted[place]:
            continue
        if char == "(":
            if len(opened) < MAX_DEPTH:
                opened.append(place)
            else:
                lone.append(place)
        elif char == ")":
            if opened:
                opened.pop()
            else:
                lone.append(place)
    lone += opened
    chars = list(text)
    for place in lone:
        chars[place] = " "
    return "".join(chars), bool(lone)


def _unquoted(pattern: re.Pattern[str], text: str, quoted: list[bool]) -> re.Match[str] | None:
    return next((found for found in pattern.finditer(text) if not quoted[found.start()]), None)
