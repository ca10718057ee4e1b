"""The captioner's tokenizer: prompts to ids, ids to pieces, and the ids of everything that is not a word."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from vision.errors import ModelError
from vision.grounding.entities import Piece
from vision.grounding.locations import GRID
from vision.grounding.prompts import IMAGE, IMAGE_END, TAGS, written_location

_WORD_START = "▁"
_UNKNOWN = "\ufffd"


class Vocabulary:
    """Reads and writes the token ids of one model folder. Safe to call from several threads.

    Args:
        folder: the model folder.
        image_tokens: places between `<image>` and `</image>`.

    Raises:
        ModelError: the tokenizer cannot be loaded, or a tag or location is not one token of it.

    Attributes:
        tags: tag → id.
        first_location: id of `<patch_index_0000>`; the others follow.
        begin: id of `<s>`.
        end: id of `</s>`.
        pad: id of `<pad>`.
        size: ids that the tokenizer knows.
        prefix: `<s> <image> … </image>`, the ids that every prompt starts with.
        image_slots: where in `prefix` the picture stands.
    """

    def __init__(self, folder: Path, *, image_tokens: int) -> None:
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except Exception as error:  # its readers raise whatever their formats raise, down to Rust's own Exception
            raise ModelError(
                f"{folder}: the tokenizer cannot be loaded: {error}", remedy="Fetch its files again."
            ) from error
        self._lock = threading.Lock()
        self.size = len(self._tokenizer)
        self.begin = int(self._tokenizer.bos_token_id)
        self.end = int(self._tokenizer.eos_token_id)
        self.pad = int(self._tokenizer.pad_token_id)
        self._unknown = int(self._tokenizer.unk_token_id)
        self._added: dict[int, str] = {
            index: str(token) for index, token in self._tokenizer.added_tokens_decoder.items()
        }
        self.tags = {tag: self._id_of(tag, folder) for tag in TAGS}
        self.first_location = self._id_of(written_location(0), folder)
        if self._id_of(written_location(GRID * GRID - 1), folder) != self.first_location + GRID * GRID - 1:
            raise ModelError(f"{folder}: the {GRID * GRID} locations do not follow each other in the tokenizer")
        # The picture replaces these places, so any ids would do; these are the ones of the model's own processor.
        slots = range(self._unknown + 1, self._unknown + 1 + image_tokens)
        self.prefix = (self.begin, self.tags[IMAGE], *slots, self.tags[IMAGE_END])
        self.image_slots = slice(2, 2 + image_tokens)

    def prompt_ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Ids of prompts, or of texts that follow one; without the prefix and without an end."""
        if not texts:
            return []
        with self._lock:
            ids = self._tokenizer([text.strip() for text in texts], add_special_tokens=False)["input_ids"]
        return [tuple(row) for row in ids]

    def is_location(self, token: int) -> bool:
        """Whether an id is one of the grid's cells."""
        return self.first_location <= token < self.first_location + GRID * GRID

    def words(self) -> list[int]:
        """Ids that write characters: all but tags, locations and controls."""
        return [token for token in range(self.size) if token not in self._added and not self.is_location(token)]

    def pieces(self, ids: Sequence[int], log_probabilities: Sequence[float] | None = None) -> list[Piece]:
        """Turn ids into pieces; controls such as `</s>` become empty ones, and an unknown character `\ufffd`.

        Args:
            ids: what was written.
            log_probabilities: of each of them; None for a prompt.
        """
        known: Sequence[float | None] = log_probabilities if log_probabilities is not None else [None] * len(ids)
        return [self._piece(token, known) for token, known in zip(ids, known, strict=True)]

    def _piece(self, token: int, log_probability: float | None) -> Piece:
        if self.is_location(token):
            return Piece("", location=token - self.first_location, log_probability=log_probability)
        added = self._added.get(token)
        if token == self._unknown:
            return Piece(_UNKNOWN, log_probability=log_probability)
        if added is not None:
            return Piece(added if added in TAGS else "", tag=added in TAGS, log_probability=log_probability)
        written = self._tokenizer.convert_ids_to_tokens(token) if token < self.size else None
        return Piece((written or "").replace(_WORD_START, " "), log_probability=log_probability)

    def _id_of(self, token: str, folder: Path) -> int:
        index = self._tokenizer.convert_tokens_to_ids(token)
        if index is None or index == self._unknown:
            raise ModelError(
                f"{folder}: {token} is not one token of the tokenizer",
                remedy="This is no Kosmos-2, or its tokenizer files belong to another model.",
            )
        return int(index)
