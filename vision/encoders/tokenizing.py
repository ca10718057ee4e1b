"""From words to token ids exactly as each model family was trained, and a check at load that it is so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vision.encoders.arrays import readable_texts
from vision.encoders.folders import read_json
from vision.errors import ModelError, ModelMissingError

TokenArrays: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Ids and attention mask of a batch, both `(n, length)` int64; the mask is 1 on text and 0 on padding."""

# Trained on lower-case text that is padded to full length and never masked: case and padding are part of the input.
UNMASKED_FAMILIES = ("siglip", "siglip2")
_FAMILY_CONTEXT = {"clip": 77, "siglip": 64, "siglip2": 64}
TRANSFORMERS_FAMILIES = tuple(_FAMILY_CONTEXT)
# A tokenizer without a limit of its own says 1e30.
_NO_LIMIT = 1_000_000


class GraphTokens:
    """Token ids for an ONNX text graph, by the folder's `tokenizer.json`. Safe to call from several threads.

    The length is the graph's own where it is fixed; otherwise the tokenizer's, and padding goes to the full length
    unless the tokenizer asks for the batch's longest text or the graph masks padding out.

    Args:
        folder: the model folder.
        fixed_length: the graph's sequence axis where it is a number; None where it is dynamic.
        masked: whether the graph reads an attention mask.

    Raises:
        ModelMissingError: no `tokenizer.json`.
        ModelError: the tokenizer cannot be read, has no padding token or no length, or fails its self-test.
    """

    def __init__(self, folder: Path, *, fixed_length: int | None, masked: bool) -> None:
        self._tokenizer = open_tokenizer(folder)
        self._unknown_id = _unknown_id(self._tokenizer)
        settings = read_json(folder, "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
        config = read_json(folder, "config.json") if (folder / "config.json").is_file() else {}
        unmasked_family = str(config.get("model_type")) in UNMASKED_FAMILIES
        padding = self._tokenizer.padding or {}
        self.context_length = fixed_length or _context_length(folder, config, settings, self._tokenizer)
        self._lower = unmasked_family
        self._pad_id = _pad_id(folder, padding, settings, self._tokenizer)
        asks_for_longest = padding.get("length") is None and bool(padding)
        to_full_length = fixed_length is not None or unmasked_family or not (masked or asks_for_longest)
        side = "right" if unmasked_family else str(padding.get("direction") or settings.get("padding_side") or "right")
        self._tokenizer.enable_truncation(self.context_length)
        self._tokenizer.enable_padding(
            direction=side,
            pad_id=self._pad_id,
            pad_token=self._tokenizer.id_to_token(self._pad_id),
            length=self.context_length if to_full_length else None,
        )
        pad = "max_length" if to_full_length else "longest"
        self.recipe = describe_recipe(lower=self._lower, pad=pad, length=self.context_length, side=side, masked=masked)
        check_tokens(
            self.encode,
            where=str(folder),
            context_length=self.context_length,
            ignores_case=self._lower,
            full_length=to_full_length,
        )

    def encode(self, texts: Sequence[str]) -> TokenArrays:
        """Tokenise texts in order; a text without any known token becomes padding alone."""
        plain = readable_texts(texts)
        encodings = self._tokenizer.encode_batch([text.lower() if self._lower else text for text in plain])
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        if ids.size == 0:  # no text had a token; graphs want at least one position
            return np.full((len(texts), 1), self._pad_id, np.int64), np.zeros((len(texts), 1), np.int64)
        return ids, mask

    def can_read(self, word: str) -> bool:
        """Whether none of the word's tokens is the one for everything unknown."""
        plain = readable_texts([word])[0]
        tokens = self._tokenizer.encode(plain.lower() if self._lower else plain, add_special_tokens=False)
        used = [token for token, counts in zip(tokens.ids, tokens.attention_mask, strict=True) if counts]
        return bool(used) and self._unknown_id not in used


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    """The token for everything that the vocabulary lacks; None where bytes stand for it."""
    model = json.loads(tokenizer.to_str())["model"]
    if model.get("byte_fallback"):
        return None
    if model.get("unk_id") is not None:
        return int(model["unk_id"])
    token = model.get("unk_token")
    return None if token is None else tokenizer.token_to_id(token)


def describe_recipe(*, lower: bool, pad: str, length: int, side: str, masked: bool) -> str:
    """Put a recipe into the words that `EncoderFacts.text_recipe` keeps: `lower|pad=max_length:64|right|ids`."""
    steps = ["lower"] if lower else []
    return "|".join([*steps, f"pad={pad}:{length}", side.lower(), "ids+mask" if masked else "ids"])


def check_tokens(
    encode: Callable[[Sequence[str]], TokenArrays],
    *,
    where: str,
    context_length: int,
    ignores_case: bool,
    full_length: bool,
) -> None:
    """Prove at load that the recipe does what the family was trained on, because a wrong one fails in silence.

    Raises:
        ModelError: upper case changes tokens though it must not, or a text is not padded or cut to the context length.
    """
    remedy = "Fetch tokenizer.json and tokenizer_config.json again; they belong to the weights."
    upper, lower = encode(["A Cat"])[0], encode(["a cat"])[0]
    if ignores_case and not np.array_equal(upper, lower):
        raise ModelError(
            f"{where}: the tokenizer tells 'A Cat' from 'a cat', but the model was trained without case", remedy=remedy
        )
    if full_length and upper.shape[1] != context_length:
        raise ModelError(
            f"{where}: the tokenizer pads to {upper.shape[1]} tokens, the model reads {context_length}", remedy=remedy
        )
    if np.array_equal(lower, encode(["two red dogs stand on a hill"])[0]):
        raise ModelError(f"{where}: the tokenizer gives different texts the same tokens", remedy=remedy)
    long = encode(["cat " * (context_length + 8)])[0]
    if long.shape[1] > context_length:
        raise ModelError(f"{where}: the tokenizer does not cut a text at {context_length} tokens", remedy=remedy)


def open_tokenizer(folder: Path) -> Tokenizer:
    """Read a folder's `tokenizer.json`.

    Raises:
        ModelMissingError: it is not there.
        ModelError: it is no tokenizer.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelMissingError(
            f"{folder}: tokenizer.json is missing", remedy="Copy the model's whole folder, not the weights alone."
        )
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust library raises plain Exception
        raise ModelError(f"{path}: cannot be read as a tokenizer: {error}", remedy="Fetch this file again.") from error


def _context_length(folder: Path, config: Mapping[str, Any], settings: Mapping[str, Any], tokenizer: Tokenizer) -> int:
    text_config = config.get("text_config") or {}
    limits = [
        settings.get("model_max_length"),
        text_config.get("max_position_embeddings"),
        (tokenizer.truncation or {}).get("max_length"),
        _FAMILY_CONTEXT.get(str(config.get("model_type"))),
    ]
    known = [int(limit) for limit in limits if limit is not None and 0 < limit < _NO_LIMIT]
    if not known:
        raise ModelError(
            f"{folder}: nothing says how many tokens the text model reads",
            remedy="Set model_max_length in tokenizer_config.json.",
        )
    return min(known)


def _pad_id(folder: Path, padding: Mapping[str, Any], settings: Mapping[str, Any], tokenizer: Tokenizer) -> int:
    token = settings.get("pad_token")
    content = token.get("content") if isinstance(token, Mapping) else token
    found = tokenizer.token_to_id(content) if content else padding.get("pad_id")
    if found is None:
        raise ModelError(
            f"{folder}: the padding token {content!r} is not in the vocabulary",
            remedy="Set pad_token in tokenizer_config.json to a token of tokenizer.json.",
        )
    return int(found)
