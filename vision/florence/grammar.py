"""Well-formed answers of Florence-2: which tokens may come next so that every box is a box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import torch
from torch import Tensor

from vision.florence.locations import BINS, CORNERS
from vision.florence.vocabulary import Vocabulary

# As the model's authors decode: without it a greedy caption may repeat itself to the end.
_NEVER_TWICE = 3


class Form(Enum):
    """What an answer may hold."""

    ANYTHING = auto()
    WORDS = auto()
    DESCRIPTION = auto()
    """Words, then locations: the model repeats the box that it was asked about, and there the answer stops."""
    PHRASES = auto()
    """Phrases, each with its boxes."""
    BOXES = auto()
    """The boxes of the phrase that the answer opens with, at least one."""


class _Words(Enum):
    NONE = auto()
    ANY = auto()
    VISIBLE = auto()


@dataclass(frozen=True, slots=True)
class State:
    """How far one answer has come.

    Attributes:
        form: what it may hold.
        opening: tokens that still have to come first.
        tokens_left: how many more it may have, the opening included.
        boxes_left: how many more boxes.
        phrase_boxes_left: how many more boxes of this phrase.
        named: words of a phrase stand before the next token, or the boxes of one.
        boxed: a box of that phrase does.
        corners: bins of the box that is being written.
        words: all tokens so far, of forms that are words.
    """

    form: Form
    opening: tuple[int, ...]
    tokens_left: int
    boxes_left: int
    phrase_boxes_left: int
    named: bool = False
    boxed: bool = False
    corners: tuple[int, ...] = ()
    words: tuple[int, ...] = ()


class AnswerGrammar:
    """A machine over the tokens of one vocabulary. An answer that is cut ends behind a whole box or word.

    Args:
        vocabulary: whose ids.
        size: width of the model's logits, which may exceed the vocabulary.
        max_boxes_per_phrase: boxes behind one phrase.
        device: where masks are made.
    """

    def __init__(
        self, vocabulary: Vocabulary, *, size: int, max_boxes_per_phrase: int, device: torch.device | str = "cpu"
    ) -> None:
        self._vocabulary = vocabulary
        self._size = size
        self._per_phrase = max_boxes_per_phrase
        self._device = device
        words = vocabulary.words()
        self._words = {
            _Words.NONE: self._mask(()),
            _Words.ANY: self._mask(words),
            _Words.VISIBLE: self._mask(token for token in words if vocabulary.text([token]).strip()),
        }
        # The last bin is no left or upper edge: nothing lies beyond it.
        self._first_corner = self._locations(0, BINS - 1)
        self._masks: dict[tuple[_Words, bool, bool], Tensor] = {}

    def start(self, form: Form, *, tokens: int, boxes: int, opening: tuple[int, ...] = ()) -> State:
        """The state before an answer.

        Args:
            form: what it may hold.
            tokens: its length at most, the opening included.
            boxes: its boxes at most.
            opening: what it has to begin with.
        """
        return State(form, opening, tokens, boxes, self._per_phrase)

    def advance(self, state: State, token: int) -> State:
        """The state after one more token."""
        left = replace(state, tokens_left=state.tokens_left - 1)
        if state.opening:
            return replace(left, opening=state.opening[1:], named=True)
        if state.form in (Form.WORDS, Form.DESCRIPTION):
            return replace(left, words=(*state.words, token))
        if not self._vocabulary.is_location(token):
            fresh = state.boxed or not state.named
            of_phrase = self._per_phrase if fresh else state.phrase_boxes_left
            return replace(left, named=True, boxed=False, phrase_boxes_left=of_phrase)
        corners = (*state.corners, token - self._vocabulary.first_location)
        if len(corners) < CORNERS:
            return replace(left, corners=corners)
        boxes, of_phrase = state.boxes_left - 1, state.phrase_boxes_left - 1
        return replace(left, corners=(), boxed=True, boxes_left=boxes, phrase_boxes_left=of_phrase)

    def allowed(self, states: Sequence[State]) -> Tensor:
        """Which tokens may come next: `(len(states), size)` bool; at least one in every row."""
        return torch.stack([self._row(state) for state in states])

    def _row(self, state: State) -> Tensor:
        if state.opening:
            return self._mask(state.opening[:1])
        if state.form is Form.ANYTHING:
            return torch.ones(self._size, dtype=torch.bool, device=self._device)
        if state.form in (Form.WORDS, Form.DESCRIPTION):
            mask = self._choice(_Words.ANY, locations=state.form is Form.DESCRIPTION, end=True)
            banned = _third_of_a_repetition(state.words)
            if banned:
                mask = mask.clone()
                mask[list(banned)] = False
            return mask
        return self._next_of_a_phrase(state)

    def _next_of_a_phrase(self, state: State) -> Tensor:
        written = len(state.corners)
        if written >= CORNERS // 2:
            return self._locations(state.corners[written - CORNERS // 2] + 1, BINS)
        if written:
            return self._first_corner
        room = state.boxes_left > 0 and state.tokens_left >= CORNERS
        may_point = room and state.named and state.phrase_boxes_left > 0
        if may_point and not state.boxed and (state.form is Form.BOXES or state.tokens_left == CORNERS):
            return self._first_corner
        if state.form is Form.BOXES:
            return self._choice(_Words.NONE, locations=may_point, end=True)
        if state.named and not state.boxed:
            return self._choice(_Words.ANY, locations=may_point, end=not may_point)
        more = state.boxes_left > 0 and state.tokens_left > CORNERS
        return self._choice(_Words.VISIBLE if more else _Words.NONE, locations=may_point, end=True)

    def _choice(self, words: _Words, *, locations: bool, end: bool) -> Tensor:
        key = (words, locations, end)
        if key not in self._masks:
            mask = self._words[words].clone()
            if locations:
                mask |= self._first_corner
            mask[self._vocabulary.end] = end
            self._masks[key] = mask
        return self._masks[key]

    def _locations(self, first: int, stop: int) -> Tensor:
        mask = self._mask(())
        mask[self._vocabulary.first_location + first : self._vocabulary.first_location + stop] = True
        return mask

    def _mask(self, tokens: Iterable[int]) -> Tensor:
        mask = torch.zeros(self._size, dtype=torch.bool, device=self._device)
        mask[list(tokens)] = True
        return mask


def _third_of_a_repetition(tokens: Sequence[int]) -> set[int]:
    """The tokens that would make three in a row that were there before."""
    before = _NEVER_TWICE - 1
    last = tuple(tokens[-before:])
    return {tokens[at + before] for at in range(len(tokens) - before) if tuple(tokens[at : at + before]) == last}
