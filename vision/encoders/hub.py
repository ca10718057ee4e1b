"""Models of the Hugging Face hub: where they lie on this machine, which commit is ours, and the one download."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import constants

from vision.encoders.backends import parse_backend
from vision.encoders.folders import PREPROCESSING_FILES, TOKENIZER_FILES
from vision.errors import ModelError, ModelMissingError
from vision.located import located_folder
from vision.model_kinds import ENCODER, ModelKind
from vision.whole_files import write_whole

Progress = Callable[[int, int], None]
"""Called with the bytes so far and the bytes in total as far as known; the total grows while files are listed."""

# The cache keeps a file per branch or tag under refs/, holding a commit. Ours is a ref that no other program moves.
_OUR_REF = "deixis"
_ANSWER_WITHIN_S = 10.0
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SMALL_FILES = ("config.json", *PREPROCESSING_FILES, *TOKENIZER_FILES)
# Names at the top of the repository only; pickles (.bin, .pt) and code (.py) are never asked for.
_WEIGHTS = ("model.safetensors", "model-?????-of-?????.safetensors", "model.safetensors.index.json")


# What shows that a download got as far as its weights, also one by another program: a backend judges the kind.
_ANY_WEIGHTS = ("*.safetensors", "*.bin", "onnx/*.onnx")


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """A model on this machine.

    Attributes:
        folder: where its files are.
        name: what to call it.
        revision: the hub commit; None for a folder that is no hub snapshot.
    """

    folder: Path
    name: str
    revision: str | None


def looks_like_hub_id(model: str) -> bool:
    """Whether the text has the form `owner/name`."""
    return _HUB_ID.fullmatch(model) is not None


def place_of_folder(folder: Path) -> ModelPlace:
    """Name a folder: a snapshot inside a hub cache is known by its repository and commit, any other by its own name."""
    if _COMMIT.fullmatch(folder.name) and folder.parent.name == "snapshots":
        owner_and_name = folder.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
        return ModelPlace(folder, owner_and_name, folder.name)
    return ModelPlace(folder, folder.name, None)


def find(hub_id: str, *, name: str, pinned: str | None, kind: ModelKind = ENCODER) -> ModelPlace:
    """Find a hub model on this machine; never the network.

    A folder that a person has located goes first. In the local cache it is the commit that `pull` recorded, else the
    pinned one, else the only one.

    Args:
        hub_id: `owner/name`.
        name: what to call the result.
        pinned: the commit that a preset names; None for any other repository.
        kind: what it is to be, for the message when it is not here.

    Raises:
        ModelMissingError: the located folder is gone, or the cache does not hold that commit, or not all of it; the
            message says which it holds.
        ModelError: the cache holds several commits and nothing says which is meant.
    """
    said = located_folder(name)
    if said is not None:
        return ModelPlace(said, name, place_of_folder(said).revision)
    home = _repository_folder(hub_id)
    there = sorted(path.name for path in (home / "snapshots").glob("*") if _COMMIT.fullmatch(path.name))
    commit = _recorded_commit(home) or pinned
    if commit is None and len(there) > 1:
        raise ModelError(
            f"{hub_id}: the cache holds the revisions {', '.join(there)}",
            remedy=f"Say which one: deixis models pull {hub_id} --revision COMMIT",
        )
    commit = commit or (there[0] if there else None)
    if commit is None or commit not in there:
        other = f"; the cache holds only {', '.join(there)}" if there else ""
        at = f" at revision {commit}" if commit else ""
        raise ModelMissingError(
            f"{name} ({hub_id}{at}) is not on this machine{other}", remedy=how_to_bring(name, hub_id, commit, kind)
        )
    folder = home / "snapshots" / commit
    # The cache shows a file only when all of it has come, so an interrupted download lacks its weights.
    if not any(found for pattern in _ANY_WEIGHTS for found in folder.glob(pattern)):
        raise ModelMissingError(
            f"{name} ({hub_id} at revision {commit}): the download is not complete",
            remedy=how_to_bring(name, hub_id, commit, kind),
        )
    return ModelPlace(folder, name, commit)


def pull(
    hub_id: str,
    *,
    name: str,
    revision: str,
    backend: str = "transformers",
    progress: Progress | None = None,
    kind: ModelKind = ENCODER,
) -> ModelPlace:
    """Download a model into the hub cache and record its commit, so that `find` uses exactly that one from now on.

    This is the only function of the project that reaches for the network. Only configuration, tokenizer, preprocessing
    and weights come: safetensors for `transformers`, graphs for `onnx`; never pickles, never code.

    Args:
        hub_id: `owner/name`.
        name: what to call the result.
        revision: a commit, or a branch or tag that is resolved to a commit now.
        backend: whose weights to fetch, as `load_encoder` names it.
        progress: called while bytes arrive, from several threads.
        kind: what it is, for the message when it cannot be had.

    Raises:
        ModelMissingError: the hub cannot be reached, or has no such repository or revision.
        ModelError: the repository holds no weights of a kind that we load.
    """
    weights = _weight_patterns(backend)
    if not looks_like_hub_id(hub_id):
        raise ModelMissingError(f"{hub_id} is not a name of the hub", remedy="Expected a preset or owner/name.")
    try:
        folder = _fetch(hub_id, revision, [*_SMALL_FILES, *weights], progress)
    except Exception as error:  # HTTP libraries differ between versions of the hub's client and share no base class
        commit = revision if _COMMIT.fullmatch(revision) else None
        raise ModelMissingError(
            f"{name} ({hub_id} at revision {revision}) cannot be downloaded: {_first_line(error)}",
            remedy=how_to_bring(name, hub_id, commit, kind),
        ) from error
    if not any(found for pattern in weights for found in folder.glob(pattern) if found.suffix != ".json"):
        raise ModelError(
            f"{hub_id} at revision {folder.name} has none of {', '.join(weights)}",
            remedy="Pickled weights are refused because loading one runs its code. Choose a revision with safetensors.",
        )
    _record_commit(_repository_folder(hub_id), folder.name)
    return ModelPlace(folder, name, folder.name)


def how_to_bring(name: str, hub_id: str, commit: str | None = None, kind: ModelKind = ENCODER) -> str:
    """Say how to get a model of a kind with and without network, in commands that can be pasted."""
    at = f"/tree/{commit}" if commit else ""
    revision = f" --revision {commit}" if commit else ""
    target = name.rpartition("/")[2]
    return (
        f"With network: deixis models pull {name}\n"
        f"Without: on another machine run  hf download {hub_id}{revision} --local-dir {target}\n"
        f"or open {constants.ENDPOINT}/{hub_id}{at} and save {', '.join(kind.needed)} and, where they exist, "
        f"{', '.join(kind.optional)} into one folder; copy it here, and say once where it is:\n"
        f"  deixis models locate {name} FOLDER\n"
        f"or use it without: {kind.command} FOLDER"
    )


def _fetch(hub_id: str, revision: str, patterns: list[str], progress: Progress | None) -> Path:
    # Only here, because the hub's client takes 0.4 s to import and this is the only function that reaches the network.
    from huggingface_hub import HfApi, snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    cached = _repository_folder(hub_id) / "snapshots" / revision
    try:
        # One question with a deadline first: the download itself would try for half a minute before it gave up.
        commit = HfApi().model_info(hub_id, revision=revision, timeout=_ANSWER_WITHIN_S).sha
    except HfHubHTTPError:
        raise  # the hub answered, and its answer is no
    except Exception:
        if not cached.is_dir():
            raise
        # Unreachable, but the very commit that is asked for is here; the client checks that it is complete.
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=patterns, local_files_only=True))
    return Path(snapshot_download(hub_id, revision=commit, allow_patterns=patterns, tqdm_class=_reporting_to(progress)))


def _weight_patterns(backend: str) -> tuple[str, ...]:
    chosen = parse_backend(backend)
    if chosen.kind == "transformers":
        return _WEIGHTS
    # OpenVINO reads the full-precision graphs, whatever it computes in.
    suffix = f"_{chosen.variant}" if chosen.variant and chosen.kind == "onnx" else ""
    graphs = tuple(f"onnx/{tower}_model{suffix}.onnx" for tower in ("vision", "text"))
    return (*graphs, *(f"{graph}_data" for graph in graphs))


def _repository_folder(hub_id: str) -> Path:
    return Path(constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"


def _recorded_commit(home: Path) -> str | None:
    try:
        commit = (home / "refs" / _OUR_REF).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return commit if _COMMIT.fullmatch(commit) else None


def _record_commit(home: Path, commit: str) -> None:
    ref = home / "refs" / _OUR_REF
    try:
        ref.parent.mkdir(parents=True, exist_ok=True)
        write_whole(ref, commit)
    except OSError as error:
        raise ModelError(
            f"{ref}: the revision cannot be recorded: {error}", remedy="Make the cache writable."
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]


def _reporting_to(progress: Progress | None) -> type[Any]:
    from huggingface_hub.utils.tqdm import tqdm as hub_tqdm  # noqa: PLC0415  # as above

    class Reporter(hub_tqdm):
        """The hub's own bar, silent, whose byte counts go to our callback."""

        def __init__(self, *args: Any, **options: Any) -> None:
            self._counts_bytes = options.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]  # tqdm is untyped
            # A disabled bar keeps no count of its own.
            self._done = 0

        def update(self, n: float | None = 1) -> bool | None:
            self._done += int(n or 0)
            if progress is not None and self._counts_bytes:
                progress(self._done, int(self.total or 0))
            return None

    return Reporter
