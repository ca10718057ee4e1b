"""The script in docs/library.md runs as it stands, and what it calls stable is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from PIL import Image

from indexer.pipeline import index_paths
from search.library import Library
from vision.encoders.registry import load_encoder

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")


def test_the_shortest_script_finds_a_picture(
    sqlite_library: Library, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    index_paths(sqlite_library, load_encoder("colour"), [tmp_path / "red.png"])
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    script, replaced = re.subn(r"HOME = .*", f"HOME = Path({str(home)!r})", script)
    assert replaced == 1
    exec(compile(script, "docs/library.md", "exec"), {})
    assert re.fullmatch(r"1\. -?\d\.\d{3} .*/red\.png \[\]\n", capsys.readouterr().out)


def test_what_is_called_stable_is_there() -> None:
    rows = re.findall(r"^\| `(search\.[\w.]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) >= 5
    for name, said in rows:
        module, _, attribute = name.rpartition(".")
        try:
            home = importlib.import_module(name)
        except ModuleNotFoundError:
            home = getattr(importlib.import_module(module), attribute)
        for part in re.findall(r"`(\w+)`", said):
            assert hasattr(home, part), f"{name}.{part}"
