"""Read and check what a child answers: it has just handled a hostile file, so nothing it says is believed unchecked."""

from __future__ import annotations

import re
import socket
from datetime import datetime
from typing import Any

import numpy as np

from vision.carried.facts import EMBEDDED, from_json
from vision.decoder.contract import REFUSALS, Decoded, DecodeLimits, DecodeRequest, Refused, full_size_hw
from vision.decoder.known import CODES
from vision.decoder.wire import receive_into
from vision.types import RgbImage

_MAX_PREVIEW_BYTES = 64 * 1024 * 1024
_MAX_REASON_CHARACTERS = 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")
SENSELESS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What reading an answer raises when the child does not keep to the protocol."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What a decoder may quote from a damaged file, and no database can store."""

_REMARK = re.compile(r"[a-z_]{1,40}: [^\x00-\x1f\x7f\ud800-\udfff]{1,600}")


class AnswerReader:
    """Turns one header and the payloads that follow it into an answer.

    Args:
        connection: the parent's end of the socket.
        request: what was asked.
        limits: the limits that the child was given.
        deadline: `time.monotonic` at which the last byte must have come.
    """

    def __init__(
        self, connection: socket.socket, request: DecodeRequest, limits: DecodeLimits, deadline: float
    ) -> None:
        self._connection = connection
        self._request = request
        self._limits = limits
        self._deadline = deadline

    def read(self, header: dict[str, Any]) -> Decoded | Refused:
        """Check the header and read its payloads.

        Raises:
            One of `SENSELESS`: the answer makes no sense.
            ConnectionError, TimeoutError: it did not come whole, or not in time.
        """
        if header["kind"] == "refused":
            return self._refused(header)
        if header["kind"] != "decoded":
            raise ValueError(f"an answer of kind {header['kind']!r}")
        facts = header["facts"]
        self._check(facts)
        pixels = self._pixels(header["pixels_hw"], (facts["height_px"], facts["width_px"]))
        preview = self._preview(header["preview_bytes"])
        return self._decoded(facts, pixels, preview)

    def _refused(self, header: dict[str, Any]) -> Refused:
        if header["code"] not in REFUSALS:
            raise ValueError(f"unknown refusal {header['code']!r}")
        reason = _NO_TEXT.sub("\ufffd", str(header["reason"])[:_MAX_REASON_CHARACTERS])
        return Refused(self._request.path, header["code"], reason)

    def _check(self, facts: dict[str, Any]) -> None:
        counts = [facts[name] for name in ("size_bytes", "width_px", "height_px", "frames")]
        if not all(type(count) is int and count > 0 for count in counts):
            raise ValueError("counts that are none")
        if facts["size_bytes"] > self._limits.max_file_bytes:
            raise ValueError("a file that is larger than what may be read")
        if facts["width_px"] * facts["height_px"] > self._limits.max_pixels:
            raise ValueError(f"a picture of {facts['width_px']} × {facts['height_px']} pixels")
        if not _SHA256.fullmatch(facts["sha256"]) or facts["format"] not in CODES:
            raise ValueError("a hash or a format name that is none")
        digest, remark = facts["pixels_sha256"], facts["remark"]
        if (digest is not None and not _SHA256.fullmatch(digest)) or (remark and not _REMARK.fullmatch(remark)):
            raise ValueError("a digest or a remark that is none")
        seen = facts["perceptual_hash"]
        if seen is not None and not (type(seen) is int and -(1 << 63) <= seen < 1 << 63):
            raise ValueError("a perceptual hash that is none")

    def _decoded(self, facts: dict[str, Any], pixels: RgbImage | None, preview: bytes | None) -> Decoded:
        return Decoded(
            path=self._request.path,
            sha256=facts["sha256"],
            size_bytes=facts["size_bytes"],
            width_px=facts["width_px"],
            height_px=facts["height_px"],
            format=facts["format"],
            frames=facts["frames"],
            taken_at=None if facts["taken_at"] is None else datetime.fromisoformat(facts["taken_at"]),
            pixels=pixels,
            preview=preview,
            pixels_sha256=facts["pixels_sha256"],
            remark=facts["remark"] or None,
            perceptual_hash=facts["perceptual_hash"],
            carried=from_json(facts["carried"], EMBEDDED),
        )

    def _pixels(self, size_hw: Any, full_hw: tuple[int, int]) -> RgbImage | None:
        if not self._request.wants_pixels:
            return None
        steps = self._request.preprocessing
        most = self._request.most_pixels
        expected_hw = full_size_hw(*full_hw, most) if steps is None else steps.prepared_hw(*full_hw)
        if list(size_hw) != list(expected_hw):
            raise ValueError(f"pixels of size {size_hw} instead of {expected_hw}")
        height, width = expected_hw
        pixels = np.empty((height, width, 3), dtype=np.uint8)
        receive_into(self._connection, pixels.data.cast("B"), self._deadline)
        return pixels

    def _preview(self, size_bytes: Any) -> bytes | None:
        if self._request.preview_px is None:
            return None
        if not 0 < int(size_bytes) <= _MAX_PREVIEW_BYTES:
            raise ValueError(f"a preview of {size_bytes} bytes")
        preview = bytearray(int(size_bytes))
        receive_into(self._connection, memoryview(preview), self._deadline)
        return bytes(preview)
