"""Which FAISS index a generation is, by what was measured: exact until a scan is too slow to wait for."""

from __future__ import annotations

EXACT_UP_TO = 10_000_000
"""Components (vectors × dim) up to which float32 is scanned: at most 2.5 ms of one core, and nothing is trained.

One thread of an Intel Xeon: float32 takes 0.5 / 0.7 / 2.3 / 6.7 ms for 20,000 vectors of 128 / 192 / 512 / 768
dimensions and 1.6 / 3.6 / 23 / 22 ms for 60,000; four bits with refinement take 0.2–0.6 and 0.4–1.1, and 0.6–4.3 s to
build.
"""

MERGED_UP_TO = 2_000_000
"""Components up to which every publication writes the whole index: 8 MB at most."""

BESIDE = 10_000
BESIDE_SHARE = 0.05
"""Vectors that stay beside a larger index, searched exactly: so many, and no more than this share of it. At 512
dimensions 10,000 take 10 MB, and 0.3 ms of a search."""

STORAGE = "SQfp16"
"""What larger ones store: half the bytes, scanned exactly where a filter or a hard library asks for it."""


def index_key(vectors: int, dim: int) -> str:
    """FAISS factory string of the exact index for this many vectors; every one scans all with the inner product."""
    return "Flat" if vectors * dim <= EXACT_UP_TO else STORAGE


def may_wait(published: int, fresh: int, dim: int) -> bool:
    """Whether so few new vectors are left beside an index of so many, for to write it anew would cost more."""
    return published * dim > MERGED_UP_TO and fresh <= min(BESIDE, BESIDE_SHARE * published)


def fast_key(dim: int) -> str | None:
    """FAISS factory string of the codes that choose candidates; None where the length of a vector allows none.

    Inverted lists and graphs are not used: at a million they lose text→image recall first (0.77 to 0.97).
    """
    return f"PQ{dim // 2}x4fs" if dim % 2 == 0 else None
