"""Every awkward and hostile file that Pillow and exif-samples have collected ends in pixels or in a reason."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from vision.decoder.known import CODES
from vision.images import REFUSALS, Decoded, DecodeRequest, DecoderPool, Refused

LAYERED = {"PSD", "ICO"}  # Pillow counts layers and sizes; we count pictures
PEAK_BYTES = 512 * 1024 * 1024

Results = list[tuple[dict[str, Any], Decoded | Refused]]


def peak_resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not tell")


@pytest.fixture(scope="module")
def outcome(robustness_dir: Path) -> tuple[Results, list[int]]:
    """Each manifest entry with its answer; the peaks of the children that gave them."""
    manifest = json.loads((robustness_dir / "manifest.json").read_text())
    requests = [DecodeRequest(str(robustness_dir / entry["set"] / entry["path"])) for entry in manifest]
    with DecoderPool(workers=2) as pool:
        answers = list(pool.map(requests))
        peaks = [peak_resident_bytes(pid) for pid in pool.child_pids()]
    return list(zip(manifest, answers, strict=True)), peaks


def test_every_file_is_read_or_refused_with_a_reason(outcome: tuple[Results, list[int]]) -> None:
    results, peaks = outcome
    assert len(results) == 327
    for entry, answer in results:
        if isinstance(answer, Refused):
            assert answer.code in REFUSALS, entry
            assert len(answer.reason) > 10, entry
    assert len(peaks) == 2, "a child died: no file of this collection should be able to do that"
    assert max(peaks) < PEAK_BYTES


def test_what_plain_pillow_reads_in_a_format_of_ours_is_read_and_stands_upright(
    outcome: tuple[Results, list[int]],
) -> None:
    for entry, answer in outcome[0]:
        if entry["status"] != "ok" or entry["format"] not in CODES:
            continue
        assert isinstance(answer, Decoded), (entry["path"], answer)
        width, height = entry["size"]
        if (entry["orientation"] or 1) >= 5:
            width, height = height, width
        frames = 1 if entry["format"] in LAYERED else entry["frames"]
        assert (answer.format, answer.frames) == (entry["format"], frames), entry
        assert (answer.width_px, answer.height_px) == (width, height), entry
        assert answer.pixels is not None
        assert answer.pixels.shape == (height, width, 3), entry
        assert answer.size_bytes == entry["bytes"]


def test_what_plain_pillow_cannot_read_or_is_no_format_of_ours_is_refused(outcome: tuple[Results, list[int]]) -> None:
    codes: Counter[str] = Counter()
    more = set()
    for entry, answer in outcome[0]:
        if entry["status"] == "ok" and entry["format"] in CODES:
            continue
        if isinstance(answer, Refused):
            codes[answer.code] += 1
        else:
            more.add(Path(entry["path"]).name)
    # Cut short, and shown as far as they go; a TIFF with a compression that Pillow's libtiff lacks.
    assert more == {"truncated_image.png", "broken_data_stream.png", "hopper_webp.tif"}
    assert codes == {"unsupported_format": 40, "not_an_image": 16, "corrupt": 17, "too_many_pixels": 2}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("decompression_bomb.gif", "too_many_pixels"),
        ("unknown_compression_method.png", "corrupt"),
        ("1.eps", "unsupported_format"),
        ("drawing.wmf", "unsupported_format"),
        ("balloon_eciRGBv2_aware.jp2", "corrupt"),  # nothing but a header
        ("rgb32-111110.bmp", "unsupported_format"),
        ("ftex_dxt1.ftc", "unsupported_format"),
        ("timeout-060745d3f534ad6e4128c51d336ea5489182c69d.blp", "unsupported_format"),
        ("README.txt", "not_an_image"),
        (".DS_Store", "not_an_image"),
    ],
)
def test_a_refusal_names_the_right_cause(outcome: tuple[Results, list[int]], name: str, code: str) -> None:
    (answer,) = [answer for entry, answer in outcome[0] if Path(entry["path"]).name == name]
    assert isinstance(answer, Refused)
    assert answer.code == code
