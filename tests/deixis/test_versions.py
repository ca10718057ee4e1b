"""A library outside the versions that were tested is named, and no command ends in its TypeError."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from deixis.unforeseen import as_a_version_matter
from deixis.versions import Dependency, outside_tested_range, read

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("installed", "tested", "outside"),
    [
        ("2.13.0", ">=2.11,<2.14", False),
        ("2.13.0+cpu", ">=2.11,<2.14", False),  # another build of the same version
        ("2.14.0", ">=2.11,<2.14", True),
        ("2.14.0.dev20260101", ">=2.11,<2.14", True),
        ("2.10.9", ">=2.11,<2.14", True),
        ("2.11", ">=2.11,<2.14", False),
        ("3.0", "", False),
        ("not a version", ">=1", True),
    ],
)
def test_a_version_lies_inside_or_outside_of_the_tested_range(installed: str, tested: str, outside: bool) -> None:
    assert Dependency("thing", installed, tested, optional=False).is_outside is outside


def test_a_missing_library_counts_only_where_it_must_be() -> None:
    assert Dependency("thing", None, ">=1", optional=False).is_outside
    assert not Dependency("thing", None, ">=1", optional=True).is_outside


def test_requirements_are_read_with_their_extras_and_markers() -> None:
    declared = [
        "packaging<1.0,>=0.5",
        "no-such-thing<3,>=2",
        "no-such-extra>=1; extra == 'export'",
        "pytest>=1; extra == 'dev'",
        "nowhere>=1; sys_platform == 'nowhere'",
        "packaging>=0.1; extra == 'export'",  # asked for again by an extra: the plain one stays
        "!!! not a requirement",
    ]
    assert read(declared, ["export"]) == [
        Dependency("packaging", metadata.version("packaging"), ">=0.5,<1.0", optional=False),
        Dependency("no-such-thing", None, ">=2,<3", optional=False),
        Dependency("no-such-extra", None, ">=1", optional=True),
    ]


def test_what_the_lock_installs_lies_inside() -> None:
    try:
        metadata.version("deixis")
    except metadata.PackageNotFoundError:
        pytest.skip("Deixis is not installed here, so nothing is declared")
    names = {dependency.name for dependency in outside_tested_range()}
    assert "packaging" not in names
    assert not any(re.match("pytest|ruff|mypy", name) for name in names)


def test_the_message_names_library_range_and_remedy() -> None:
    try:
        len(3)  # type: ignore[arg-type]
    except TypeError as error:
        said = as_a_version_matter(error, [Dependency("torch", "9.0", ">=2.11,<2.14", optional=False)])
    assert "torch 9.0 (tested: >=2.11,<2.14)" in said
    assert "object of type 'int' has no len()" in said
    assert "Install tested ones" in said
    assert "defect" not in said


def _with_another(folder: Path, name: str, version: str, source: str) -> dict[str, str]:
    """An environment in which a library is of another version, and Deixis declares what it was tested with."""
    for package, number, requires in ((name, version, ""), ("deixis", "0.1.0", f"Requires-Dist: {name}>=1,<98\n")):
        info = folder / f"{package}-{number}.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {package}\nVersion: {number}\n{requires}"
        (info / "METADATA").write_text(text, encoding="utf-8")
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DEIXIS_")}
    return environment | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "DEIXIS_HOME": str(folder / "home")}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("rich", ""),  # every import from it fails
        ("typer", "raise TypeError('got an unexpected keyword argument')"),
    ],
)
def test_a_command_names_the_library_that_moved(tmp_path: Path, name: str, source: str) -> None:
    environment = _with_another(tmp_path, name, "99.0", source)
    done = subprocess.run(
        [sys.executable, "-m", "deixis", "status"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert f"{name} 99.0 (tested: >=1,<98)" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_with_tested_versions_is_still_called_a_defect(tmp_path: Path) -> None:
    environment = _with_another(tmp_path, "rich", "97.0", "raise TypeError('ours')")
    done = subprocess.run(
        [sys.executable, "-m", "deixis", "status"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "TypeError: ours" in done.stderr
    assert "this is a defect" in done.stderr
