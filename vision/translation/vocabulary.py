"""M2M100's tokens: text to ids and back, each with its place in the text.

The tokenizer of the transformers library keeps the current language as state, which two threads would change under each
other, knows no places, and obeys tags inside foreign text. Ids and pieces here are the same; text is only ever text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sentencepiece import SentencePieceProcessor
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

from vision.encoders.folders import read_json
from vision.errors import ModelError, ModelMissingError
from vision.types import Span

PIECES_FILE = "sentencepiece.bpe.model"
_BLANK = "▁"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as tokens.

    Attributes:
        ids: of its pieces, without the tokens that frame a sentence.
        spans: where each piece stands in the text; None for a piece of blanks alone.
    """

    ids: tuple[int, ...]
    spans: tuple[Span | None, ...]


class Vocabulary:
    """The tokens of one model folder.

    Attributes:
        languages: the codes that it knows, in the order of their ids.
        size: ids that mean something, 0 to `size - 1`.
        pad: fills up short rows.
        end: closes a sentence, and is the first token that the decoder reads.
        silent: ids that must never be written: frames, the unknown piece, languages.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: a file is damaged or of another model.
    """

    def __init__(self, folder: Path) -> None:
        self._ids = read_json(folder, "vocab.json")
        known = FAIRSEQ_LANGUAGE_CODES
        codes = read_json(folder, "tokenizer_config.json").get("language_codes", "m2m100")
        absent = [piece for piece in _SPECIAL if piece not in self._ids]
        if codes not in known or absent or sorted(self._ids.values()) != list(range(len(self._ids))):
            why = f"{', '.join(absent)} is missing" if absent else f"language codes {codes!r}, or ids with gaps"
            raise ModelError(
                f"{folder}: the tokenizer is not M2M100's: {why}",
                remedy="Fetch vocab.json and tokenizer_config.json again.",
            )
        self.languages: tuple[str, ...] = tuple(known[codes])
        self._pieces = {number: piece for piece, number in self._ids.items()}
        self._model = _load_pieces(folder)
        self._unknown = int(self._ids["<unk>"])
        self.pad = int(self._ids["<pad>"])
        self.end = int(self._ids["</s>"])
        self.size = len(self._ids) + len(self.languages)
        # The weights have rows behind `size` that stand for nothing; the caller knows how many.
        self.silent = (int(self._ids["<s>"]), self.pad, self._unknown, *range(len(self._ids), self.size))

    def language_id(self, language: str) -> int:
        """The token of a language that is one of `languages`."""
        return len(self._ids) + self.languages.index(language)

    def encode(self, text: str) -> Tokens:
        """Read a text; letters that no piece has become the unknown one."""
        # One letter for one letter, so that places stay: what cannot be encoded or printed is a blank.
        plain = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)
        found = self._model.encode(plain, return_type="offset_mapping")
        ids = tuple(int(self._ids.get(piece, self._unknown)) for piece in found["pieces"])
        return Tokens(ids, tuple(_visible(plain, start, end) for start, end in found["offsets"]))

    def decode(self, ids: Iterable[int]) -> tuple[str, Tokens]:
        """Write a text without outer blanks; frames, languages and the unknown piece are left out of it."""
        text, kept, places = "", [], []
        for number in ids:
            if number in self.silent or number == self.end or number >= self.size:
                continue
            letters = self._pieces[number].replace(_BLANK, " ")
            letters = letters if text else letters.lstrip()
            places.append((len(text), len(text) + len(letters)))
            kept.append(number)
            text += letters
        whole = text.rstrip()
        return whole, Tokens(tuple(kept), tuple(_visible(whole, start, end) for start, end in places))


def _visible(text: str, start: int, end: int) -> Span | None:
    """The span without its outer blanks; None where nothing else is in it."""
    letters = text[start:end]
    inner = letters.strip()
    if not inner:
        return None
    first = start + letters.index(inner)
    return Span(first, first + len(inner))


def _load_pieces(folder: Path) -> SentencePieceProcessor:
    path = folder / PIECES_FILE
    if not path.is_file():
        raise ModelMissingError(
            f"{folder}: {PIECES_FILE} is missing", remedy="Copy the model's whole folder, not the weights alone."
        )
    try:
        return SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}", remedy="Fetch this file again.") from error
