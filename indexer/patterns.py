"""gitignore patterns: read from people and from files, held to bounds, matched."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from vision.errors import DeixisError
from vision.opening import NotAFileError, open_regular

IGNORE_FILE = ".deixisignore"
"""Lies in any folder; its patterns hold for that folder and everything below."""

_MAX_FILE_BYTES = 1024 * 1024
_MAX_PATTERNS = 2_000
_MAX_LENGTH = 8_000
_MAX_STARS = 3
"""A foreign folder may bring the patterns: matching takes time to the power of the stars (3: 0.3 s for the most hostile
name there can be, 4: half a minute)."""


class PatternError(DeixisError):
    """Something is not a gitignore pattern, or one that costs too much."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns that hold below one folder.

    Attributes:
        base: the folder, absolute.
        lines: as they were written.
    """

    base: str
    spec: GitIgnoreSpec
    lines: tuple[str, ...] = ()

    def says(self, path: str, *, folder: bool) -> bool | None:
        """True where the last pattern that fits a path below `base` matches, False where it begins with `!`."""
        below = path[len(self.base.rstrip("/")) + 1 :]
        found: bool | None = self.spec.check_file(below + "/" if folder else below).include
        return found


def compiled(base: str, patterns: Sequence[str]) -> Patterns | None:
    """Patterns that a person gave for `base`; None where there are none.

    Raises:
        PatternError: one of them is not a pattern, or is beyond the bounds.
    """
    if not patterns:
        return None
    for pattern in patterns:
        complaint = _complaint(pattern) or ("it says nothing" if not _says_something(pattern) else None)
        if complaint:
            raise PatternError(
                f"{pattern!r} is not a pattern for folders or files: {complaint}",
                remedy="Patterns are those of gitignore: name, *.suffix, folder/, /folder/below/the/indexed/one/.",
            )
    return Patterns(base, _spec(patterns), tuple(patterns))


def read_ignore_file(folder: str) -> tuple[Patterns | None, list[str]]:
    """The patterns of a folder's ignore file, and a complaint for each line that is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a regular file, or is beyond the bounds.
    """
    try:
        with open_regular(os.path.join(folder, IGNORE_FILE)) as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except NotAFileError as error:
        raise ValueError("it is not a regular file") from error
    # As bytes of names: a pattern must be able to fit a name that is not UTF-8.
    lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).splitlines()
    if len(data) > _MAX_FILE_BYTES or len(lines) > _MAX_PATTERNS:
        raise ValueError(f"it has more than {_MAX_PATTERNS} lines or {_MAX_FILE_BYTES} bytes")
    complaints = [(number, _complaint(line)) for number, line in enumerate(lines, start=1)]
    bad = {number for number, complaint in complaints if complaint}
    good = [line for number, line in enumerate(lines, start=1) if number not in bad and _says_something(line)]
    return (
        Patterns(folder, _spec(good), tuple(good)) if good else None,
        [f"line {number}: {complaint}" for number, complaint in complaints if complaint],
    )


def exactly(path: str, base: str, *, folder: bool) -> str:
    """The pattern that fits one folder or file below `base`, and nothing else."""
    below = path[len(base.rstrip("/")) + 1 :]
    escaped = re.sub(r"([\\*?\[\]])", r"\\\1", below)
    # A pattern cannot hold the end of a line, for which `?` must do, and loses white space at its end.
    escaped = re.sub(r"[^\S \n\r]|\s$", r"[\g<0>]", re.sub(r"[\n\r]", "?", escaped))
    return f"/{escaped}/" if folder else f"/{escaped}"


def moved_below(pattern: str, folder: str, base: str) -> str:
    """A pattern that was meant relative to `folder`, as one relative to `base`, which is above it."""
    if folder == base:
        return pattern
    sign, pattern = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    anchored = "/" in pattern.rstrip("/")
    return f"{sign}{exactly(folder, base, folder=True)}{'' if anchored else '**/'}{pattern.removeprefix('/')}"


def ways_to(patterns: Iterable[str]) -> list[str]:
    """Patterns for the folders that lead to what anchored patterns name: `/a/b/*.jpg` → `/a/`, `/a/b/`."""
    found: list[str] = []
    for pattern in patterns:
        parts = pattern.removeprefix("/").rstrip("/").split("/")
        if "/" in pattern.rstrip("/") and not pattern.startswith("!"):
            found += ["/" + "/".join(parts[:end]) + "/" for end in range(1, len(parts))]
    return found


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Of `re`, about brackets whose meaning may change.
        return GitIgnoreSpec.from_lines(patterns)


def _says_something(pattern: str) -> bool:
    return bool(pattern.strip()) and not pattern.startswith("#")


def _complaint(pattern: str) -> str | None:
    if not _says_something(pattern):
        return None
    meant = re.sub(r"\\.", "", pattern).split("/")
    stars = sum(part.count("*") for part in meant if part != "*") - meant.count("**")
    problem = None
    if len(pattern) > _MAX_LENGTH:
        problem = f"it has more than {_MAX_LENGTH} characters"
    elif any(char in pattern for char in "\0\n\r"):
        problem = "it holds a character that no line of a file can hold"
    elif stars > _MAX_STARS:
        problem = f"it has more than {_MAX_STARS} stars"
    elif any("[:" in part for part in meant):
        problem = "classes such as [:alpha:] are not understood"
    else:
        try:
            _spec([pattern])
        except ValueError:
            problem = "it is not one of gitignore's"
    return problem
