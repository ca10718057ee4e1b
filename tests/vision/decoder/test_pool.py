"""A pool keeps its order, its bounds and its calm, whatever happens to its children."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.decoder.pictures import encoded, png, slow_gif, upright
from vision.errors import DecoderError
from vision.images import Decoded, DecodeLimits, DecodeRequest, DecoderPool, Refused
from vision.preprocessing import Preprocessing
from vision.wanted import NobodyWaitsError, Wanted

GOOD = encoded(upright(), "PNG")
ENDLESS = slow_gif(2_000_000)  # counting its frames takes far longer than any test waits
BAD = b"no picture at all"
SQUASH = Preprocessing("exact", (8, 8), 3, None, 1 / 255, (0.5,) * 3, (0.5,) * 3)


def ask(pool: DecoderPool, data: bytes) -> Decoded | Refused:
    return pool.decode(DecodeRequest("test", data=data))


def until(condition: Callable[[], bool]) -> None:
    """Spin until something that must happen has happened."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited 30 seconds in vain"
        os.sched_yield()


def ends(pid: int) -> Callable[[], bool]:
    """Watch a process, now, by a handle that cannot come to mean another one; the result waits until it is dead."""
    handle = os.pidfd_open(pid)

    def dead() -> bool:
        try:
            return bool(select.select([handle], [], [], 30)[0])
        finally:
            os.close(handle)

    return dead


def test_answers_come_in_the_order_of_the_requests() -> None:
    slow = encoded(upright().resize((3000, 2000)), "PNG")
    files = [slow, GOOD, BAD, slow, GOOD, GOOD, BAD, GOOD] * 3
    with DecoderPool(workers=2) as pool:
        answers = list(pool.map(DecodeRequest(str(index), data=data) for index, data in enumerate(files)))
    assert [answer.path for answer in answers] == [str(index) for index in range(len(files))]
    for answer, data in zip(answers, files, strict=True):
        assert isinstance(answer, Refused if data is BAD else Decoded)


def test_requests_are_taken_only_a_window_ahead() -> None:
    taken = 0

    def requests() -> Iterator[DecodeRequest]:
        nonlocal taken
        for _ in range(50):
            taken += 1
            yield DecodeRequest("test", data=GOOD)

    with DecoderPool(workers=2, window=5) as pool:
        for given, _answer in enumerate(pool.map(requests()), start=1):
            assert taken - given < 5
    assert taken == 50


def test_nothing_asked_is_nothing_answered() -> None:
    with DecoderPool() as pool:
        assert list(pool.map([])) == []
        assert pool.child_pids() == []  # and no child was started for it


def test_leaving_a_map_early_leaves_the_pool_usable() -> None:
    with DecoderPool(workers=2) as pool:
        answers = pool.map(DecodeRequest(str(index), data=GOOD) for index in range(100))
        assert next(answers).path == "0"
        answers.close()  # type: ignore[attr-defined]  # a generator, promised only as an iterator
        assert isinstance(ask(pool, GOOD), Decoded)


def test_an_error_among_the_requests_reaches_the_caller() -> None:
    def requests() -> Iterator[DecodeRequest]:
        yield DecodeRequest("test", data=GOOD)
        raise LookupError("the folder is gone")

    with DecoderPool() as pool, pytest.raises(LookupError, match="the folder is gone"):
        list(pool.map(requests()))


def test_children_are_replaced_when_spent() -> None:
    with DecoderPool(DecodeLimits(tasks_per_child=2)) as pool:
        pids = []
        for _ in range(3):
            ask(pool, GOOD)
            pids += pool.child_pids()
            ask(pool, BAD)
            assert pool.child_pids() == []
    assert len(set(pids)) == 3


def test_a_child_that_dies_idle_is_replaced_and_no_picture_is_blamed() -> None:
    with DecoderPool() as pool:
        ask(pool, GOOD)
        (pid,) = pool.child_pids()
        dead = ends(pid)
        os.kill(pid, signal.SIGKILL)
        assert dead()
        assert isinstance(ask(pool, GOOD), Decoded)
        assert pool.child_pids() != [pid]


