"""How often one caller may ask for what costs something: a bucket of tokens for each caller and kind of request."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from search.errors import SettingsError

Rates: TypeAlias = Mapping[str, "Rate"]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often: so many a second on the whole, and so many at once."""

    per_s: float
    burst: float


DEFAULTS: Rates = {
    "read": Rate(100, 3000),
    "search": Rate(5, 100),
    "costly": Rate(10, 600),  # a page of results may ask for a hundred layers at once
    "write": Rate(1, 30),
}
"""Nobody meets these by hand; a program that asks without end does."""

MAX_CALLERS = 10_000
"""Buckets that are kept; beyond, those that were asked for longest ago are forgotten, as full ones would be."""

_RATE = re.compile(r"(read|search|costly|write)=(\d{1,6}(?:\.\d{1,3})?)/(\d{1,6})")


class Buckets:
    """Counts who has asked how often.

    Args:
        rates: by cost; what has none is not limited.
        clock: seconds that only grow.
    """

    def __init__(self, rates: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._filled: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._counting = threading.Lock()

    def wait_s(self, caller: str, kind: str) -> float:
        """Take a token; 0 where there was one, else the seconds until there is one again."""
        rate = self._rates.get(kind)
        if rate is None or not caller:
            return 0.0
        now, key = self._clock(), (caller, kind)
        with self._counting:
            tokens, since = self._filled.get(key, (rate.burst, now))
            tokens = min(rate.burst, tokens + (now - since) * rate.per_s)
            has_one = tokens >= 1
            self._filled[key] = (tokens - 1 if has_one else tokens, now)
            self._filled.move_to_end(key)
            if len(self._filled) > MAX_CALLERS:
                self._filled.popitem(last=False)
        return 0.0 if has_one else (1 - tokens) / rate.per_s


def read_rates(said: str | None) -> Rates:
    """Read `DEIXIS_RATE_LIMITS`: parts over the defaults, or `off`.

    Raises:
        SettingsError: a part is no rate.
    """
    if said is not None and said.strip().lower() == "off":
        return {}
    rates = dict(DEFAULTS)
    for part in (one.strip() for one in (said or "").split(",")):
        read = _RATE.fullmatch(part) if part else None
        if part and (read is None or float(read[2]) <= 0 or int(read[3]) < 1):
            raise SettingsError(
                f"DEIXIS_RATE_LIMITS: {part!r} is no rate",
                remedy="Write read, search, costly or write with a rate and a burst: search=5/100,costly=1/50; or off.",
            )
        if read is not None:
            rates[read[1]] = Rate(float(read[2]), int(read[3]))
    return rates
