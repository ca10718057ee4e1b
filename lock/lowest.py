"""Chooses the lowest versions that pyproject.toml allows, and insists that each lower bound is one of them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


def lower_bounds(requirements: Iterable[str]) -> dict[str, Version]:
    """The `>=` of every requirement, by canonical name."""
    return {
        canonicalize_name(requirement.name): Version(bound.version)
        for requirement in map(Requirement, requirements)
        for bound in requirement.specifier
        if bound.operator == ">="
    }


def chosen_versions(compiled: str) -> dict[str, Version]:
    """What was resolved, by canonical name."""
    lines = (line.split(";")[0].strip() for line in compiled.splitlines() if "==" in line)
    return {canonicalize_name(name): Version(version) for name, version in (line.split("==") for line in lines)}


def unreachable(bounds: Mapping[str, Version], chosen: Mapping[str, Version]) -> list[str]:
    """Sentences about bounds below the lowest version that can be installed: nobody can have tested those."""
    return [
        f"{name}>={bound} cannot be had: the lowest that fits is {chosen[name]}"
        for name, bound in sorted(bounds.items())
        if name in chosen and chosen[name] != bound
    ]


def main() -> None:
    """Write the lowest versions to the file named on the command line."""
    target = Path(sys.argv[1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    command = [
        *(str(Path(sys.executable).with_name("uv")), "pip", "compile", "pyproject.toml", "--all-extras"),
        *("--resolution", "lowest-direct", "--quiet", "--no-header", "--no-annotate", "--upgrade"),
        *("--python", sys.executable, "--output-file", str(target)),
    ]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:  # noqa: S603  # our own words
        sys.exit("the lowest versions do not fit together")
    wrong = unreachable(lower_bounds(asked), chosen_versions(target.read_text(encoding="utf-8")))
    if wrong:
        sys.exit("\n".join(["Raise these lower bounds in pyproject.toml:", *wrong]))


if __name__ == "__main__":
    main()
