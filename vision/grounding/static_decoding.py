"""Decode steps in buffers that neither move nor grow, so that a CUDA graph replays a step as one launch."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from vision.batching import is_out_of_memory
from vision.grounding.key_values import KeyValues, RoomLayer, empty_buffers
from vision.grounding.language import Context, Reader
from vision.grounding.networks import Network
from vision.grounding.vocabulary import Vocabulary

_LOG = logging.getLogger(__name__)
# Before a capture, so that libraries have chosen their kernels and taken their workspaces.
_WARM_UPS = 3
_ROOM_STEP = 64
# Columns read in vain cost more than buffers made anew once they are as many as the others.
_WIDEST = 2


class PlacedLayer(RoomLayer):
    """One layer's buffers, written where a number on the device says.

    Args:
        keys: `(batch, heads, room, width of a head)`.
        values: likewise.
        place: `(1,)` int64, where the next token goes.
    """

    def __init__(self, keys: Tensor, values: Tensor, place: Tensor) -> None:
        super().__init__(keys, values)
        self.place = place

    def get_seq_length(self) -> int:
        """A constant: the model asks only whether anything was read before."""
        return 1

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Put one token's keys and values, `(batch, heads, 1, width)`, in their place; returns the whole buffers."""
        return self.keys.index_copy_(2, self.place, key_states), self.values.index_copy_(2, self.place, value_states)


class StaticKeyValues(KeyValues):
    """Keys and values whose next place is a number on the device: a step is the same instructions every time.

    `length` is the host's own count, for whoever takes the rows out again.

    Args:
        buffers: keys and values of each layer, `(batch, heads, room, width of a head)`.

    Attributes:
        place: `(1,)` int64, where the next token goes.
    """

    def __init__(self, buffers: Sequence[tuple[Tensor, Tensor]]) -> None:
        self.place = torch.zeros(1, dtype=torch.int64, device=buffers[0][0].device)
        super().__init__(buffers)

    def first_rows(self, rows: int) -> StaticKeyValues:
        """The same buffers, seen as a smaller batch."""
        return StaticKeyValues(
            [(keys[:rows], values[:rows]) for keys, values in zip(self.keys, self.values, strict=True)]
        )

    def _layer(self, keys: Tensor, values: Tensor) -> RoomLayer:
        return PlacedLayer(keys, values, self.place)


class StaticStep:
    """One decode step of a fixed batch in a fixed room.

    Args:
        network: what computes.
        cache: its buffers.

    Attributes:
        ids: `(rows, 1)` int64, the tokens to read.
        mask: `(rows, room)` int64, 1 where a row may look.
        positions: `(rows, 1)` int64.
    """

    def __init__(self, network: Network, cache: StaticKeyValues) -> None:
        self._network = network
        self.cache = cache
        self.ids = torch.zeros(cache.rows, 1, dtype=torch.int64, device=network.device)
        self.mask = torch.zeros(cache.rows, cache.room, dtype=torch.int64, device=network.device)
        self.positions = torch.zeros_like(self.ids)
        # The table has two rows more than the context has tokens. A row that is done reads on with the others.
        self._last_position = int(network.config.text_config.max_position_embeddings) + 1
        self._logits = torch.empty(0)
        self._graph = self._captured() if network.device.type == "cuda" else None

    def load(self, context: Context) -> None:
        """Take over what rows have read so far; at most as many rows as the batch has."""
        rows, length = len(context.positions), context.cache.length
        ours, theirs = self.cache, context.cache
        for new, old in zip([*ours.keys, *ours.values], [*theirs.keys, *theirs.values], strict=True):
            new[:rows, :, :length] = old[:, :, :length]
        self.mask.zero_()
        self.mask[:rows, :length] = context.mask
        self.positions[:rows, 0] = context.positions
        ours.place.fill_(length)
        ours.length = length

    def run(self) -> Tensor:
        """Read `ids`; returns logits `(rows, vocabulary)` float32 that the next run overwrites."""
        if self._graph is None:
            return self.compute()
        self._graph.replay()
        return self._logits

    def compute(self) -> Tensor:
        """The step itself: no number of it is known to the host, so every run launches the same work."""
        self.mask.index_fill_(1, self.cache.place, 1)
        logits = self._network.read(self.ids, self.mask, self.positions, self.cache, keep=1)[:, -1]
        self.cache.place.add_(1)
        self.positions.add_(1).clamp_(max=self._last_position)
        return logits

    def _captured(self) -> torch.cuda.CUDAGraph | None:
        try:
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UPS):
                    self.compute()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self._logits = self.compute()
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            _LOG.warning("no CUDA graph of a decode step, so every step launches its kernels one by one: %s", error)
            return None
        return graph


class StaticReader(Reader):
    """A `Reader` whose steps run in one set of buffers, which one context at a time lives in.

    Batches are rounded up to a power of two, so that a few steps serve all of them. Threads take turns (`turn`): the
    buffers are shared, and so is the device.
    """

    leaving_share = 0.5

    def __init__(self, network: Network, vocabulary: Vocabulary) -> None:
        super().__init__(network, vocabulary)
        self.turn = threading.RLock()
        self._buffers: StaticKeyValues | None = None
        self._steps: dict[int, StaticStep] = {}
        self._tenant: weakref.ref[Context] | None = None

    def step(self, context: Context, tokens: Tensor) -> None:
        """Read one more token per row; see `Reader`."""
        rows = len(tokens)
        step = self._settled(context)
        step.ids[:rows, 0] = tokens
        logits = step.run()
        context.cache.length += 1
        context.mask = functional.pad(context.mask, (0, 1), value=1)
        context.positions = context.positions + 1
        context.logits = logits[:rows].clone()

    def _settled(self, context: Context) -> StaticStep:
        """The step in whose buffers a context now is; what was there moves out."""
        tenant = self._tenant() if self._tenant is not None else None
        if tenant is context:
            return self._steps[context.cache.rows]
        if tenant is not None:
            tenant.cache = tenant.cache.select(torch.arange(len(tenant.positions), device=self.device))
        rows = 1 << (len(context.positions) - 1).bit_length()
        room = -(-context.cache.room // _ROOM_STEP) * _ROOM_STEP
        buffers = self._buffers_for(rows, room, context.cache.keys[0])
        if rows not in self._steps:
            self._steps[rows] = StaticStep(self._network, buffers.first_rows(rows))
        step = self._steps[rows]
        step.load(context)
        context.cache = step.cache
        self._tenant = weakref.ref(context)
        return step

    def _buffers_for(self, rows: int, room: int, like: Tensor) -> StaticKeyValues:
        made = self._buffers
        if made is not None and rows <= made.rows and room <= made.room <= _WIDEST * room:
            return made
        # The old buffers go first: both may not fit.
        self._steps.clear()
        self._buffers = made = None
        shape = (rows, self._heads, room, self._head_width)
        self._buffers = StaticKeyValues(empty_buffers(self._layers, shape, like))
        return self._buffers


def reader_for(network: Network, vocabulary: Vocabulary) -> Reader:
    """The reader that is fastest on the network's device: steps are launch-bound on CUDA, and nowhere else."""
    return StaticReader(network, vocabulary) if network.device.type == "cuda" else Reader(network, vocabulary)
