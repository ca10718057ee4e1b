"""The lock: who needs what, what has a hash, and bounds that follow from what was locked."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "lock").glob("*.txt"))}
DECLARED = [
    *PROJECT["project"]["dependencies"],
    *(each for wanted in PROJECT["project"]["optional-dependencies"].values() for each in wanted),
    *PROJECT["build-system"]["requires"],
]


def script(name: str) -> ModuleType:
    """A script of the lock, which is no package."""
    spec = importlib.util.spec_from_file_location(f"lock_{name}", ROOT / "lock" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


renew, lowest = script("renew"), script("lowest")
LOCKED = {entry.name: entry for text in FILES.values() for entry in renew.parse(text.split("\n", 2)[2])}
SAMPLE = """\
numpy==2.4.6 ; sys_platform == 'linux' or sys_platform == 'darwin' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via
    #   -r asked.in
    #   torch
nvidia-x==1.0 ; sys_platform == 'linux' \\
    --hash=sha256:cc
    # via torch
nvidia-y==1.0 \\
    --hash=sha256:cd
    # via nvidia-x
pytest==9.0.1 \\
    --hash=sha256:dd
    # via -r asked.in
torch==2.13.0 \\
    --hash=sha256:ee
    # via -r asked.in
"""


def test_what_only_torch_needs_is_apart_and_what_others_need_too_is_not() -> None:
    files = renew.divide(
        renew.parse(SAMPLE), {"run": ["numpy", "torch"], "extras": [], "dev": ["pytest"], "build": ["pytest"]}
    )
    names = {file: [entry.name for entry in entries] for file, entries in files.items()}
    assert names == {
        "run": ["numpy"],
        "extras": [],
        "dev": ["pytest"],
        "build": ["pytest"],
        "torch": ["torch"],
        "with-torch": ["nvidia-x", "nvidia-y"],
    }
    assert "torch==2.13.0\n" in renew.text_of("torch", files["torch"])
    assert "nvidia-x==1.0\n" in renew.text_of("with-torch", files["with-torch"])
    assert "numpy==2.4.6 \\\n    --hash=sha256:aa \\\n" in renew.text_of("run", files["run"])


def test_a_marker_stays_where_it_says_something() -> None:
    numpy, nvidia, *_ = renew.parse(SAMPLE)
    assert numpy.requirement == "numpy==2.4.6"
    assert nvidia.requirement == "nvidia-x==1.0 ; sys_platform == 'linux'"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"numpy>=2.1"', '"numpy>=2.1,<2.5"'),
        ('"numpy>=2.1,<2.3"', '"numpy>=2.1,<2.5"'),
        ("\"numpy>=2.1,<2.3; sys_platform == 'linux'\"", "\"numpy>=2.1,<2.5; sys_platform == 'linux'\""),
        ('"torch>=2.11,<2.14"', '"torch>=2.11,<2.14"'),  # held
        ('"unknown>=1,<2"', '"unknown>=1,<2"'),
        ('"pytest[x]>=9"', '"pytest[x]>=9,<9.1"'),
    ],
)
def test_upper_bounds_follow_the_lock(before: str, after: str) -> None:
    assert renew.with_bounds(before, renew.parse(SAMPLE), ["torch"]) == after


def test_writing_the_bounds_again_changes_nothing() -> None:
    assert renew.with_bounds(TEXT, LOCKED.values(), PROJECT["tool"]["deixis"]["lock"]["hold"]) == TEXT


def test_whatever_is_not_held_is_resolved_without_its_upper_bound() -> None:
    assert renew.without_upper_bounds("numpy>=2,<2.5", ["torch"]) == "numpy>=2"
    assert renew.without_upper_bounds("Torch>=2,<2.5", ["torch"]) == "Torch>=2,<2.5"


@pytest.mark.parametrize("requirement", DECLARED)
def test_what_is_declared_is_locked_within_its_bounds(requirement: str) -> None:
    asked = Requirement(requirement)
    locked = Requirement(LOCKED[canonicalize_name(asked.name)].requirement)
    (exact,) = locked.specifier
    assert exact.operator == "=="
    assert asked.specifier.contains(exact.version)
    assert {bound.operator for bound in asked.specifier} == {">=", "<"}, "both ends are bounded by what was tested"


@pytest.mark.parametrize("file", ["run", "extras", "dev", "build"])
def test_every_file_of_a_package_has_a_hash(file: str) -> None:
    for entry in renew.parse(FILES[file].split("\n", 2)[2]):
        assert len(entry.lines) > 1, entry.name
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in entry.lines[1:]), entry.name


def test_the_lock_names_no_place_and_no_cuda_package_as_required() -> None:
    for name, text in FILES.items():
        assert "://" not in text
        assert "--index" not in text
        if name != "with-torch":
            assert not re.search(r"^(nvidia|cuda|triton)", text, re.MULTILINE)


def test_no_package_is_in_two_versions() -> None:
    seen: dict[str, set[str]] = {}
    for text in FILES.values():
        for entry in renew.parse(text.split("\n", 2)[2]):
            seen.setdefault(entry.name, set()).add(entry.requirement)
    assert {name: versions for name, versions in seen.items() if len(versions) > 1} == {}


def test_a_lower_bound_that_nobody_can_install_is_named() -> None:
    bounds = lowest.lower_bounds(["Ab_c>=1.0,<3", "d>=2; sys_platform == 'linux'", "e==1"])
    assert bounds == {"ab-c": Version("1.0"), "d": Version("2")}
    chosen = lowest.chosen_versions("ab-c==1.2\nd==2.0 ; sys_platform == 'linux'\n# via x\n")
    assert lowest.unreachable(bounds, chosen) == ["ab-c>=1.0 cannot be had: the lowest that fits is 1.2"]
