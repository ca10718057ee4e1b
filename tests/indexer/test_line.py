"""A line of stages keeps the order, holds back who is too fast, and loses nothing that was begun."""

from __future__ import annotations

import threading

import pytest

from indexer.stages.line import Line, Stage
from indexer.stages.timing import StageTime, Timing


def _timing() -> Timing:
    return Timing({})


def test_items_pass_all_stages_in_order_and_what_is_nothing_goes_no_further():
    out: list[int] = []
    stages = [Stage("double", lambda n: None if n == 3 else 2 * n), Stage("keep", out.append)]
    with Line(stages, _timing()) as line:
        for number in range(6):
            line.put(number)
    assert out == [0, 2, 4, 8, 10]


def test_stages_work_at_the_same_time():
    both = threading.Barrier(2, timeout=20)
    begun: list[int] = []

    def first(number: int) -> int:
        if number == 1:
            both.wait()
        return number

    def second(number: int) -> None:
        if number == 0:
            both.wait()  # passes only while the first stage is at the next item
        begun.append(number)

    with Line([Stage("first", first), Stage("second", second)], _timing()) as line:
        line.put(0)
        line.put(1)
    assert begun == [0, 1]


def test_a_fast_stage_waits_for_room():
    gate, taken = threading.Event(), []

    def slow(number: int) -> None:
        gate.wait(20)
        taken.append(number)

    with Line([Stage("slow", slow)], _timing(), room=1) as line:
        line.put(0)
        line.put(1)
        third = threading.Thread(target=line.put, args=(2,))
        third.start()
        third.join(0.05)
        assert third.is_alive()
        gate.set()
        third.join(20)
    assert taken == [0, 1, 2]


def test_an_error_in_a_stage_is_raised_to_who_feeds_the_line_and_stops_the_stages_before():
    seen: list[int] = []

    def fails(number: int) -> None:
        seen.append(number)
        raise ValueError("full disk")

    with (
        pytest.raises(ValueError, match="full disk"),
        Line([Stage("pass", lambda n: n), Stage("write", fails)], _timing()) as line,
    ):
        for number in range(100):
            line.put(number)
    assert seen == [0]


def test_what_was_begun_is_finished_when_the_block_ends_in_an_error_and_what_waits_is_dropped():
    begun, gate = threading.Event(), threading.Event()
    out: list[int] = []

    def embed(number: int) -> int:
        begun.set()
        gate.wait(20)
        return number

    def run() -> None:
        with Line([Stage("embed", embed), Stage("write", out.append)], _timing()) as line:
            line.put(1)
            assert begun.wait(20)
            line.put(2)
            threading.Timer(0.05, gate.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert out == [1]


def test_seconds_are_counted_by_stage():
    stages: dict[str, StageTime] = {}
    with Line([Stage("one", lambda n: n), Stage("two", lambda n: None)], Timing(stages)) as line:
        line.put(1)
    assert list(stages) == ["one", "two"] or list(stages) == ["two", "one"]
    assert all(time.worked_s >= 0 and time.starved_s > 0 for time in stages.values())
