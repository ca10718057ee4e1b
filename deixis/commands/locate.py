"""`deixis models locate`: say once where a model lies that was brought by hand or moved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.options import DatabaseUrl, Home, complete_model
from deixis.output import out
from search.errors import LibraryEmptyError, SettingsError
from vision.errors import ModelMissingError

LIBRARY = "library"
"""The name that means the library's own encoder, whatever it is called."""


def locate(
    name: Annotated[
        str,
        typer.Argument(
            help="A preset, owner/name of a hub repository, or `library` for the library's own encoder.",
            autocompletion=complete_model,
        ),
    ],
    folder: Annotated[Path | None, typer.Argument(help="The folder that holds it now.", show_default=False)] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Let a name be looked for as before.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """Remember where a model lies: a preset's, or that of the library's own encoder.

    A preset's folder is kept in the user's configuration folder and serves every library. The folder of a library's
    encoder is kept in the library, after the encoder there was loaded and proved to be the one that made its vectors.
    """
    from vision.located import forget_folder, remember_folder  # noqa: PLC0415  # not for `models list`

    if forget:
        said = forget_folder(name)
        out().print(f"{name} is looked for as before" if said else f"no folder was remembered for {name}")
        return exit_codes.OK
    if folder is None:
        raise SettingsError("which folder?", remedy=f"For example: deixis models locate {name} /data/models/{name}")
    place = folder.expanduser().absolute()
    if not place.is_dir():
        raise ModelMissingError(f"{folder}: no such folder", remedy="Give the folder that holds config.json.")
    own_name = _name_of_own_encoder(home, database_url)
    remembered = False
    if _is_name_of_models(name):
        _check_files(name, place)
        remember_folder(name, place.resolve())
        out().print(f"{name} lies in {place}; every command looks there from now on")
        remembered = True
    if name in (LIBRARY, own_name):
        _move_own_encoder(place, home, database_url)
    elif not remembered:
        raise ModelMissingError(
            f"{name} is no preset, no hub repository and not the library's encoder",
            remedy=f"Name one of `deixis models list`, or `{LIBRARY}` for "
            + (f"the library's {own_name}." if own_name else "the encoder of a library."),
        )
    return exit_codes.OK


def _is_name_of_models(name: str) -> bool:
    from vision.encoders.builtin import BUILT_IN  # noqa: PLC0415  # as above
    from vision.encoders.hub import looks_like_hub_id  # noqa: PLC0415  # as above
    from vision.model_names import kind_of_preset  # noqa: PLC0415  # as above

    comes_with_us = name == "colour" or name in BUILT_IN or name.startswith("storybook-")
    return not comes_with_us and (kind_of_preset(name) is not None or looks_like_hub_id(name))


def _check_files(name: str, folder: Path) -> None:
    """Refuse a folder that cannot hold the named kind of model, before it is remembered."""
    from vision.encoders.folders import read_json  # noqa: PLC0415  # as above
    from vision.model_files import check_whole  # noqa: PLC0415  # as above
    from vision.model_kinds import CAPTIONER, ENCODER, TRANSLATOR  # noqa: PLC0415  # as above
    from vision.model_names import kind_of_preset  # noqa: PLC0415  # as above

    check_whole(folder)
    said = str(read_json(folder, "config.json").get("model_type"))
    kinds = {"kosmos-2": CAPTIONER, "florence2": CAPTIONER, "m2m_100": TRANSLATOR}
    wanted = kind_of_preset(name)
    found = kinds.get(said, ENCODER)
    if wanted is not None and found != wanted:
        raise ModelMissingError(
            f"{folder}: config.json says {said!r}, which is of the {found.name}s, and {name} is of the {wanted.name}s",
            remedy=f"Give the folder of {name}.",
        )
    if not any([*folder.glob("*.safetensors"), *(folder / "onnx").glob("*.onnx"), *folder.glob("*/*.onnx")]):
        raise ModelMissingError(f"{folder}: the weights are missing", remedy="Copy the model's whole folder.")


def _name_of_own_encoder(home: Path | None, database_url: str | None) -> str | None:
    from deixis.context import open_library, read_settings  # noqa: PLC0415  # as above
    from search.encoder import active_row  # noqa: PLC0415  # as above

    try:
        with open_library(read_settings(home=home, database_url=database_url)) as library:
            active = active_row(library)
            return active.name if active is not None else None
    except LibraryEmptyError:
        return None


def _move_own_encoder(folder: Path, home: Path | None, database_url: str | None) -> None:
    from deixis.context import open_library, read_settings  # noqa: PLC0415  # as above
    from search.encoder import move_own_encoder  # noqa: PLC0415  # as above

    settings = read_settings(home=home, database_url=database_url)
    with open_library(settings) as library:
        name = move_own_encoder(library, folder, threads=settings.compute_threads)
    out().print(f"the library in {settings.home} finds its encoder {name} in {folder} from now on")