def test_a_child_that_stands_still_before_its_picture_is_replaced_and_no_picture_is_blamed() -> None:
    with DecoderPool(DecodeLimits(timeout_s=1.0)) as pool:
        ask(pool, GOOD)
        (pid,) = pool.child_pids()
        os.kill(pid, signal.SIGSTOP)
        assert isinstance(ask(pool, GOOD), Decoded)
        assert pool.child_pids() != [pid]


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGKILL, "crashed", "memory"),
        (signal.SIGSEGV, "crashed", "SIGSEGV"),
        (signal.SIGABRT, "crashed", "SIGABRT"),
        (signal.SIGXCPU, "timeout", "seconds"),
        (signal.SIGALRM, "timeout", "seconds"),
    ],
)
def test_a_picture_that_brings_its_child_down_is_refused_and_the_others_are_not(
    number: signal.Signals, code: str, words: str
) -> None:
    with DecoderPool(DecodeLimits(timeout_s=60)) as pool, ThreadPoolExecutor(1) as thread:
        guilty = thread.submit(ask, pool, ENDLESS)
        until(lambda: pool.child_pids(at_work=True) != [])
        os.kill(pool.child_pids()[0], number)
        refused = guilty.result(30)
        assert isinstance(refused, Refused)
        assert refused.code == code
        assert words in refused.reason
        assert isinstance(ask(pool, GOOD), Decoded)


def test_a_picture_that_takes_too_long_is_refused_and_the_others_are_not() -> None:
    with DecoderPool(DecodeLimits(timeout_s=0.5), workers=2) as pool:
        requests = [DecodeRequest("test", data=data) for data in (GOOD, ENDLESS, GOOD, ENDLESS, GOOD)]
        codes = [answer.code if isinstance(answer, Refused) else "ok" for answer in pool.map(requests)]
    assert codes == ["ok", "timeout", "ok", "timeout", "ok"]


def test_a_picture_that_needs_too_much_memory_is_refused_and_the_others_are_not() -> None:
    huge = png(8000, 5000, pixels=bytes(8001 * 5000))
    with DecoderPool(DecodeLimits(memory_bytes=256 * 1024 * 1024)) as pool:
        answers = [ask(pool, data) for data in (GOOD, huge, GOOD)]
    assert isinstance(answers[0], Decoded)
    assert isinstance(answers[1], Refused)
    assert answers[1].code == "out_of_memory"
    assert isinstance(answers[2], Decoded)


def test_a_picture_at_the_pixel_limit_fits_into_the_default_memory() -> None:
    deep = np.zeros((5000, 8000), dtype=np.uint16)  # 16-bit samples need the largest intermediate copies
    deep[:, 4000:] = 65535
    with DecoderPool() as pool:
        decoded = ask(pool, encoded(Image.fromarray(deep), "TIFF"))
    assert isinstance(decoded, Decoded)
    assert decoded.pixels is not None
    assert decoded.pixels[0, 0].tolist() == [0, 0, 0]
    assert decoded.pixels[0, -1].tolist() == [255, 255, 255]


def test_a_child_outlives_the_thread_that_started_it() -> None:
    with DecoderPool() as pool:
        starter = threading.Thread(target=ask, args=(pool, GOOD))
        starter.start()
        starter.join()
        pids = pool.child_pids()
        assert isinstance(ask(pool, GOOD), Decoded)
        assert pool.child_pids() == pids


def test_threads_may_share_a_pool() -> None:
    with DecoderPool(workers=2) as pool, ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda index: ask(pool, BAD if index % 3 else GOOD), range(60)))
        assert len(pool.child_pids()) <= 2
    assert [isinstance(answer, Decoded) for answer in answers] == [index % 3 == 0 for index in range(60)]


def test_closing_ends_children_that_are_busy_and_children_that_are_not() -> None:
    pool = DecoderPool(workers=2)
    with ThreadPoolExecutor(1) as thread:
        busy = thread.submit(ask, pool, ENDLESS)
        until(lambda: pool.child_pids(at_work=True) != [])
        ask(pool, GOOD)
        watched = [ends(pid) for pid in pool.child_pids()]
        pool.close()
        assert all(dead() for dead in watched)
        assert isinstance(busy.result(30), Refused)
    assert len(watched) == 2
    with pytest.raises(DecoderError, match="closed"):
        ask(pool, GOOD)


