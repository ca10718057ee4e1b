"""The version of Deixis that is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("deixis")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "unknown"


VERSION = _installed()
