"""The disposable child: reads requests from a socket, decodes foreign pictures under hard limits, answers."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import math
import os
import resource
import signal
import socket
import sys
import warnings
from datetime import datetime
from typing import Any

import numpy as np
from PIL import Image

from vision.carried.boxes import Frame
from vision.carried.facts import as_json
from vision.carried.reading import read_carried
from vision.decoder import formats, metadata
from vision.decoder.contract import DecodeLimits, DecodeRequest, RefusalError, full_size_hw
from vision.decoder.opening import open_picture
from vision.decoder.pixels import upright_srgb
from vision.decoder.reading import read_original, require_size
from vision.decoder.reasons import says_unsupported
from vision.decoder.scale import View, shrunk_wh
from vision.decoder.wire import Answer, receive_request, send
from vision.originals import Original
from vision.perceptual import perceptual_hash
from vision.types import RgbImage

_MAX_TEXT_BYTES = 8 * 1024 * 1024
_MAX_OPEN_FILES = 64
_GRACE_S = 5.0


def serve(connection: socket.socket, limits: DecodeLimits) -> None:
    """Answer requests until the parent hangs up."""
    formats.install(limits.max_pixels, _MAX_TEXT_BYTES)
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    _restrain(limits)
    # The parent may be gone at any moment, and then there is nobody to tell.
    with contextlib.suppress(ConnectionError):
        send(connection, {"kind": "hello"})
        while (request := receive_request(connection)) is not None:
            send(connection, {"kind": "begun"})
            _arm(limits.timeout_s + _GRACE_S)
            answer = _answer(request, limits)
            _disarm()
            send(connection, answer.header, *answer.payloads)


def _restrain(limits: DecodeLimits) -> None:
    """Give up what a decoder does not need. Imports are done by now; what follows is foreign data."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        # If the machine runs out of memory all the same, let it be this process that is killed.
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_OPEN_FILES, _MAX_OPEN_FILES))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)  # libtiff and libjpeg talk to stderr; until here it told the parent why a start failed
    os.close(silence)


def _die_with_parent() -> None:
    """Ask the kernel for SIGIO, whose default is death, once the parent's end of standard input is closed.

    An idle child sees the end of its socket, but one that hangs inside a C library sees nothing, so the kernel has
    to act. PR_SET_PDEATHSIG would not do: it fires when the *thread* that started the child ends, and servers
    retire threads. Nothing is ever written to this pipe; closing it is its only message. `_arm` is the second line
    of defence, for systems that do not signal here.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)


def _arm(seconds: float) -> None:
    """End this process if one picture takes longer: by the clock, and by the processor in case the clock stands."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # Libraries may use a few threads, whose processor seconds add up.
    soft = math.ceil(used.ru_utime + used.ru_stime + 4 * seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(request: DecodeRequest, limits: DecodeLimits) -> Answer:
    try:
        return _decode(request, limits)
    except RefusalError as refusal:
        return Answer.refusal(refusal.code, refusal.reason)
    except MemoryError:
        # The heap may be in shreds: this child has answered its last request.
        reason = (
            f"Decoding needs more memory than the {limits.memory_bytes:,} bytes that DEIXIS_DECODE_MEMORY_BYTES allows."
        )
        return Answer.refusal("out_of_memory", reason, spent=True)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Answer.refusal(
            "too_many_pixels",
            f"The picture has more pixels than the {limits.max_pixels:,} that DEIXIS_MAX_PIXELS allows.",
        )
    except Exception as error:  # corrupt files raise SyntaxError, TypeError, struct.error, zlib.error and more
        if says_unsupported(str(error)):
            return Answer.refusal("unsupported_format", f"This kind of picture is not read: {_in_words(error)}.")
        reason = f"The picture is damaged, or of a kind that is not read: {_in_words(error)}."
        return Answer.refusal("corrupt", reason)


def _in_words(error: Exception) -> str:
    words = " ".join(str(error).split()).rstrip(".")
    if words.startswith("decoder error"):  # a number of Pillow's own, which helps nobody
        words = "its compressed data cannot be decoded"
    return words[:200] or type(error).__name__


def _decode(request: DecodeRequest, limits: DecodeLimits) -> Answer:
    if request.data is None:
        data = read_original(request.original or Original(request.path, request.path), limits)
    else:
        require_size(len(request.data), limits.max_file_bytes)
        data = request.data
    opened = open_picture(data, request, limits)
    upright, profile_remark = upright_srgb(opened.picture, opened.orientation, opened.averaged)
    width, height = opened.upright_wh
    facts: dict[str, Any] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
        "format": opened.kind,
        "width_px": width,
        "height_px": height,
        "frames": opened.frames,
        "taken_at": None if opened.exif is None else _iso(metadata.taken_at(opened.exif)),
        "carried": as_json(
            read_carried(opened.exif, opened.picture.info, data, Frame((width, height), opened.orientation))
        ),
        "pixels_sha256": opened.digest,
        "remark": opened.remark or profile_remark,
    }
    view = View(upright, (width, height), opened.divisor * opened.averaged)
    facts["perceptual_hash"] = None if request.preprocessing is None else perceptual_hash(view.picture)
    preview = None if request.preview_px is None else _preview(view, request.preview_px)
    return Answer.decoded(facts, _pixels(view, request), preview)


def _pixels(view: View, request: DecodeRequest) -> RgbImage | None:
    if request.preprocessing is not None:
        return request.preprocessing.prepare_picture(view.picture, view.full_wh, view.extent_wh)
    if not request.wants_pixels:
        return None
    height, width = full_size_hw(view.full_wh[1], view.full_wh[0])
    picture = view.picture
    if picture.size != (width, height):  # a camera's preview, a half-size development: asked for by its full size
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, box=(0, 0, *view.extent_wh))
    return np.asarray(picture)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _preview(view: View, longest_px: int) -> bytes:
    size_wh = shrunk_wh(view.full_wh, longest_px)
    small = view.picture
    if size_wh != small.size:
        box = (0, 0, *view.extent_wh)
        # What this filter loses is less than what JPEG does, at a third of the cost of Lanczos (decision 28).
        small = small.resize(size_wh, Image.Resampling.HAMMING, box=box, reducing_gap=3.0)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return file.getvalue()


def main() -> None:
    """Serve on the socket and within the limits that the command line names."""
    arguments = json.loads(sys.argv[1])
    with socket.socket(fileno=arguments["socket"]) as connection:
        serve(connection, DecodeLimits(**arguments["limits"]))
