"""Where models lie that were brought by hand or moved, as a person has told us; kept in the user's own folder."""

from __future__ import annotations

import json
from pathlib import Path

import platformdirs

from vision.errors import ModelError, ModelMissingError
from vision.whole_files import write_whole


def located_folder(name: str) -> Path | None:
    """The folder that was named for a model; None where nobody has named one.

    Raises:
        ModelMissingError: it is not there any more.
        ModelError: the file that remembers it is damaged.
    """
    said = _read().get(name)
    if said is None:
        return None
    folder = Path(said)
    if not folder.is_dir():
        raise ModelMissingError(
            f"{name} was said to lie in {folder}, and is not there any more",
            remedy=f"Say where it lies now: deixis models locate {name} FOLDER\n"
            f"Or let it be looked for as before: deixis models locate {name} --forget",
        )
    return folder


def remember_folder(name: str, folder: Path) -> None:
    """Let a name lead to this folder from now on.

    Raises:
        ModelError: it cannot be written down.
    """
    _write(_read() | {name: str(folder)})


def forget_folder(name: str) -> bool:
    """Let a name be looked for as before; returns whether a folder was remembered.

    Raises:
        ModelError: it cannot be written down.
    """
    known = _read()
    if known.pop(name, None) is None:
        return False
    _write(known)
    return True


def _file() -> Path:
    return Path(platformdirs.user_config_dir("deixis", appauthor=False)) / "models.json"


def _read() -> dict[str, str]:
    path = _file()
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", remedy="Mend it, or delete it and locate anew.") from error
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        raise ModelError(f"{path} does not hold names and folders", remedy="Delete it and locate the models anew.")
    return known


def _write(known: dict[str, str]) -> None:
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(known, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise ModelError(
            f"{path} cannot be written: {error.strerror}", remedy="Make its folder writable; XDG_CONFIG_HOME moves it."
        ) from error
