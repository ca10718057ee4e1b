"""What takes a picture's place between the scan and the look at it cannot hold up the run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from indexer.pipeline import index_paths
from indexer.report import Progress
from search.library import Library
from vision.encoders.colour import ColourEncoder

Draw = Callable[..., Path]


def test_a_pipe_in_the_place_of_a_copy_is_refused_and_does_not_block(
    sqlite_library: Library, encoder: ColourEncoder, pictures: Path, draw: Draw
) -> None:
    first = draw("first.png")
    index_paths(sqlite_library, encoder, [pictures])
    copy = pictures / "copy.png"
    shutil.copyfile(first, copy)  # of a known size, so that the job itself opens it to compare

    def exchange(step: Progress) -> None:
        if step.stage == "images" and step.done == 0 and copy.is_file():
            copy.unlink()
            os.mkfifo(copy)

    report = index_paths(sqlite_library, encoder, [pictures], None, exchange)
    assert [refused.reason.partition(":")[0] for refused in report.refused] == ["not_a_file"]


def test_previews_that_cannot_be_kept_are_counted_and_stop_nothing(
    sqlite_library: Library, encoder: ColourEncoder, pictures: Path, draw: Draw
) -> None:
    for name in ("red", "green"):
        draw(f"{name}.png", name, (40 + len(name), 30))
    (sqlite_library.home / "previews").write_bytes(b"a file where the folder should be")
    report = index_paths(sqlite_library, encoder, [pictures])
    assert (report.embedded, report.previews_unwritten) == (2, 2)
    assert "previews" in report.previews_problem
