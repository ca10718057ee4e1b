"""From what a user calls a captioner to one in memory: preset, folder or hub name; never the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision.encoders import hub
from vision.encoders.builtin import installed_folder
from vision.encoders.folders import folder_named, read_json
from vision.errors import ModelError
from vision.grounding.presets import CAPTIONERS, FLORENCE
from vision.model_files import check_whole
from vision.model_kinds import CAPTIONER
from vision.model_names import no_such_model

if TYPE_CHECKING:
    from vision.grounding.base import GroundedCaptioner


def load_captioner(model: str, *, threads: int | None = None, precision: str = "float32") -> GroundedCaptioner:
    """Load a captioner from this machine.

    Args:
        model: a preset's name, a folder (of weights, or an export), or `owner/name` of a hub repository that is
            already in the local cache.
        threads: CPU cores for the model; None for every core that this process may use.
        precision: `float32`, `bfloat16`, `float16` (on CUDA) or `int8` (on the CPU).

    Raises:
        ModelMissingError: it is not here; the remedy says how to bring it.
        ModelError: it is here and cannot be used.
    """
    if threads is not None and threads < 1:
        raise ModelError(f"threads must be at least 1, got {threads}")
    place = find_captioner(model)
    check_whole(place.folder)
    if read_json(place.folder, "config.json").get("model_type") == FLORENCE:
        from vision.florence.captioner import Florence2Captioner  # noqa: PLC0415 (torch takes seconds)

        return Florence2Captioner(
            place.folder, name=place.name, revision=place.revision, threads=threads, precision=precision
        )
    from vision.grounding.kosmos2 import Kosmos2Captioner  # noqa: PLC0415 (as above)

    preset = CAPTIONERS.get(model)
    return Kosmos2Captioner(
        place.folder,
        name=place.name,
        revision=place.revision,
        languages=preset.languages if preset else None,
        threads=threads,
        precision=precision,
    )


def find_captioner(model: str) -> hub.ModelPlace:
    """Find where a captioner lies without loading it; arguments and errors as for `load_captioner`."""
    preset = CAPTIONERS.get(model)
    if preset is not None and preset.package:
        return hub.ModelPlace(installed_folder(preset.name, preset.package, preset.folder), preset.name, None)
    if preset is not None:
        return hub.find(preset.hub_id, name=preset.name, pinned=preset.revision, kind=CAPTIONER)
    folder, kind = folder_named(model)
    if kind == "folder":
        return hub.place_of_folder(folder.resolve())
    if hub.looks_like_hub_id(model) and kind == "nothing":
        return hub.find(model, name=model, pinned=None, kind=CAPTIONER)
    raise no_such_model(model, CAPTIONER, is_file=kind == "file")
