"""Other libraries' remarks, kept off the error stream of a run that goes well; by their own public settings."""

from __future__ import annotations

import os

_SETTINGS = {
    "TRANSFORMERS_VERBOSITY": "error",  # warns of every configuration whose text tower has other special tokens
    "HF_HUB_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "ORT_LOG_SEVERITY_LEVEL": "3",
}
"""Read by these libraries when they are imported; a person who has set one is obeyed."""


def quiet_libraries() -> None:
    """Ask them to tell of errors only; before the first of them is imported."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
