"""What a captioner refuses before it looks at a picture, and at which picture of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vision.errors import DeixisError, ModelError

_Made = TypeVar("_Made")


class PromptError(DeixisError):
    """What cannot be put to the model: empty, too long, or with the model's own tags in it."""


class LanguageError(DeixisError):
    """A language in which this model was not taught to answer."""


class NoAnswersError(ModelError):
    """The captioner was not trained to answer questions."""


class DecodingError(DeixisError):
    """Decoding options that contradict each other or lie outside their range."""


def check_draws(count: int, seed: int) -> None:
    """Refuse to draw fewer than one sample, or from a negative seed.

    Raises:
        DecodingError: states both numbers.
    """
    if count < 1 or seed < 0:
        raise DecodingError(f"samples need a count of at least 1 and a seed of at least 0, got {count} and {seed}")


def check_length(tokens: int, most: int, where: str) -> None:
    """Refuse a text that is too long.

    Args:
        tokens: how many it has.
        most: how many it may have.
        where: in what place, for the message.

    Raises:
        PromptError: states both numbers.
    """
    if tokens > most:
        raise PromptError(f"the text has {tokens} tokens; {where} this model has room for {most}", remedy="Shorten it.")


def of_each(count: int, make: Callable[[int], _Made]) -> list[_Made]:
    """What `make` makes of each position from 0 to `count`.

    Raises:
        PromptError: as `make` raised it; of several positions it says which.
    """
    made = []
    for position in range(count):
        try:
            made.append(make(position))
        except PromptError as error:
            if count == 1:
                raise
            raise PromptError(f"image {position}: {error.args[0]}", remedy=error.remedy) from error
    return made
