"""The bytes between parent and child: length-prefixed JSON headers followed by raw payloads.

Nothing is ever unpickled. A child that a hostile picture has taken over can send nonsense, but no code.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.decoder.contract import DecodeRequest
from vision.originals import Original
from vision.preprocessing import Preprocessing

MAX_HEADER_BYTES = 1 << 20
_LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child sends: a header and the payloads whose sizes the header states."""

    header: dict[str, Any]
    payloads: tuple[Any, ...] = ()

    @classmethod
    def refusal(cls, code: str, reason: str, *, spent: bool = False) -> Answer:
        """Say why there is no picture; `spent` asks the parent for a fresh child."""
        return cls({"kind": "refused", "code": code, "reason": reason, "spent": spent})

    @classmethod
    def decoded(cls, facts: dict[str, Any], pixels: NDArray[np.uint8] | None, preview: bytes | None) -> Answer:
        """Send the facts, then the pixels `(height, width, 3)` uint8, then the preview."""
        header = {
            "kind": "decoded",
            "facts": facts,
            "pixels_hw": None if pixels is None else pixels.shape[:2],
            "preview_bytes": None if preview is None else len(preview),
        }
        payloads = [] if pixels is None else [np.ascontiguousarray(pixels).data.cast("B")]
        return cls(header, (*payloads, *([] if preview is None else [preview])))


def send(connection: socket.socket, header: dict[str, Any], *payloads: Any) -> None:
    """Write one message.

    Raises:
        ConnectionError: the other side is gone.
        TimeoutError: the socket's timeout has passed.
    """
    encoded = json.dumps(header).encode("ascii")
    connection.sendall(_LENGTH.pack(len(encoded)) + encoded)
    for payload in payloads:
        connection.sendall(payload)


def send_request(connection: socket.socket, request: DecodeRequest) -> None:
    """Write one request; raises as `send` does."""
    header = {
        # The child may run elsewhere, in any locale: the file system's bytes, spelled as Latin-1.
        "path": os.fsencode(os.path.abspath(request.path) if request.data is None else request.path).decode("latin-1"),
        "preprocessing": None if request.preprocessing is None else asdict(request.preprocessing),
        "preview_px": request.preview_px,
        "data_bytes": None if request.data is None else len(request.data),
        "original": None if request.original is None else _spelled(request.original),
        "most_pixels": request.most_pixels,
    }
    send(connection, header, *([] if request.data is None else [request.data]))


def receive_request(connection: socket.socket) -> DecodeRequest | None:
    """Read one request; None when the parent has hung up.

    Raises:
        ConnectionError: it hung up in the middle.
    """
    header = receive_header(connection)
    if header is None:
        return None
    data = None
    if header["data_bytes"] is not None:
        data = bytearray(header["data_bytes"])
        receive_into(connection, memoryview(data))
    steps = header["preprocessing"]
    return DecodeRequest(
        path=os.fsdecode(header["path"].encode("latin-1")),
        preprocessing=None if steps is None else Preprocessing(**{k: _tuples(v) for k, v in steps.items()}),
        preview_px=header["preview_px"],
        data=None if data is None else bytes(data),
        original=None if header["original"] is None else _read(header["original"]),
        most_pixels=header["most_pixels"],
    )


def _spelled(original: Original) -> list[str]:
    file = os.fsencode(os.path.abspath(original.file)).decode("latin-1")
    return [os.fsencode(original.path).decode("latin-1"), file, original.member or ""]


def _read(spelled: list[str]) -> Original:
    path, file = (os.fsdecode(part.encode("latin-1")) for part in spelled[:2])
    return Original(path, file, spelled[2] or None)


def receive_header(connection: socket.socket, deadline: float | None = None) -> dict[str, Any] | None:
    """Read one header, until `deadline` (`time.monotonic`) at the latest; None at the end of the stream.

    Raises:
        ConnectionError: the stream ends in the middle.
        TimeoutError: the deadline has passed.
        ValueError: what came is no header.
    """
    _set_timeout(connection, deadline)
    first = connection.recv(_LENGTH.size)
    if not first:
        return None
    prefix = bytearray(_LENGTH.size)
    prefix[: len(first)] = first
    receive_into(connection, memoryview(prefix)[len(first) :], deadline)
    (length,) = _LENGTH.unpack(prefix)
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes")
    encoded = bytearray(length)
    receive_into(connection, memoryview(encoded), deadline)
    try:
        header = json.loads(encoded)
    except RecursionError as error:
        raise ValueError("a header nested too deeply") from error
    if not isinstance(header, dict):
        raise ValueError("a header that is no object")
    return header


def receive_into(connection: socket.socket, target: memoryview, deadline: float | None = None) -> None:
    """Fill `target` completely; raises as `receive_header` does."""
    filled = 0
    while filled < len(target):
        _set_timeout(connection, deadline)
        count = connection.recv_into(target[filled:])
        if count == 0:
            raise ConnectionError("the other side hung up in the middle of a message")
        filled += count
        if deadline is not None and filled < len(target) and time.monotonic() > deadline:
            raise TimeoutError("the message is still not complete")


def _set_timeout(connection: socket.socket, deadline: float | None) -> None:
    if deadline is not None:
        # What has already arrived is read even after the deadline: after Ctrl-Z the parent is late, not the child.
        connection.settimeout(max(0.001, deadline - time.monotonic()))


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
