"""Which FAISS index a generation is, by what was measured: exact until a scan is too slow to wait for."""

from __future__ import annotations

EXACT_UP_TO = 10_000_000
"""Components (vectors × dim) up to which float32 is scanned: at most 2.5 ms of one core, and nothing is trained.

One thread of an Intel Xeon: float32 takes 0.5 / 0.7 / 2.3 / 6.7 ms for 20,000 vectors of 128 / 192 / 512 / 768
dimensions and 1.6 / 3.6 / 23 / 22 ms for 60,000; four bits with refinement take 0.2–0.6 and 0.4–1.1, and 0.6–4.3 s to
build.
"""

STORAGE = "SQfp16"
"""What larger ones store: half the bytes, scanned exactly where a filter or a hard library asks for it."""


def index_key(vectors: int, dim: int) -> str:
    """FAISS factory string of the exact index for this many vectors; every one scans all with the inner product."""
    return "Flat" if vectors * dim <= EXACT_UP_TO else STORAGE


def fast_key(dim: int) -> str | None:
    """FAISS factory string of the codes that choose candidates; None where the length of a vector allows none.

    Inverted lists and graphs are not used: at a million they lose text→image recall first (0.77 to 0.97).
    """
    return f"PQ{dim // 2}x4fs" if dim % 2 == 0 else None
