"""A child that a picture has taken over can answer what it likes: it is refused, never believed."""

from __future__ import annotations

import socket
import time
from typing import Any

import numpy as np
import pytest

from vision.decoder.answers import SENSELESS, AnswerReader
from vision.decoder.contract import Decoded, DecodeLimits, DecodeRequest, Refused
from vision.decoder.wire import Answer, receive_header, send
from vision.preprocessing import Preprocessing

FACTS = {
    "sha256": "a" * 64, "size_bytes": 10, "width_px": 2, "height_px": 3, "format": "PNG", "frames": 1, "taken_at": None,
    "pixels_sha256": "b" * 64, "remark": "truncated: about 40 % of the picture can be seen.",
    "perceptual_hash": -(1 << 63),
    "carried": {"facts": [["camera", "exif", "a camera", None], ["iso", "exif", None, 100]],
                "texts": [["a title", "xmp"]], "boxes": [["Ana", [0.1, 0.2, 0.3, 0.4], "xmp"]]},
}  # fmt: skip
PIXELS = np.arange(18, dtype=np.uint8).reshape(3, 2, 3)
SMALL = Preprocessing("exact", (4, 4), 3, None, 1.0, (0.0,) * 3, (1.0,) * 3)


def exchange(answer: Answer, request: DecodeRequest) -> Decoded | Refused:
    """Send an answer through a real socket and read it as the parent does."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            send(theirs, answer.header, *answer.payloads)
        deadline = time.monotonic() + 20
        header = receive_header(ours, deadline)
        assert header is not None
        return AnswerReader(ours, request, DecodeLimits(max_pixels=100), deadline).read(header)


def test_an_honest_answer_arrives_whole() -> None:
    answer = exchange(Answer.decoded(FACTS, PIXELS, b"webp"), DecodeRequest("a.png", preview_px=4))
    assert isinstance(answer, Decoded)
    assert answer.pixels is None  # a preview was all that was asked for
    with_pixels = exchange(Answer.decoded(FACTS, PIXELS, None), DecodeRequest("a.png"))
    assert isinstance(with_pixels, Decoded)
    assert with_pixels.pixels is not None
    assert np.array_equal(with_pixels.pixels, PIXELS)
    assert with_pixels.pixels_sha256 == "b" * 64
    assert (with_pixels.remark or "").startswith("truncated: ")
    assert {(fact.name, fact.text or fact.number) for fact in with_pixels.carried.facts} == {
        ("camera", "a camera"),
        ("iso", 100.0),
    }


def lie(**changes: Any) -> dict[str, Any]:
    header = Answer.decoded(FACTS, PIXELS, None).header
    facts = {**FACTS, **changes.pop("facts", {})}
    return {**header, "facts": facts, **changes}


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kind": "surprise"},
        {"kind": "refused", "code": "made_up", "reason": "x"},
        {"kind": "refused", "code": ["corrupt"], "reason": "x"},
        {"kind": "refused", "code": "corrupt"},
        {"kind": "decoded"},
        lie(pixels_hw=None),
        lie(pixels_hw=[100, 100]),
        lie(pixels_hw=[-3, -2]),
        lie(pixels_hw=[3]),
        lie(pixels_hw=[2, 3]),
        lie(facts={"width_px": 1000}),
        lie(facts={"width_px": "wide"}),
        lie(facts={"sha256": "../../etc/passwd"}),
        lie(facts={"sha256": None}),
        lie(facts={"format": "<script>"}),
        lie(facts={"format": "EPS"}),
        lie(facts={"pixels_sha256": "b" * 63}),
        lie(facts={"remark": "no code"}),
        lie(facts={"remark": "truncated: \x00"}),
        lie(facts={"remark": "truncated: \ud800"}),
        lie(facts={"remark": 7}),
        lie(facts={"perceptual_hash": 1 << 63}),
        lie(facts={"perceptual_hash": True}),
        lie(facts={"perceptual_hash": "7"}),
        lie(facts={"taken_at": "soon"}),
        lie(facts={"taken_at": 12}),
        lie(facts={"carried": None}),
        lie(facts={"carried": {"facts": [["camera", "import", "a camera", None]], "texts": [], "boxes": []}}),
        lie(facts={"carried": {"facts": [["height", "exif", None, 7]], "texts": [], "boxes": []}}),
        lie(facts={"carried": {"facts": [["iso", "exif", None]], "texts": [], "boxes": []}}),
        lie(facts={"carried": {"facts": [], "texts": [["a caption", "import"]], "boxes": []}}),
        lie(facts={"carried": {"facts": [], "texts": [], "boxes": [["Ana", [0.1, 0.2, 0.1, 9], "xmp"]]}}),
        lie(facts={"carried": {"facts": [], "texts": [], "boxes": [["Ana", "0123", "xmp"]]}}),
        {**lie(), "facts": None},
        {**lie(), "facts": ["sha256"]},
        lie(facts={"frames": float("inf")}),
        lie(facts={"size_bytes": 10**300}),
        lie(facts={"width_px": 10**300}),
    ],
)
def test_a_senseless_header_is_an_error(header: dict[str, Any]) -> None:
    with pytest.raises(SENSELESS):
        exchange(Answer(header, (PIXELS.data.cast("B"),)), DecodeRequest("a.png"))


def test_prepared_pixels_of_another_size_are_an_error() -> None:
    with pytest.raises(ValueError, match="instead of"):
        exchange(Answer.decoded(FACTS, PIXELS, None), DecodeRequest("a.png", preprocessing=SMALL))


@pytest.mark.parametrize("size", [0, -1, 1 << 40, "many", None])
def test_a_preview_of_senseless_size_is_an_error(size: Any) -> None:
    header = {**Answer.decoded(FACTS, None, b"webp").header, "preview_bytes": size}
    with pytest.raises(SENSELESS):
        exchange(Answer(header, (b"webp",)), DecodeRequest("a.png", preview_px=4))


def test_pixels_that_break_off_are_an_error() -> None:
    with pytest.raises(ConnectionError):
        exchange(Answer(Answer.decoded(FACTS, PIXELS, None).header, (b"short",)), DecodeRequest("a.png"))


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02[]",
        b"\x00\x00\x00\x02{]",
        b"\x00\x00\x00\x01\xff",
        b"\x00\x01\x00\x00" + b"[" * 65536,
    ],
)
def test_bytes_that_are_no_header_are_an_error(raw: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(raw)
        with pytest.raises(ValueError):  # noqa: PT011  # JSON and Unicode errors are ValueErrors with their own words
            receive_header(ours, time.monotonic() + 20)


def test_silence_ends_at_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        receive_header(ours, time.monotonic())


def test_a_long_reason_is_cut() -> None:
    answer = exchange(Answer.refusal("corrupt", "x" * 5000), DecodeRequest("a.png"))
    assert isinstance(answer, Refused)
    assert len(answer.reason) == 1000


def test_a_reason_is_text_that_can_be_stored() -> None:
    answer = exchange(Answer.refusal("corrupt", "chunk \0\ud800 is wrong"), DecodeRequest("a.png"))
    assert isinstance(answer, Refused)
    assert answer.reason == "chunk \ufffd\ufffd is wrong"
