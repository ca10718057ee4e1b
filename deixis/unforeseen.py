"""What is said about an error that nobody foresaw: a library outside the tested versions is named, or a defect."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deixis.versions import Dependency


def tell(error: BaseException) -> None:
    """Write to stderr what went wrong and what to do about it."""
    from deixis.versions import outside_tested_range  # noqa: PLC0415  # reading versions costs, and runs go well

    outside = outside_tested_range()
    if outside:
        sys.stderr.write(as_a_version_matter(error, outside))
        return
    traceback.print_exception(error)
    sys.stderr.write("deixis: this is a defect; please report it with the lines above\n")


def as_a_version_matter(error: BaseException, outside: Sequence[Dependency]) -> str:
    """The lines for an error that may come from versions that were never tested."""
    from deixis.versions import REMEDY  # noqa: PLC0415  # as above

    what = traceback.format_exception_only(error)[-1].strip()
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({where[-1].filename}, line {where[-1].lineno})" if where else ""
    return "\n".join(
        [
            f"deixis: something failed that works with the tested versions: {what}{place}",
            "Never tested together with this version of Deixis:",
            *(f"  {dependency}" for dependency in outside),
            REMEDY,
            "",
        ]
    )
