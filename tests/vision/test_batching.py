"""Batches follow the memory, shrink when it runs out, and never lose or reorder an input."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.vision.address_space import touch_fresh_memory, with_little_memory
from vision.batching import Batches, BatchReport, batch_report, is_out_of_memory, pictures_at_once
from vision.encoders.colour import ColourEncoder
from vision.errors import ModelError
from vision.memory import HOST_MEMORY, HostMemory
from vision.types import Embeddings

_MB = 1 << 20
_SMALL = 1000


class Told(HostMemory):
    """Main memory whose free part is told, not read."""

    def __init__(self, free_bytes: int) -> None:
        super().__init__()
        self.free = free_bytes

    def free_bytes(self) -> int:
        return self.free


def _sizes(batches: Batches, count: int, each_bytes: int = 0) -> list[int]:
    """The sizes that ran, of work that takes so many bytes per input."""
    sizes = []

    def work(part: slice) -> None:
        sizes.append(part.stop - part.start)
        touch_fresh_memory((part.stop - part.start) * each_bytes)

    batches.each(count, work)
    return sizes


def test_sizes_grow_fourfold_up_to_what_keeps_the_device_busy():
    batches = Batches(_SMALL, ceiling=16)
    assert _sizes(batches, 60) == [2, 8, 16, 16, 16, 2]
    assert _sizes(batches, 20) == [16, 4]


@pytest.mark.parametrize(("free", "first"), [(400 * _MB, 2), (9 * _MB, 2), (7 * _MB, 1), (0, 1)])
def test_an_estimate_takes_a_quarter_of_what_is_free(free: int, first: int):
    assert _sizes(Batches(_MB, ceiling=16, memory=Told(free)), 60)[0] == first


@pytest.mark.parametrize("estimate", [100, 200 * _MB])
def test_what_one_input_takes_is_measured_however_wrong_the_estimate(estimate: int):
    if not HOST_MEMORY.reset_peak():
        pytest.skip("needs Linux: /proc/self/clear_refs")
    memory = Told(2000 * _MB)
    batches = Batches(estimate, ceiling=16, memory=memory)
    _sizes(batches, 60, each_bytes=8 * _MB)
    report = batches.report
    assert report.measured
    assert report.bytes_per_input == pytest.approx(8 * _MB, rel=0.25)
    assert report.largest == 16
    memory.free = 80 * _MB  # half of it holds five
    assert 4 <= _sizes(batches, 60, each_bytes=8 * _MB)[0] <= 6


def test_inputs_of_another_size_are_counted_by_their_own_estimate():
    batches = Batches(16 * _MB, ceiling=16, memory=Told(680 * _MB))
    _sizes(batches, 60, each_bytes=16 * _MB)
    sizes: list[int] = []
    batches.each(40, lambda part: sizes.append(part.stop - part.start), bytes_per_input=64 * _MB)
    assert 4 <= max(sizes) <= 6  # half of it holds 5.3


@pytest.mark.parametrize("fits", [1, 2, 3, 7, 100])
def test_every_input_arrives_once_and_in_order_however_little_fits(fits: int):
    def embed(part: slice) -> Embeddings:
        if part.stop - part.start > fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return np.arange(part.start, part.stop, dtype=np.float32)[:, None]

    batches = Batches(_SMALL, ceiling=16)
    np.testing.assert_array_equal(batches.run(63, embed, dim=1)[:, 0], np.arange(63))
    assert min(fits, 16) // 2 <= batches.report.largest <= fits


def test_allocations_that_really_fail_lose_no_input():
    def embed(part: slice) -> Embeddings:
        size = part.stop - part.start
        torch.ones(size * 64 * _MB, dtype=torch.uint8)
        return np.arange(part.start, part.stop, dtype=np.float32)[:, None]

    def work() -> tuple[Embeddings, BatchReport]:
        batches = Batches(_SMALL, ceiling=16)
        return batches.run(30, embed, dim=1), batches.report

    embeddings, report = with_little_memory(work, 5 * 64 * _MB)
    np.testing.assert_array_equal(embeddings[:, 0], np.arange(30))
    assert report.halvings >= 1
    assert 2 <= report.largest <= 5
    assert "halved" in str(report)


def test_threads_share_one_size_and_get_their_own_results():
    batches = Batches(_SMALL, ceiling=16)

    def embed(part: slice) -> Embeddings:
        if part.stop - part.start > 3:
            raise MemoryError
        return np.arange(part.start, part.stop, dtype=np.float32)[:, None]

    with ThreadPoolExecutor(8) as threads:
        for embeddings in threads.map(lambda _: batches.run(40, embed, dim=1), range(16)):
            np.testing.assert_array_equal(embeddings[:, 0], np.arange(40))
    assert batches.report.largest <= 3


def test_one_input_that_does_not_fit_is_named():
    def embed(part: slice) -> Embeddings:
        if part.stop > 3:
            raise MemoryError
        return np.zeros((part.stop - part.start, 1), np.float32)

    with pytest.raises(ModelError, match="input 3 alone does not fit"):
        Batches(_SMALL, ceiling=8).run(6, embed, dim=1)


def test_another_failure_is_not_taken_for_lack_of_memory():
    def embed(part: slice) -> Embeddings:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Batches(_SMALL, ceiling=8).run(6, embed, dim=1)


def test_a_real_allocation_that_fails_in_torch_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_a_real_allocation_that_fails_in_onnxruntime_is_recognised():
    helper, kind = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["shape"], ["zeros"])],
        "zeros",
        [helper.make_tensor_value_info("shape", kind.INT64, [1])],
        [helper.make_tensor_value_info("zeros", kind.FLOAT, [None])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with pytest.raises(Exception) as caught:  # noqa: PT011 (its exceptions share no base class below Exception)
        session.run(None, {"shape": np.array([1 << 50])})
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), ValueError("out of memory"), OSError("full")])
def test_errors_of_other_kinds_are_told_apart(error: Exception):
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (
            BatchReport("pictures", 48, 3_100_000, True, 5_200_000_000, 1),
            "batches of up to 48 pictures (measured 3.1 MB each, 5.2 GB free; halved once)",
        ),
        (
            BatchReport("texts", 2, 9_400, False, 40_000_000, 0),
            "batches of up to 2 texts (estimated 9 kB each, 40.0 MB free)",
        ),
        (
            BatchReport("pictures", 16, 0, True, 5_200_000_000, 0),
            "batches of up to 16 pictures (too small to measure, 5.2 GB free)",
        ),
        (
            BatchReport("pictures", 1, 3_000_000_000, True, 0, 3),
            "batches of up to 1 pictures (measured 3.0 GB each, 0 kB free; halved 3 times)",
        ),
    ],
)
def test_a_report_says_it_in_one_line(report: BatchReport, words: str):
    assert str(report) == words


def test_each_new_size_is_logged(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "vision.batching")
    _sizes(Batches(_SMALL, ceiling=16), 60)
    assert [record.getMessage().split(" pictures")[0] for record in caplog.records] == [
        f"batches of up to {size}" for size in (2, 8, 16)
    ]


def test_a_model_without_batches_has_no_report():
    assert batch_report(ColourEncoder()) is None
    assert pictures_at_once(ColourEncoder(), otherwise=32) == 32


def _grown(lanes: int, ceiling: int) -> Batches:
    batches = Batches(_SMALL, ceiling=ceiling, lanes=lanes)
    batches.each(lanes * ceiling * 2, lambda part: None)
    return batches


def test_slices_of_grown_size_run_side_by_side_each_input_once():
    batches, together = _grown(lanes=2, ceiling=4), threading.Barrier(2, timeout=20)
    seen: list[int] = []

    def work(part: slice) -> None:
        together.wait()  # passes only while the other lane is here as well
        seen.extend(range(part.start, part.stop))

    batches.each(16, work)
    assert sorted(seen) == list(range(16))


def test_lanes_share_what_is_less_than_a_full_round():
    batches, sizes = _grown(lanes=2, ceiling=8), []
    batches.each(20, lambda part: sizes.append(part.stop - part.start))
    assert sizes == [5, 5, 5, 5]


def test_an_error_in_one_lane_ends_the_call_and_is_raised():
    batches = _grown(lanes=2, ceiling=1)

    def work(part: slice) -> None:
        if part.start == 3:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        batches.each(1000, work)


def test_a_slice_that_does_not_fit_is_halved_within_its_lane():
    batches, done, lock = _grown(lanes=2, ceiling=4), [], threading.Lock()

    def work(part: slice) -> None:
        if part.start == 4 and part.stop - part.start > 2:
            raise MemoryError
        with lock:
            done.extend(range(part.start, part.stop))

    batches.each(16, work)
    assert sorted(done) == list(range(16))
    assert batches.report.halvings == 1
