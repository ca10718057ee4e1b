"""Downloads come from a real server on 127.0.0.1; look-ups never leave the machine; one commit is ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vision.encoders import hub
from vision.encoders.presets import PRESETS
from vision.encoders.registry import load_encoder

_ROOT = Path(__file__).resolve().parents[3]
# What the command line does with its command and with a domain error, in a process of its own: the hub's client reads
# HF_ENDPOINT and HF_HOME once, when it is imported.
_COMMAND = """
import sys
from deixis.lazy import load_command
from vision.errors import DeixisError
try:
    load_command("models").main(sys.argv[1:], standalone_mode=False)
except DeixisError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
_LOAD = """
import sys
from vision.encoders.registry import load_encoder
encoder = load_encoder(sys.argv[1], threads=1)
print(encoder.facts.revision, encoder.facts.backend, encoder.encode_text(["a cat"]).shape[1])
"""
_NOWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Run a program with a hub cache of its own and the given HF_ENDPOINT; returns the finished process."""

    def run_program(program: str, *arguments: str, endpoint: str = _NOWHERE, **extra: str) -> Any:
        environment = os.environ | {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": endpoint, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=_ROOT,
            env=environment | {"PYTHONPATH": str(_ROOT), "COLUMNS": "200"} | extra,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run_program


def test_pull_brings_safetensors_and_never_pickles_or_code_and_the_model_loads(hub_server: Any, run: Any) -> None:
    pulled = run(_COMMAND, "pull", "someone/tiny-clip", endpoint=hub_server.url)
    assert pulled.returncode == 0, pulled.stderr
    folder = Path(pulled.stdout.splitlines()[-1])
    assert folder.name == "1" * 40
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert not any(path.endswith((".bin", ".py")) for path in hub_server.asked)
    assert "100%" in pulled.stderr or "━" in pulled.stderr
    hub_server.asked.clear()
    loaded = run(_LOAD, "someone/tiny-clip", endpoint=hub_server.url)
    assert loaded.stdout.split() == ["1" * 40, "transformers", "16"], loaded.stderr
    assert hub_server.asked == []  # loading never asks the hub
    # The index remembers the folder alone; opened again by it, the encoder must have the same identity.
    assert load_encoder(str(folder), threads=1).facts.revision == "1" * 40


def test_a_branch_that_moves_changes_nothing_until_the_next_pull(hub_server: Any, run: Any) -> None:
    run(_COMMAND, "pull", "someone/tiny-clip", endpoint=hub_server.url)
    hub_server.commits["main"] = "2" * 40
    assert _commit(run(_COMMAND, "path", "someone/tiny-clip", endpoint=hub_server.url)) == "1" * 40
    run(_COMMAND, "pull", "someone/tiny-clip", endpoint=hub_server.url)
    assert _commit(run(_COMMAND, "path", "someone/tiny-clip")) == "2" * 40


def _commit(finished: Any) -> str:
    return Path(finished.stdout.strip()).name


def test_a_repository_of_pickles_is_refused_and_not_recorded(hub_server: Any, run: Any, tmp_path: Path) -> None:
    (hub_server.folder / "model.safetensors").unlink()
    refused = run(_COMMAND, "pull", "someone/tiny-clip", endpoint=hub_server.url)
    assert "ModelError: someone/tiny-clip at revision 1111" in refused.stderr
    assert "Pickled weights are refused" in refused.stderr
    assert not list(tmp_path.glob("hf/hub/*/refs/deixis"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("someone/other",), "someone/other at revision main) cannot be downloaded"),
        (("someone/tiny-clip", "--revision", "no-such"), "tiny-clip at revision no-such) cannot be downloaded"),
        (("not a name",), "not a name of the hub"),
        (("someone/tiny-clip", "--backend", "onnx"), "has none of onnx/vision_model.onnx"),
        (("someone/tiny-clip", "--backend", "jax"), "unknown backend 'jax'"),
    ],
)
def test_what_cannot_be_pulled_is_named(hub_server: Any, run: Any, arguments: tuple[str, ...], message: str) -> None:
    refused = run(_COMMAND, "pull", *arguments, endpoint=hub_server.url)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("extra", [{}, {"HF_HUB_OFFLINE": "1"}])
def test_without_network_pull_says_how_to_bring_a_model_by_hand(run: Any, extra: dict[str, str]) -> None:
    refused = run(_COMMAND, "pull", "siglip2-base", **extra)
    assert refused.returncode == 1
    assert "ModelMissingError: siglip2-base (google/siglip2-base-patch16-256" in refused.stderr
    for part in (PRESETS["siglip2-base"].revision, "model.safetensors", "tokenizer.json", "--model FOLDER"):
        assert part in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_complete_cache_can_be_adopted_without_network(hub_server: Any, run: Any) -> None:
    run(_COMMAND, "pull", "someone/tiny-clip", endpoint=hub_server.url)
    adopted = run(_COMMAND, "pull", "someone/tiny-clip", "--revision", "1" * 40)
    assert adopted.returncode == 0, adopted.stderr


_ONE, _TWO = "1" * 40, "2" * 40
_PINNED = PRESETS["clip-vit-b32"].revision


@pytest.mark.parametrize(
    ("model", "snapshots", "recorded", "answer"),
    [
        ("someone/model", {_ONE: "model.safetensors"}, None, _ONE),
        ("someone/model", {_ONE: "model.safetensors", _TWO: "model.safetensors"}, _TWO, _TWO),
        (
            "someone/model",
            {_ONE: "model.safetensors", _TWO: "model.safetensors"},
            None,
            "the cache holds the revisions 11",
        ),
        ("someone/model", {_ONE: "model.safetensors"}, _TWO, "is not on this machine; the cache holds only 11"),
        ("someone/model", {_ONE: "model.safetensors"}, "garbage", _ONE),
        ("someone/model", {_ONE: "config.json"}, None, "the download is not complete"),
        ("clip-vit-b32", {_PINNED: "model.safetensors", _TWO: "model.safetensors"}, None, _PINNED),
        ("clip-vit-b32", {_PINNED: "model.safetensors", _TWO: "model.safetensors"}, _TWO, _TWO),
        ("clip-vit-b32", {_TWO: "model.safetensors"}, None, f"at revision {_PINNED}) is not on this machine"),
    ],
)
def test_the_recorded_commit_goes_before_the_pinned_one_and_no_other_is_taken(
    run: Any, tmp_path: Path, model: str, snapshots: dict[str, str], recorded: str | None, answer: str
) -> None:
    hub_id = "openai/clip-vit-base-patch32" if model == "clip-vit-b32" else model
    home = tmp_path / "hf" / "hub" / f"models--{hub_id.replace('/', '--')}"
    for commit, name in snapshots.items():
        (home / "snapshots" / commit).mkdir(parents=True)
        (home / "snapshots" / commit / name).write_bytes(b"")
    if recorded:
        (home / "refs").mkdir()
        (home / "refs" / "deixis").write_text(recorded)
    asked = run(_COMMAND, "path", model)
    if len(answer) == 40:
        assert _commit(asked) == answer
    else:
        assert answer in asked.stderr
        assert f"deixis models pull {model}" in asked.stderr


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("owner/name", True),
        ("owner/name-1.0_x", True),
        ("name", False),
        ("/tmp/x", False),
        ("a/b/c", False),
        ("../x", False),
    ],
)
def test_hub_names_are_told_from_paths(name: str, expected: bool) -> None:
    assert hub.looks_like_hub_id(name) is expected


def test_a_snapshot_folder_is_known_by_its_repository_and_commit(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--google--siglip2-base--x" / "snapshots" / ("a" * 40)
    assert hub.place_of_folder(snapshot) == hub.ModelPlace(snapshot, "google/siglip2-base--x", "a" * 40)
    assert hub.place_of_folder(tmp_path / "mine") == hub.ModelPlace(tmp_path / "mine", "mine", None)


def test_every_preset_pins_a_commit_of_a_hub_repository() -> None:
    for name, preset in PRESETS.items():
        assert name == preset.name
        assert hub.looks_like_hub_id(preset.hub_id)
        assert len(preset.revision) == 40
        assert int(preset.revision, 16)
