"""A segment gives back what was appended and notices every changed byte."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from stock import unit_vectors

from search.errors import CorruptionError, LibraryError
from search.vectors.segment_reader import SegmentReader
from search.vectors.segments import HEADER_BYTES, Position, SegmentFacts, append_block, create_segment, cut_tail

FACTS = SegmentFacts(dim=16, kind="image", model_identity="ab" * 32, library_uid="cd" * 16)
BLOCK_BYTES = 24 + 5 * (8 + 16 * 2)
"""Bytes of a block of five rows."""


def _filled(path: Path, blocks: int = 3) -> Position:
    end = Position(0, create_segment(path, FACTS))
    for number in range(blocks):
        ids = range(100 + 5 * number, 105 + 5 * number)
        end = append_block(path, FACTS, end, ids, unit_vectors(number, 5))
    return end


def _all_ids(path: Path, end: Position) -> list[int]:
    reader = SegmentReader(path, FACTS)
    try:
        return [int(id_) for block in reader.scan(end) for id_ in block.ids]
    finally:
        reader.close()


def test_appended_blocks_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    end = _filled(path)
    assert end == Position(15, HEADER_BYTES + 3 * BLOCK_BYTES)
    assert path.stat().st_size == end.size_bytes
    reader = SegmentReader(path, FACTS)
    blocks = list(reader.scan(end))
    reader.close()
    assert [block.first_row for block in blocks] == [0, 5, 10]
    assert [int(id_) for block in blocks for id_ in block.ids] == list(range(100, 115))
    expected = np.concatenate([unit_vectors(number, 5) for number in range(3)])
    assert np.abs(np.concatenate([block.vectors for block in blocks]) - expected).max() < 1e-3


def test_rows_are_fetched_in_the_order_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    end = _filled(path)
    reader = SegmentReader(path, FACTS)
    rows = [14, 0, 7, 7]
    fetched = reader.fetch(rows, [100 + row for row in rows], end)
    in_order = np.concatenate([block.vectors for block in reader.scan(end)])
    reader.close()
    assert np.array_equal(fetched, in_order[rows])


def test_a_reader_follows_a_growing_segment(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    first = _filled(path, blocks=1)
    reader = SegmentReader(path, FACTS)
    reader.fetch([0], [100], first)
    second = append_block(path, FACTS, first, [105], unit_vectors(9, 1))
    assert np.abs(reader.fetch([5], [105], second) - unit_vectors(9, 1)).max() < 1e-3
    reader.close()


def test_what_lies_behind_the_committed_end_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    committed = _filled(path, blocks=1)
    append_block(path, FACTS, committed, [900, 901], unit_vectors(8, 2))  # A transaction that was rolled back.
    with open(path, "ab") as file:  # A process that was killed in the middle of a block.
        file.write(b"half a block")
    end = append_block(path, FACTS, committed, [105], unit_vectors(9, 1))
    assert path.stat().st_size == end.size_bytes
    assert _all_ids(path, end) == [100, 101, 102, 103, 104, 105]


def test_a_tail_is_cut_off_once(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    committed = _filled(path, blocks=1)
    with open(path, "ab") as file:
        file.write(b"half a block")
    assert cut_tail(path, committed.size_bytes)
    assert not cut_tail(path, committed.size_bytes)
    assert not cut_tail(tmp_path / "missing.seg", 0)
    assert path.stat().st_size == committed.size_bytes


@pytest.mark.parametrize("offset", [HEADER_BYTES + at for at in (0, 4, 8, 16, 24, 31, 64, 100, BLOCK_BYTES - 1)])
def test_a_flipped_byte_in_a_block_is_noticed(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "a.seg"
    end = _filled(path)
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(CorruptionError, match=r"a\.seg at byte 128") as caught:
        _all_ids(path, end)
    assert "rebuild --compact" in caught.value.remedy


@pytest.mark.parametrize("offset", [0, 8, 10, 12, 16, 20, 52, 100, HEADER_BYTES - 1])
def test_a_flipped_byte_in_the_header_is_noticed(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "a.seg"
    _filled(path)
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(CorruptionError, match=r"a\.seg"):
        SegmentReader(path, FACTS)


def test_damaged_blocks_are_stepped_over_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    end = _filled(path)
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + BLOCK_BYTES + 60] ^= 1
    path.write_bytes(data)
    damage: list[CorruptionError] = []
    reader = SegmentReader(path, FACTS)
    assert [block.first_row for block in reader.scan(end, damage.append)] == [0, 10]
    reader.close()
    assert len(damage) == 1


@pytest.mark.parametrize("size_bytes", [0, 5, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 10])
def test_a_file_that_is_too_short_is_noticed(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "a.seg"
    end = _filled(path)
    path.write_bytes(path.read_bytes()[:size_bytes])
    with pytest.raises(CorruptionError, match=r"a\.seg"):
        _all_ids(path, end)
    with pytest.raises(CorruptionError, match=r"a\.seg"):
        append_block(path, FACTS, end, [1], unit_vectors(0, 1))


def test_a_missing_file_is_corruption(tmp_path: Path) -> None:
    with pytest.raises(CorruptionError, match="missing"):
        SegmentReader(tmp_path / "a.seg", FACTS)
    with pytest.raises(CorruptionError, match="missing"):
        append_block(tmp_path / "a.seg", FACTS, Position(0, HEADER_BYTES), [1], unit_vectors(0, 1))


@pytest.mark.parametrize(
    "other",
    [
        SegmentFacts(8, "image", "ab" * 32, "cd" * 16),
        SegmentFacts(16, "text", "ab" * 32, "cd" * 16),
        SegmentFacts(16, "image", "ff" * 32, "cd" * 16),
        SegmentFacts(16, "image", "ab" * 32, "ff" * 16),
    ],
    ids=["dim", "kind", "model", "library"],
)
def test_a_segment_of_something_else_is_refused(tmp_path: Path, other: SegmentFacts) -> None:
    _filled(tmp_path / "a.seg")
    with pytest.raises(CorruptionError, match="expected"):
        SegmentReader(tmp_path / "a.seg", other)


def test_a_row_must_belong_to_the_embedding(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    end = _filled(path)
    reader = SegmentReader(path, FACTS)
    with pytest.raises(CorruptionError, match="row 3 is not embedding 999"):
        reader.fetch([3], [999], end)
    with pytest.raises(CorruptionError, match="row 15 lies behind"):
        reader.fetch([15], [115], end)
    reader.close()


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("a file where the folder should be")
    with pytest.raises(LibraryError, match="Cannot write") as caught:
        create_segment(tmp_path / "segments" / "a.seg", FACTS)
    assert "path" in caught.value.remedy


def test_many_threads_read_one_segment(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    end = _filled(path, blocks=20)
    reader = SegmentReader(path, FACTS)
    in_order = np.concatenate([block.vectors for block in reader.scan(end)])
    wrong: list[int] = []

    def read(seed: int) -> None:
        rows = np.random.default_rng(seed).permutation(100).tolist()
        if not np.array_equal(reader.fetch(rows, [100 + row for row in rows], end), in_order[rows]):
            wrong.append(seed)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader.close()
    assert wrong == []
