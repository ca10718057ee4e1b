"""Which FAISS index a generation is, by what was measured: exact until a scan is too slow to wait for.

One thread, 512 dimensions: an exact float32 scan costs 12 ms at 100,000 vectors and about 75 ms at a million, a
float16 scan 43 ms at a million with k-recall@10 of 1.0000 on text queries and half the memory. Graphs and inverted
lists are not used: at the same million they lose text→image recall first (0.77 to 0.97).
"""

EXACT_UP_TO = 200_000
"""Vectors up to which float32 is scanned."""


def index_key(vectors: int) -> str:
    """FAISS factory string for this many vectors; every index scans all of them with the inner product."""
    return "Flat" if vectors <= EXACT_UP_TO else "SQfp16"
