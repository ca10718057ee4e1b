"""A few drawn scenes, shared by the tests of the trainings."""

from __future__ import annotations

from pathlib import Path

import pytest

from storybook.data import SceneStore, StorePlan, build_store

TINY_PX = 32


@pytest.fixture(scope="session")
def scene_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the drawn scenes."""
    return tmp_path_factory.mktemp("scenes")


@pytest.fixture(scope="session")
def tiny_store(scene_cache: Path) -> SceneStore:
    """24 training scenes at 32 px."""
    return build_store(scene_cache, StorePlan("train", 24, TINY_PX))
