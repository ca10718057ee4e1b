"""Weights of the transformers library from a folder on this machine: safetensors only, whole, in evaluation mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from vision.errors import ModelError, ModelMissingError

_TOKENIZER_SETS = (
    ("tokenizer.json",),
    ("vocab.json", "merges.txt"),
    ("spiece.model",),
    ("tokenizer.model",),
    ("sentencepiece.bpe.model",),
)


def check_files(folder: Path) -> None:
    """Refuse a folder whose weights or tokenizer are missing, or pickled.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the only weights are pickles.
    """
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern))
        if pickles:
            raise ModelError(
                f"{folder}: only pickled weights ({', '.join(pickles)}), which are refused: loading one runs its code",
                remedy="Bring model.safetensors; the hub converts most models under a revision of their own.",
            )
        raise ModelMissingError(f"{folder}: model.safetensors is missing", remedy="Copy the model's whole folder.")
    if not any(all((folder / name).is_file() for name in names) for names in _TOKENIZER_SETS):
        raise ModelMissingError(
            f"{folder}: tokenizer.json is missing", remedy="Copy the model's whole folder, not the weights alone."
        )


def load_pretrained(model_class: Any, folder: Path, *, dtype: torch.dtype = torch.float32) -> Any:
    """Load a folder's weights into a class of the library; never the network, never foreign code.

    Raises:
        ModelError: the weights cannot be read, or some are missing or of another shape.
    """
    transformers_logging.disable_progress_bar()  # a library does not draw on its caller's terminal
    try:
        model, report = model_class.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=dtype,
            output_loading_info=True,
        )
    except Exception as error:  # safetensors, JSON, shape and file errors share no base class
        raise ModelError(
            f"{folder}: the weights cannot be loaded: {error}", remedy="Fetch the weights again."
        ) from error
    # What is missing would be drawn at random, and every answer would be noise.
    absent = sorted([*report["missing_keys"], *(str(key) for key in report["mismatched_keys"])])
    if absent:
        raise ModelError(
            f"{folder}: {len(absent)} weights are missing or of another shape, first {absent[0]}",
            remedy="config.json and the weights belong to different models; fetch both again.",
        )
    return model.eval()
