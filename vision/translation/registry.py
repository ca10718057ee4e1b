"""From what a user calls a translator to one in memory: preset, folder or hub name; never the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision.encoders import hub
from vision.encoders.folders import folder_named
from vision.errors import ModelError
from vision.model_files import check_whole
from vision.model_kinds import TRANSLATOR
from vision.model_names import no_such_model
from vision.translation.presets import TRANSLATORS

if TYPE_CHECKING:
    from vision.translation.base import Translator


def load_translator(model: str, *, threads: int | None = None) -> Translator:
    """Load a translator from this machine.

    Args:
        model: a preset's name, a folder, or `owner/name` of a hub repository that is already in the local cache.
        threads: CPU cores for the model; None for every core that this process may use.

    Raises:
        ModelMissingError: it is not here; the remedy says how to bring it.
        ModelError: it is here and cannot be used.
    """
    if threads is not None and threads < 1:
        raise ModelError(f"threads must be at least 1, got {threads}")
    place = find_translator(model)
    check_whole(place.folder)
    from vision.translation.m2m100 import M2M100Translator  # noqa: PLC0415 (torch takes seconds)

    return M2M100Translator(place.folder, name=place.name, revision=place.revision, threads=threads)


def find_translator(model: str) -> hub.ModelPlace:
    """Find where a translator lies without loading it; arguments and errors as for `load_translator`."""
    preset = TRANSLATORS.get(model)
    if preset is not None:
        return hub.find(preset.hub_id, name=preset.name, pinned=preset.revision, kind=TRANSLATOR)
    folder, kind = folder_named(model)
    if kind == "folder":
        return hub.place_of_folder(folder.resolve())
    if hub.looks_like_hub_id(model) and kind == "nothing":
        return hub.find(model, name=model, pinned=None, kind=TRANSLATOR)
    raise no_such_model(model, TRANSLATOR, is_file=kind == "file")
