"""The one door to foreign pictures: bytes or a path in, upright sRGB pixels or a reasoned refusal out."""

from __future__ import annotations

from vision.decoder.contract import REFUSALS, Decoded, DecodeLimits, DecodeRequest, Refused
from vision.decoder.pool import DecoderPool
from vision.errors import ImageRefusedError

__all__ = ["REFUSALS", "DecodeLimits", "DecodeRequest", "Decoded", "DecoderPool", "Refused", "accept", "decode_one"]


def decode_one(request: DecodeRequest, limits: DecodeLimits | None = None) -> Decoded:
    """Decode one picture in a child of its own, which ends with it.

    Starting that child takes about a third of a second; whoever decodes often keeps a `DecoderPool`, asks its
    `decode` and passes the answer through `accept`.

    Args:
        request: a path, or the bytes of an upload.
        limits: the defaults of `DecodeLimits` when None.

    Raises:
        ImageRefusedError: the picture was refused; `code` is a key of `REFUSALS`.
        DecoderError: the decoding process itself does not start.
    """
    with DecoderPool(limits) as pool:
        return accept(pool.decode(request))


def accept(answer: Decoded | Refused) -> Decoded:
    """Return a decoded picture as it is, and raise a refusal.

    Raises:
        ImageRefusedError: the picture was refused; `code` is a key of `REFUSALS`.
    """
    if isinstance(answer, Refused):
        raise ImageRefusedError(f"{answer.path}: {answer.reason}", code=answer.code, remedy=REFUSALS[answer.code])
    return answer
