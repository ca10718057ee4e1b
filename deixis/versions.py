"""Which of the libraries that Deixis stands on are here, and which lie outside the versions that were tested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

DISTRIBUTION = "deixis"
_NOT_FOR_USERS = "dev"

REMEDY = "Install tested ones: `make ready` in a checkout, `pip install --upgrade WHEEL-OR-FOLDER` elsewhere."
"""What to do about versions that were never tested."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """A library that Deixis uses.

    Attributes:
        name: of the package.
        installed: its version here; None when it is not.
        tested: the versions that were tested, as `>=2.11,<2.14`.
        optional: only an extra needs it.
    """

    name: str
    installed: str | None
    tested: str
    optional: bool

    @property
    def is_outside(self) -> bool:
        """Whether what is here was never tested; a library that is not here counts only where it must be."""
        if self.installed is None:
            return not self.optional
        return not Requirement(f"{self.name}{self.tested}").specifier.contains(self.installed, prereleases=True)

    def __str__(self) -> str:
        """One phrase for a message."""
        return f"{self.name} {self.installed or 'is not installed'} (tested: {self.tested or 'any'})"


def dependencies() -> list[Dependency]:
    """What the installed package declares for this platform, in its order; nothing where Deixis is not installed."""
    try:
        declared = metadata.requires(DISTRIBUTION) or []
        extras = metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return []
    return read(declared, [extra for extra in extras if extra != _NOT_FOR_USERS])


def outside_tested_range() -> list[Dependency]:
    """What is installed in a version that was never tested, or is not installed and should be."""
    return [dependency for dependency in dependencies() if dependency.is_outside]


def read(declared: Iterable[str], extras: Iterable[str]) -> list[Dependency]:
    """Read requirements as a package's metadata writes them.

    Args:
        declared: such as `torch<2.14,>=2.11` or `openvino>=2026.0; extra == 'openvino'`.
        extras: which extras count.
    """
    found: dict[str, Dependency] = {}
    for text in declared:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # written by a build backend of another time; what cannot be read cannot be compared
        needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        wanted = any(requirement.marker.evaluate({"extra": extra}) for extra in extras) if requirement.marker else False
        name = canonicalize_name(requirement.name)
        if (needed or wanted) and (needed or name not in found):
            tested = ",".join(sorted(map(str, requirement.specifier), key=lambda bound: bound.startswith("<")))
            found[name] = Dependency(requirement.name, _installed(name), tested, optional=not needed)
    return list(found.values())


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
