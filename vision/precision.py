"""The precisions in which a model can compute, by the names that users, files and identities use."""

from __future__ import annotations

from vision.errors import ModelError

PRECISIONS = ("float32", "bfloat16", "float16", "int8")
"""From the most faithful to the smallest. `int8`: weights and activations of linear layers, the rest in float32."""


def check_precision(precision: str, known: tuple[str, ...] = PRECISIONS, *, of: str = "Deixis") -> str:
    """Return the precision if it is one of the known.

    Args:
        precision: as a user gave it.
        known: what the caller offers.
        of: who offers it, for the message.

    Raises:
        ModelError: it is another; the remedy names those that are known.
    """
    if precision not in known:
        raise ModelError(f"{of} does not compute in {precision!r}", remedy=f"Choose {', '.join(known)}.")
    return precision
