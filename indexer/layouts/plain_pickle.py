"""Pickles that hold nothing but plain values, read without unpickling: no name in the file is ever looked up."""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

from search.errors import ImportFormatError

_MARK = object()
_VALUES = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8".split()
)
_EMPTY: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: _MARK,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = ("PROTO", "FRAME")


def read_plain_pickle(data: bytes) -> Any:
    """The value that a pickle of any protocol describes: dicts, lists, tuples, text, numbers, booleans, None.

    Text of Python 2 comes as Latin-1. An object may stand in several places, and hold itself.

    Raises:
        ImportFormatError: it is cut off or no pickle, or holds anything else, such as the call of a function.
    """
    try:
        return _Machine().run(data)
    except ImportFormatError:
        raise
    # What `pickletools` and the machine raise for bytes that make no sense.
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeError, MemoryError) as error:
        raise ImportFormatError(
            f"not a pickle of plain values: {error}"[:300], remedy="Convert it to JSON, and name that file."
        ) from error


class _Machine:
    """The stack and the memo that a pickle's instructions work on."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for code, value, place in pickletools.genops(data):
            name = code.name
            if name == "STOP":
                (found,) = self._stack
                return found
            if name in _VALUES:
                self._stack.append(value)
            elif name in _EMPTY:
                self._stack.append(_EMPTY[name]())
            elif name not in _NOTHING and not self._remember(name, value) and not self._build(name):
                raise ImportFormatError(
                    f"byte {place} of the pickle is {name}, which makes an object",
                    remedy="Only lists, dicts, text and numbers are read. Convert it to JSON, and name that file.",
                )
        raise ValueError("it has no end")

    def _remember(self, name: str, value: Any) -> bool:
        if name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[value] = self._stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[value])
        else:
            return False
        return True

    def _build(self, name: str) -> bool:
        if name in _TUPLES:
            size = _TUPLES[name]
            if len(self._stack) < size:
                raise ValueError("a tuple of more than there is")
            self._stack[-size:] = [tuple(self._stack[-size:])]
        elif name in ("TUPLE", "LIST", "DICT"):
            items = self._to_mark()
            self._stack.append(tuple(items) if name == "TUPLE" else _paired(items) if name == "DICT" else items)
        elif name in ("APPEND", "APPENDS"):
            items = self._to_mark() if name == "APPENDS" else [self._stack.pop()]
            _of_kind(self._stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            value = self._stack.pop() if name == "SETITEM" else None
            items = self._to_mark() if name == "SETITEMS" else [self._stack.pop(), value]
            _of_kind(self._stack[-1], dict).update(_paired(items))
        else:
            return False
        return True

    def _to_mark(self) -> list[Any]:
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            if at == 0:
                raise ValueError("a mark is missing")
            at -= 1
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items


def _paired(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise ValueError("a key without a value")
    if not all(isinstance(key, str | int | float) for key in items[::2]):
        raise ValueError("a key that is no text and no number")
    return dict(zip(items[::2], items[1::2], strict=True))


def _of_kind(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__} should be")
    return value
