"""Whatever a command prints as JSON can be read back as JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.output import print_json
from deixis.plain import plain
from search.checks.finding import VerifyReport


@dataclass(frozen=True, slots=True)
class Thing:
    """A dataclass that holds another."""

    name: str
    inside: Any = None


class Colour(Enum):
    """An enumeration."""

    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Thing("a", Thing("b")), {"name": "a", "inside": {"name": "b", "inside": None}}),
        (Path("/a/b"), "/a/b"),
        (Path("/caf\udce9"), "/caf\ufffd"),
        ("\ud83d alone", "\ufffd alone"),
        (b"caf\xe9", "caf\ufffd"),
        (datetime(2024, 5, 6, tzinfo=UTC), "2024-05-06T00:00:00+00:00"),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
        ({1: "one", (1, 2): "pair", Path("p"): 3}, {"1": "one", "[1, 2]": "pair", "p": 3}),
        ({"b", "a"}, ["a", "b"]),
        ((1, 2), [1, 2]),
        (math.nan, None),
        (-math.inf, None),
        (np.float32(0.5), 0.5),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.bool_(True), True),
        (Colour.RED, "red"),
        (True, True),
    ],
)
def test_each_kind_has_its_form(value: Any, expected: Any) -> None:
    assert plain(value) == expected


def test_a_kind_without_a_form_is_named_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError, match="object has no form"):
        print_json({"a": 1, "b": object()})
    assert capsys.readouterr().out == ""


def test_a_report_of_verify_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    report = VerifyReport()
    report.checked["files"] += 3
    print_json(report)
    assert json.loads(capsys.readouterr().out)["checked"] == {"files": 3}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(values)
def test_any_nested_value_reads_back(value: Any) -> None:
    text = json.dumps(plain(value), allow_nan=False, ensure_ascii=False)
    text.encode()
    assert json.loads(text) == plain(value)
