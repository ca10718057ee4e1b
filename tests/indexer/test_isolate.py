"""One bad item costs itself; the disk, the memory, the connection and a broken model cost the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from indexer.isolate import UNSTORABLE, ItemError, blames_an_item, in_parts, words
from search.db.limits import MAX_NOTE_CHARS, UnstorableError
from search.db.schema import Root
from search.errors import CorruptionError, LibraryBusyError, LibraryError
from search.library import Library
from tests.drawing import examples
from vision.errors import DecoderError, ModelError, ModelMissingError


@given(count=st.integers(0, 70), bad=st.sets(st.integers(0, 69)))
def test_exactly_the_bad_items_are_left_out_and_the_others_done_once(count: int, bad: set[int]) -> None:
    done: list[int] = []
    left_out: list[tuple[int, str, str]] = []
    calls = 0

    def work(items: Sequence[int]) -> None:
        nonlocal calls
        calls += 1
        if wrong := [item for item in items if item in bad]:
            raise ItemError("odd", f"number {wrong[0]}")
        done.extend(items)

    in_parts(range(count), work, lambda *left: left_out.append(left))
    there = [item for item in range(count) if item in bad]
    assert done == [item for item in range(count) if item not in bad]
    assert left_out == [(item, "odd", f"number {item}") for item in there]
    assert calls <= 1 + 2 * 7 * len(there)


def failing(error: BaseException) -> Callable[[Sequence[int]], None]:
    def work(items: Sequence[int]) -> None:
        raise error

    return work


def nobody(*_: object) -> None:
    raise AssertionError("an item was blamed")


SYSTEM = [
    MemoryError(),
    OSError(28, "No space left on device"),
    KeyboardInterrupt(),
    SystemExit(1),
    LibraryError("The disk is full"),
    LibraryBusyError("locked"),
    CorruptionError("damaged"),
    DecoderError("does not start"),
    ModelMissingError("not here"),
    RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
]


@pytest.mark.parametrize("error", SYSTEM, ids=lambda error: type(error).__name__)
def test_an_error_of_the_system_ends_the_run_at_once(error: BaseException) -> None:
    assert not blames_an_item(error)
    with pytest.raises(type(error)):
        in_parts([1, 2, 3], failing(error), nobody)


def test_memory_that_ran_out_behind_another_error_is_no_items_fault() -> None:
    error = ModelError("input 0 alone does not fit into memory")
    error.__cause__ = MemoryError()
    assert not blames_an_item(error)


ITEMS = [ValueError("x"), ModelError("x"), ItemError("a", "b"), UnstorableError("x"), ZeroDivisionError(), KeyError(1)]


@pytest.mark.parametrize("error", ITEMS, ids=lambda error: type(error).__name__)
def test_any_other_error_may_be_an_items(error: Exception) -> None:
    left_out: list[tuple[object, ...]] = []
    in_parts([1], failing(error), lambda *left: left_out.append(left))
    ((item, code, reason),) = left_out
    assert (item, code) == (1, "a" if isinstance(error, ItemError) else UNSTORABLE)
    assert reason


def test_many_items_that_all_fail_for_an_unforeseen_reason_are_not_to_blame() -> None:
    with pytest.raises(ZeroDivisionError):
        in_parts(range(8), failing(ZeroDivisionError()), nobody)


def test_many_items_may_all_hold_values_that_cannot_be_stored() -> None:
    left_out: list[object] = []
    in_parts(range(50), failing(UnstorableError("x")), lambda *left: left_out.append(left))
    assert len(left_out) == 50


def test_what_fails_on_a_harmless_item_too_is_told_before_any_item_is_blamed() -> None:
    def control() -> None:
        raise ModelError("the weights are damaged")

    with pytest.raises(ModelError, match="weights"):
        in_parts([1, 2], failing(ValueError("x")), nobody, control=control)


def test_the_control_is_asked_once() -> None:
    asked: list[int] = []
    in_parts(range(4), failing(ItemError("a", "b")), lambda *_: None, control=lambda: asked.append(1))
    assert asked == [1]


@pytest.mark.parametrize(
    ("statement", "blamed"),
    [
        ("INSERT INTO roots (path) VALUES (NULL)", True),
        ("INSERT INTO roots (path) SELECT path FROM roots", True),
        ("SELECT 1 FROM no_such_table", False),
        ("SELEKT 1", False),
    ],
)
def test_a_database_blames_a_value_or_the_statement(library: Library, statement: str, blamed: bool) -> None:
    with library.write() as session:
        session.add(Root(path="/a"))
    with pytest.raises(Exception) as caught, library.write() as session:  # noqa: PT011  # each database has its own
        session.execute(text(statement))
    assert blames_an_item(caught.value) is blamed
    assert "SELECT" not in words(caught.value).partition(":")[2].upper() or not blamed


@pytest.mark.parametrize("value", [2**63, "\ud800", object(), 10**400])
def test_a_value_that_cannot_be_bound_is_blamed(library: Library, value: object) -> None:
    with pytest.raises(Exception) as caught, library.write() as session:  # noqa: PT011  # each database has its own
        session.execute(text("SELECT :value"), {"value": value})
        session.execute(select(Root.id).where(Root.id == value))  # Postgres takes it as text above
        raise OverflowError
    assert blames_an_item(caught.value)


@examples(20)
@given(st.text())
def test_what_an_error_says_is_one_line_that_can_be_stored(said: str) -> None:
    for error in (ValueError(said), ItemError("a", said), UnstorableError(said), KeyError(said)):
        line = words(error)
        assert "\n" not in line
        assert "\0" not in line
        assert 0 < len(line.encode()) <= 4 * MAX_NOTE_CHARS
