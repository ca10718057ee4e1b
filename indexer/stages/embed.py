"""Embed: give decoded pictures their vectors, a batch at a time; one that the encoder fails on is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from indexer.hands import Hands, take_in_hand
from indexer.isolate import in_parts
from indexer.stages.write import Notes
from indexer.writer import DecodedFile, EmbeddedFile, Writer
from search.jobs.quarantine import Item

WORK = "pictures"
"""What is done here, for `indexer.hands`; also the lane of `index`."""

LeaveOut = Callable[[DecodedFile, str, str], None]


class EmbedStage:
    """Runs the encoder.

    Args:
        writer: holds the encoder, and knows what has a vector.
        leave_out: called with each picture that the encoder fails on, the code and the sentence that say why.
        hands: of the job that this is part of.
    """

    def __init__(self, writer: Writer, leave_out: LeaveOut, hands: Hands | None = None) -> None:
        self._writer = writer
        self._leave_out = leave_out
        self._hands = hands

    def run(self, batch: Sequence[DecodedFile] | Notes) -> list[EmbeddedFile] | Notes:
        """Embed a batch; notes pass through.

        Raises:
            Exception: whatever every picture would meet.
        """
        if isinstance(batch, Notes):
            return batch
        embedded: list[EmbeddedFile] = []

        def embed(some: Sequence[DecodedFile]) -> None:
            embedded.extend(self._writer.embed_pictures(some))

        def work(some: Sequence[DecodedFile]) -> None:
            in_parts(some, embed, self._leave_out, control=self._writer.check_pictures)

        take_in_hand(self._hands, WORK, batch, _item, work, self._leave_out)
        return embedded


def _item(file: DecodedFile) -> Item:
    return Item(file.picture.sha256, file.fact.path)
