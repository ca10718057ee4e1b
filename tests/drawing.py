"""How many examples a property is tried with: few in the suite, the same at every run; many, new ones, when asked."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

HEAVY = "DEIXIS_TEST_EXAMPLES"
"""Factor on the number of examples, e.g. 40: `DEIXIS_TEST_EXAMPLES=40 pytest tests/indexer/test_hostile_values.py`."""


def examples(few: int) -> settings:
    """Settings of a property that costs more than a function call; fixtures live through all of its examples."""
    factor = int(os.environ.get(HEAVY, "1"))
    return settings(
        max_examples=few * factor,
        deadline=None,
        derandomize=factor == 1,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
