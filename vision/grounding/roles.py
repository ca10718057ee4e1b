"""What a writer of answers needs from the model that reads and from the grammar that rules, whichever they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeAlias, TypeVar

from torch import Tensor

GrammarState: TypeAlias = Any
"""How far one answer has come; only the grammar that made it looks into it."""


class RowsInReading(Protocol):
    """Rows that are being read, and what comes next for each.

    Attributes:
        logits: `(n, vocabulary)` float32, for the next token.
    """

    logits: Tensor

    def select(self, rows: Tensor) -> Self:
        """The rows named, in that order, repeated or left out; the rows before are not used again."""


_Rows = TypeVar("_Rows", bound=RowsInReading)


class RowReader(Protocol[_Rows]):
    """Reads prompts behind pictures, and answers token by token."""

    @property
    def device(self) -> Any:
        """The `torch.device` where tensors have to be."""

    @property
    def leaving_share(self) -> float:
        """Rows that are done leave a batch once no more than this share of it is left."""

    def read(self, latents: Tensor, picture_of: Sequence[int], texts: Sequence[Sequence[int]], *, room: int) -> _Rows:
        """Read each prompt behind its picture, with room for that many tokens more."""

    def step(self, context: _Rows, tokens: Tensor) -> None:
        """Read one more token per row, `(n,)` int64, and update the rows in place."""


class Grammar(Protocol):
    """Which tokens may come next."""

    def advance(self, state: GrammarState, token: int) -> GrammarState:
        """The state after one more token."""

    def allowed(self, states: Sequence[GrammarState]) -> Tensor:
        """`(len(states), vocabulary)` bool; at least one in every row."""
