"""What is free is read from machine and control groups, and a peak is believed only when nothing ran beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vision.address_space import touch_fresh_memory
from vision.cuda_memory import CudaMemory, memory_of
from vision.memory import HOST_MEMORY, NO_LIMIT, HostMemory, _container_bytes

_MB = 1 << 20


@pytest.fixture
def measuring() -> HostMemory:
    memory = HostMemory()
    if not memory.reset_peak():
        pytest.skip("needs Linux: /proc/self/clear_refs")
    return memory


def test_the_peak_counts_what_was_given_back_before_the_end(measuring: HostMemory):
    taken = measuring.run(lambda: touch_fresh_memory(200 * _MB), measure=True)
    assert taken is not None
    assert 190 * _MB < taken[1] - taken[0] < 230 * _MB


def test_a_peak_does_not_count_for_the_work_that_follows(measuring: HostMemory):
    measuring.run(lambda: touch_fresh_memory(200 * _MB), measure=True)
    taken = measuring.run(lambda: touch_fresh_memory(40 * _MB), measure=True)
    assert taken is not None
    assert taken[1] - taken[0] < 60 * _MB


def test_nothing_is_measured_where_nobody_asks_or_the_platform_cannot(measuring: HostMemory):
    class Unresettable(HostMemory):
        def reset_peak(self) -> bool:
            return False

    assert measuring.run(lambda: None, measure=False) is None
    assert Unresettable().run(lambda: None, measure=True) is None


def test_work_that_overlaps_is_not_measured_and_the_next_one_is(measuring: HostMemory):
    inner = []
    outer = measuring.run(lambda: inner.append(measuring.run(lambda: None, measure=True)), measure=True)
    assert (outer, inner) == (None, [None])
    assert measuring.run(lambda: None, measure=True) is not None


def test_work_that_fails_is_over(measuring: HostMemory):
    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        measuring.run(fail, measure=True)
    assert measuring.run(lambda: None, measure=True) is not None


def test_some_memory_is_free_and_some_is_held():
    assert HOST_MEMORY.free_bytes() > _MB
    assert HOST_MEMORY.held_bytes() > _MB


def test_each_device_has_one_memory_that_all_its_models_share():
    assert memory_of("cpu") is HOST_MEMORY
    assert isinstance(memory_of("cuda"), CudaMemory)
    assert memory_of("cuda") is memory_of("cuda")


def _group(folder: Path, **values: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / f"memory.{name}").write_text(f"{value}\n")


def test_the_tightest_enclosing_control_group_counts(tmp_path: Path):
    _group(tmp_path / "user/job", max="max", current=5, stat="anon 5")
    _group(tmp_path / "user", max=1000, current=400, stat="anon 100\ninactive_file 250")
    (tmp_path / "own").write_text("0::/user/job\n")
    assert min(_container_bytes(tmp_path, tmp_path / "own")) == 1000 - 400 + 250


def test_a_container_is_limited_by_what_it_sees_as_the_root(tmp_path: Path):
    _group(tmp_path, max=1000, current=1500, stat="anon 1500")
    (tmp_path / "own").write_text("0::/docker/0123\n")
    assert min(_container_bytes(tmp_path, tmp_path / "own")) == 0


def test_the_first_version_of_control_groups_is_read_too(tmp_path: Path):
    no_limit = 9223372036854771712  # what the kernel writes for none
    _group(tmp_path / "memory", limit_in_bytes=no_limit, usage_in_bytes=9, stat="rss 9")
    _group(tmp_path / "memory/job", limit_in_bytes=700, usage_in_bytes=300, stat="total_inactive_file 100")
    (tmp_path / "own").write_text("5:devices:/\n4:memory:/job\n0::/\n")
    assert min(_container_bytes(tmp_path, tmp_path / "own")) == 500


@pytest.mark.parametrize("own", [None, "", "0::/gone\n", "4:memory:/\n"])
def test_without_a_readable_control_group_nothing_is_limited(tmp_path: Path, own: str | None):
    if own is not None:
        (tmp_path / "own").write_text(own)
    assert min(_container_bytes(tmp_path, tmp_path / "own")) == NO_LIMIT