def test_prepared_pixels_equal_preparing_the_full_picture() -> None:
    with DecoderPool() as pool:
        full = pool.decode(DecodeRequest("test", data=GOOD))
        small = pool.decode(DecodeRequest("test", data=GOOD, preprocessing=SQUASH))
    assert isinstance(full, Decoded)
    assert isinstance(small, Decoded)
    assert full.pixels is not None
    assert (small.width_px, small.height_px) == (full.width_px, full.height_px)
    np.testing.assert_array_equal(small.pixels, SQUASH.prepare(full.pixels))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_a_child_is_small_and_holds_nothing_that_it_does_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEIXIS_DATABASE_URL", "postgresql://user:a-password@host/db")
    with DecoderPool() as pool:
        ask(pool, GOOD)
        (pid,) = pool.child_pids()
        process = Path(f"/proc/{pid}")
        maps = process.joinpath("maps").read_text()
        lines = process.joinpath("limits").read_text().splitlines()[1:]
        limits = {line[:26].strip(): line[26:].split()[1] for line in lines}
        files = list(process.joinpath("fd").iterdir())
        environment = process.joinpath("environ").read_bytes()
        folder = process.joinpath("cwd").readlink()
    assert "torch" not in maps
    assert "onnxruntime" not in maps
    assert b"a-password" not in environment
    assert folder == Path("/")
    assert len(files) <= 6
    assert limits["Max address space"] == str(DecodeLimits().memory_bytes)
    assert limits["Max core file size"] == "0"
    assert limits["Max file size"] == "0"
    assert int(limits["Max open files"]) <= 64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DecoderPool(workers=0), "at least 1"),
        (lambda: DecoderPool(window=0), "at least 1"),
        (lambda: DecodeLimits(timeout_s=0), "timeout_s must be positive"),
        (lambda: DecodeLimits(timeout_s=float("nan")), "timeout_s must be positive"),
        (lambda: DecodeLimits(max_pixels=-1), "max_pixels must be positive"),
        (lambda: DecodeLimits(memory_bytes=1000), "memory_bytes must be at least"),
        (lambda: DecodeRequest("a", preview_px=0), "preview_px must lie"),
        (lambda: DecodeRequest("a", preview_px=70_000), "preview_px must lie"),
    ],
)
def test_senseless_limits_are_refused_at_once(make: Callable[[], object], message: str) -> None:
    with pytest.raises(DecoderError, match=message):
        make()


class Stumbling(Preprocessing):
    """Breaks in the parent, where the answer is taken in: a mistake of ours, not of the child."""

    @property
    def output_hw(self) -> tuple[int, int]:
        raise RuntimeError("a mistake of ours")


def test_a_mistake_of_ours_costs_the_picture_that_met_it(caplog: pytest.LogCaptureFixture) -> None:
    stumbling = Stumbling("exact", (8, 8), 3, None, 1 / 255, (0.5,) * 3, (0.5,) * 3)
    requests = [DecodeRequest(str(n), preprocessing=stumbling if n == 1 else SQUASH, data=GOOD) for n in range(3)]
    with DecoderPool(workers=1) as pool:
        answers = list(pool.map(requests))
    assert [type(answer) for answer in answers] == [Decoded, Refused, Decoded]
    assert isinstance(answers[1], Refused)
    assert answers[1].code == "crashed"
    assert "a mistake of ours" in caplog.text


def test_a_picture_that_nobody_waits_for_takes_its_child_with_it() -> None:
    wanted = Wanted()
    with DecoderPool(workers=1) as pool, ThreadPoolExecutor(2) as callers:
        asked = callers.submit(pool.decode, DecodeRequest("test", data=ENDLESS), wanted)
        until(lambda: bool(pool.child_pids(at_work=True)))
        dead = ends(pool.child_pids()[0])
        behind = callers.submit(pool.decode, DecodeRequest("test", data=ENDLESS), late := Wanted())
        late.abandon()
        with pytest.raises(NobodyWaitsError):
            behind.result()
        wanted.abandon()
        assert dead()
        with pytest.raises(NobodyWaitsError):
            asked.result()
        assert isinstance(ask(pool, GOOD), Decoded)


def test_a_child_that_has_answered_is_not_killed_for_a_request_that_is_abandoned_later() -> None:
    wanted = Wanted()
    with DecoderPool(workers=1) as pool:
        assert isinstance(pool.decode(DecodeRequest("test", data=GOOD), wanted), Decoded)
        (pid,) = pool.child_pids()
        wanted.abandon()
        assert isinstance(ask(pool, GOOD), Decoded)
        assert pool.child_pids() == [pid]
        with pytest.raises(NobodyWaitsError):
            pool.decode(DecodeRequest("test", data=GOOD), wanted)


@pytest.mark.parametrize(("kind", "most"), [("PNG", 1_000_000), ("JPEG", 1_000_000), ("PNG", 400), ("JPEG", 20_000)])
def test_a_picture_comes_at_no_more_pixels_than_asked_for(kind: str, most: int) -> None:
    picture = upright().resize((2400, 1600))
    with DecoderPool(workers=1) as pool:
        answer = pool.decode(DecodeRequest("test", data=encoded(picture, kind), most_pixels=most))
    assert isinstance(answer, Decoded)
    assert answer.pixels is not None
    height, width = answer.pixels.shape[:2]
    assert most / 5 < height * width <= most
    assert (answer.width_px, answer.height_px) == (2400, 1600)
    small = np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float64)
    assert np.abs(answer.pixels.astype(np.float64) - small).mean() < 12
