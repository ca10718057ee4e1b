"""A few hundred of the cases that `benchmarks.api_fuzz` sends by the ten thousand: none may fail."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.api_fuzz import fill, fuzz, served

OPERATIONS = ["images", "facets", "createJob", "job", "steerJob"]


def test_no_case_breaks_what_the_description_promises(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if shutil.which("schemathesis", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("needs schemathesis")
    fill(tmp_path / "home", tmp_path / "pictures")
    with served(tmp_path / "home") as address:
        failures = fuzz(address, 40, 1, OPERATIONS, tmp_path / "events.ndjson")
    said = capfd.readouterr().out
    assert failures == 0, said
    assert " 0 failures" in said
    assert " 0 cases" not in said
