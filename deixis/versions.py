"""Which installed packages lie outside the range that was tested."""

from __future__ import annotations

import importlib.metadata

from packaging.requirements import InvalidRequirement, Requirement


def outside_tested_range() -> list[str]:
    """One sentence for each installed dependency whose version the package's own bounds do not allow."""
    found = []
    try:
        listed = importlib.metadata.requires("deixis") or []
    except importlib.metadata.PackageNotFoundError:  # a checkout on the path, not installed
        return []
    for line in listed:
        try:
            requirement = Requirement(line)
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            version = importlib.metadata.version(requirement.name)
        except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement.name} {version} is outside {requirement.specifier}")
    return found
