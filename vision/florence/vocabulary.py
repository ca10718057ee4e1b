"""Florence-2's tokenizer: prompts to ids, ids to words, and the ids of everything that is not a word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vision.encoders.tokenizing import open_tokenizer
from vision.errors import ModelError
from vision.florence.locations import BINS
from vision.florence.prompts import written_location
from vision.grounding.errors import PromptError
from vision.grounding.prompts import readable

_OTHER_MODEL = "The tokenizer and the weights belong to different models; fetch both again."


class Vocabulary:
    """Reads and writes the token ids of one model folder. Safe to call from several threads.

    Args:
        folder: the model folder.
        config: its `text_config`.

    Raises:
        ModelMissingError: no `tokenizer.json`.
        ModelError: the tokenizer cannot be loaded, a location is not one token of it, or its ids are not those of the
            weights.

    Attributes:
        begin: id of `<s>`.
        end: id of `</s>`, which also stands before an answer.
        pad: id of `<pad>`.
        size: ids that the tokenizer knows.
        first_location: id of `<loc_0>`; the others follow.
    """

    def __init__(self, folder: Path, config: Any) -> None:
        self._tokenizer = open_tokenizer(folder)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._added = frozenset(self._tokenizer.get_added_tokens_decoder())
        self.size = self._tokenizer.get_vocab_size()
        self.begin, self.end, self.pad = (self._id_of(token, folder) for token in ("<s>", "</s>", "<pad>"))
        self.first_location = self._id_of(written_location(0), folder)
        if self._id_of(written_location(BINS - 1), folder) != self.first_location + BINS - 1:
            raise ModelError(f"{folder}: the {BINS} locations do not follow each other in the tokenizer")
        if int(config.vocab_size) < self.size:
            raise ModelError(
                f"{folder}: the tokenizer knows {self.size} tokens, the weights {config.vocab_size}",
                remedy=_OTHER_MODEL,
            )
        own = (self.begin, self.end, self.pad, self.end)
        weights = (config.bos_token_id, config.eos_token_id, config.pad_token_id, config.decoder_start_token_id)
        if own != weights:
            raise ModelError(
                f"{folder}: <s>, </s>, <pad> and the start of an answer are {own} in the tokenizer, {weights} in the "
                "weights",
                remedy=_OTHER_MODEL,
            )

    def ids(self, text: str) -> tuple[int, ...]:
        """Ids of words of our own, in which a location is one token."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def words_of(self, text: str) -> tuple[int, ...]:
        """Ids of a text that the model wrote; what spells a tag or a location is left out."""
        return tuple(token for token in self.ids(text) if token not in self._added)

    def checked(self, text: str, what: str) -> str:
        """Foreign text, made ready to stand in a prompt: blanks collapsed, nothing in it that the model obeys.

        Other angle brackets pass: `a < b` and `<br>` are words to the model.

        Args:
            text: what somebody wrote.
            what: what it is, for the message: `phrase`, `text` …

        Raises:
            PromptError: nothing but blanks and control characters, or a token such as `<loc_5>` or `</s>`.
        """
        plain = readable(text, what)
        reserved = next((token for token in self.ids(plain) if token in self._added), None)
        if reserved is not None:
            raise PromptError(
                f"the {what} holds {self._tokenizer.id_to_token(reserved)}, which the model would obey instead of read",
                remedy="Leave that word out.",
            )
        return plain

    def is_location(self, token: int) -> bool:
        """Whether an id is one of the bins."""
        return self.first_location <= token < self.first_location + BINS

    def is_word(self, token: int) -> bool:
        """Whether an id writes characters: no tag, location or control, and none that only the weights have."""
        return token < self.size and token not in self._added

    def words(self) -> list[int]:
        """Ids that write characters."""
        return [token for token in range(self.size) if self.is_word(token)]

    def text(self, words: Sequence[int]) -> str:
        """What ids of words spell, blanks included; bytes that make no character become U+FFFD."""
        return str(self._tokenizer.decode(list(words), skip_special_tokens=False))

    def _id_of(self, token: str, folder: Path) -> int:
        index = self._tokenizer.token_to_id(token)
        if index is None:
            raise ModelError(
                f"{folder}: {token} is not one token of the tokenizer",
                remedy="This is no Florence-2, or its tokenizer files belong to another model.",
            )
        return int(index)
