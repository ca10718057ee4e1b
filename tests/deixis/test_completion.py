"""The shell's Tab key: presets complete where a model is named, and commands where one is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CALL = "import sys; from deixis.cli import app; app(prog_name='deixis')"


def _complete(line: str) -> list[str]:
    """What bash would be told, by the protocol that `--show-completion` installs."""
    words = line.split(" ")
    environment = {
        "_DEIXIS_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
    }
    done = subprocess.run(
        [sys.executable, "-c", _CALL],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("deixis sta", {"status"}),
        ("deixis models p", {"pull", "path"}),
        ("deixis search x --model siglip2-base", {"siglip2-base", "siglip2-base-fast"}),
        ("deixis index . --model col", {"colour"}),
        ("deixis caption --captioner flo", {"florence2-base", "florence2-large"}),
        ("deixis serve --captioner kos", {"kosmos2"}),
        ("deixis caption --translator m", {"m2m100"}),
        ("deixis models pull m2", {"m2m100"}),
        ("deixis models pull story", set()),
        ("deixis models locate clip", {"clip-vit-b32"}),
        ("deixis eval storybook --model story", {"storybook-encoder"}),
    ],
)
def test_what_has_been_begun_is_completed(line: str, offered: set[str]) -> None:
    assert set(_complete(line)) == offered
