"""From what two batches took to what a larger one will take."""

from __future__ import annotations

from dataclasses import dataclass

# Shares of the free memory that a batch may take by the estimate alone, and once it is measured.
_ESTIMATED_SHARE = 4
_MEASURED_SHARE = 2


@dataclass(frozen=True, slots=True)
class _Seen:
    """One batch: its estimated bytes, what the process held before, and held at the peak."""

    estimated: int
    before: int
    peak: int

    @property
    def growth(self) -> int:
        return self.peak - self.before


class Footprint:
    """The line through the two largest batches seen, as bytes taken over bytes estimated.

    Over the estimate and not over the number of inputs, because inputs differ from call to call (an answer of 128
    tokens, four beams); the estimate knows the proportions, and the measurement corrects its scale. What does not
    depend on the size, such as weights that are read from their file at the first use, stands in both peaks and so
    leaves the slope alone. Not safe to use from several threads.
    """

    def __init__(self) -> None:
        self._smaller: _Seen | None = None
        self._larger: _Seen | None = None

    @property
    def ratio(self) -> float | None:
        """Bytes that one estimated byte takes; None before two sizes were seen."""
        small, large = self._smaller, self._larger
        if small is None or large is None:
            return None
        # An allocator that keeps what it freed hides growth from a later batch, not from its peak; a process that gave
        # memory back in between hides it from the peak. The steeper of the two is on the safe side.
        rise = max(large.peak - small.peak, large.growth - small.growth, 0)
        return rise / (large.estimated - small.estimated)

    def wants(self, estimated: int) -> bool:
        """Whether a batch of this size would teach anything: the first, and each that doubles the largest seen."""
        return self._larger is None or estimated >= 2 * self._larger.estimated

    def add(self, estimated: int, before: int, peak: int) -> None:
        """Note what a batch took; in bytes. One that teaches nothing, since another thread's came first, is dropped."""
        if self.wants(estimated):
            self._smaller, self._larger = self._larger, _Seen(estimated, before, peak)

    def fits(self, free_bytes: int) -> int:
        """Estimated bytes of the largest batch that leaves the reserve untouched."""
        ratio, large = self.ratio, self._larger
        if large is None:
            return free_bytes // _ESTIMATED_SHARE
        share = free_bytes // _MEASURED_SHARE
        if ratio is None:
            # All that one batch took, laid on its inputs alone, is more than they took: safe where it allows more.
            return max(free_bytes // _ESTIMATED_SHARE, int(large.estimated * share / max(1, large.growth)))
        if ratio == 0:
            return free_bytes if large.growth <= share else large.estimated // 2
        return max(0, large.estimated + int((share - large.growth) / ratio))
