"""Keep one bad item from stopping a batch: halve it until the item is alone, leave that out, go on with the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from search.db.limits import MAX_NOTE_CHARS, UnstorableError, holdable
from search.errors import LibraryError
from vision.batching import is_out_of_memory
from vision.errors import DecoderError, DeixisError, ModelMissingError
from vision.faults import SystemFaultError

T = TypeVar("T")

UNSTORABLE = "unstorable"
"""Refusal code: the database refuses what is known of this item."""

_DATA_STATES = ("21", "22", "23", "54")
"""Classes of SQLSTATE that blame a value: cardinality, data, integrity, and limits such as an index entry's length."""

_MANY = 8
"""As many items that all fail, for a reason that nobody foresaw, are not to blame: what is done with them is."""


class ItemError(DeixisError):
    """One item cannot be worked on, and the others can.

    Attributes:
        code: stable reason, as it is stored before the sentence.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def in_parts(
    items: Sequence[T],
    work: Callable[[Sequence[T]], None],
    leave_out: Callable[[T, str, str], None],
    *,
    control: Callable[[], None] | None = None,
) -> None:
    """Work on a batch; where an item makes that fail, work on the others and leave that one out.

    Args:
        items: the batch.
        work: does all of what it is given or, when it raises, nothing.
        leave_out: called with each item that fails alone, the code and the sentence that say why.
        control: called before the first item is blamed; raises where even a harmless item would fail.

    Raises:
        Exception: whatever blames the system and not an item (memory, disk, locks, connection, model), at once; or the
            first error of many items of which not one succeeded.
    """
    failures: list[tuple[T, Exception]] = []
    controls = [control] if control is not None else []
    _halve(items, work, failures, controls)
    if len(failures) == len(items) >= _MANY and not any(_is_certain(error) for _, error in failures):
        raise failures[0][1]
    for item, error in failures:
        leave_out(
            item, getattr(error, "code", UNSTORABLE) if isinstance(error, ItemError) else UNSTORABLE, words(error)
        )


def _halve(
    items: Sequence[T],
    work: Callable[[Sequence[T]], None],
    failures: list[tuple[T, Exception]],
    controls: list[Callable[[], None]],
) -> None:
    if not items:
        return
    try:
        work(items)
    except Exception as error:
        if not blames_an_item(error):
            raise
        if controls:
            controls.pop()()
        if len(items) == 1:
            failures.append((items[0], error))
            return
    else:
        return
    middle = len(items) // 2
    for part in (items[:middle], items[middle:]):
        _halve(part, work, failures, controls)


def blames_an_item(error: BaseException) -> bool:
    """Whether an error may be about one item; False where every item would meet it: memory, disk, connection, model."""
    if not isinstance(error, Exception):
        return False  # Ctrl-C and the end of the process
    if isinstance(error, ItemError | UnstorableError):
        return True
    causes = _chain(error)
    if any(is_out_of_memory(cause) for cause in causes):
        return False
    for cause in causes:
        if isinstance(cause, DBAPIError):
            return _blames_a_value(cause)
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, StatementError)  # a value that would not even be bound
    return not isinstance(error, OSError | SystemFaultError | LibraryError | DecoderError | ModelMissingError)


def words(error: Exception) -> str:
    """What an error says, in one line that both databases can hold."""
    said = " ".join(str(error.args[0] if isinstance(error, DeixisError) and error.args else _plain(error)).split())
    named = said if isinstance(error, DeixisError) and said else f"{type(error).__name__}: {said}".rstrip(": ")
    return holdable(named, MAX_NOTE_CHARS)


def _plain(error: Exception) -> object:
    # SQLAlchemy's own text repeats the statement and every parameter.
    original = error.orig if isinstance(error, StatementError) else None
    return error if original is None else original


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__
    return found


def _blames_a_value(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state)[:2] in _DATA_STATES
    if isinstance(error, DataError | IntegrityError):
        return True
    # The drivers' own words for a value that they cannot pass on; of a connection or a statement they say other things.
    return isinstance(error, InterfaceError | ProgrammingError) and any(
        word in str(error.orig) for word in ("bind", "adapt")
    )


def _is_certain(error: Exception) -> bool:
    """Whether it was foreseen that an item can cause this."""
    causes = _chain(error)
    return isinstance(error, ItemError) or any(
        isinstance(cause, UnstorableError | StatementError | UnicodeError | OverflowError) for cause in causes
    )
