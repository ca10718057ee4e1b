"""Well-formed answers: which tokens may come next so that every tag is closed and every box is a box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import torch
from torch import Tensor

from vision.grounding.locations import GRID
from vision.grounding.prompts import NEXT_BOX, OBJECT, OBJECT_END, PHRASE, PHRASE_END
from vision.grounding.vocabulary import Vocabulary

# Tokens from `<object>` to `</object>` around one box, and the least that a located phrase takes behind `<phrase>`.
_OBJECT_TOKENS = 4
_PHRASE_TOKENS = 2 + _OBJECT_TOKENS


class _Words(Enum):
    """Which words a state allows."""

    NONE = auto()
    ANY = auto()
    VISIBLE = auto()


class Place(Enum):
    """Where in an answer the next token stands."""

    TEXT = auto()
    PHRASE_START = auto()
    PHRASE = auto()
    BEHIND_PHRASE = auto()
    FIRST_CORNER = auto()
    LAST_CORNER = auto()
    BEHIND_BOX = auto()


@dataclass(frozen=True, slots=True)
class State:
    """How far one answer has come.

    Attributes:
        place: where its next token stands.
        tokens_left: how many more it may have.
        boxes_left: how many more boxes.
        phrase_boxes_left: how many more boxes of this phrase.
        corner: cell of the box's upper left corner, inside a box.
        may_point: tags are allowed at all; an answer to a question has none.
        must_point: behind this phrase a box has to come.
    """

    place: Place
    tokens_left: int
    boxes_left: int
    phrase_boxes_left: int
    corner: int = 0
    may_point: bool = True
    must_point: bool = False


class BoxGrammar:
    """A machine over tokens that knows the tags of one vocabulary.

    Tags that are open when the tokens run out are closed in time, so a cut answer is well-formed too.

    Args:
        vocabulary: whose ids.
        size: width of the model's logits, which may exceed the vocabulary.
        max_boxes_per_phrase: boxes between one `<object>` and its end.
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
        self._blanks = frozenset(token for token in words if not vocabulary.pieces([token])[0].text.strip())
        self._word_masks = {
            _Words.NONE: self._mask(()),
            _Words.ANY: self._mask(words),
            _Words.VISIBLE: self._mask(token for token in words if token not in self._blanks),
        }
        self._cells = torch.arange(GRID * GRID, device=device)
        self._masks: dict[tuple[_Words, frozenset[int]], Tensor] = {}
        tags = vocabulary.tags
        self._phrase, self._phrase_end = tags[PHRASE], tags[PHRASE_END]
        self._object, self._object_end, self._next = tags[OBJECT], tags[OBJECT_END], tags[NEXT_BOX]
        self._behind_tag = {
            self._phrase: Place.PHRASE_START,
            self._phrase_end: Place.BEHIND_PHRASE,
            self._object: Place.FIRST_CORNER,
            self._next: Place.FIRST_CORNER,
            self._object_end: Place.TEXT,
        }

    def start(self, prompt: Iterable[int], *, tokens: int, boxes: int, points: bool) -> State:
        """The state behind a prompt; behind a phrase alone a box has to come.

        Args:
            prompt: its ids.
            tokens: length of the answer at most.
            boxes: its boxes at most.
            points: whether the answer may hold tags.
        """
        state = State(Place.TEXT, 1 << 30, 1 << 30, self._per_phrase, may_point=points)
        for token in prompt:
            state = self.advance(state, token)
        must_point = points and state.place is Place.BEHIND_PHRASE
        return replace(state, tokens_left=tokens, boxes_left=boxes, must_point=must_point)

    def advance(self, state: State, token: int) -> State:
        """The state after one more token."""
        left = replace(state, tokens_left=state.tokens_left - 1, must_point=False)
        if token in self._behind_tag:
            of_phrase = self._per_phrase if token == self._object else state.phrase_boxes_left
            return replace(left, place=self._behind_tag[token], phrase_boxes_left=of_phrase)
        if self._vocabulary.is_location(token):
            if state.place is Place.FIRST_CORNER:
                return replace(left, place=Place.LAST_CORNER, corner=token - self._vocabulary.first_location)
            boxes, of_phrase = state.boxes_left - 1, state.phrase_boxes_left - 1
            return replace(left, place=Place.BEHIND_BOX, boxes_left=boxes, phrase_boxes_left=of_phrase)
        if state.place is Place.PHRASE_START and token in self._blanks:
            return left
        inside = state.place in (Place.PHRASE_START, Place.PHRASE)
        return replace(left, place=Place.PHRASE if inside else Place.TEXT)

    def allowed(self, states: Sequence[State]) -> Tensor:
        """Which tokens may come next: `(len(states), size)` bool; at least one in every row."""
        return torch.stack([self._row(state) for state in states])

    def _row(self, state: State) -> Tensor:
        if state.place is Place.FIRST_CORNER:
            return self._locations(0)
        if state.place is Place.LAST_CORNER:
            return self._locations(state.corner)
        words, tags = self._choices(state)
        key = (words, frozenset(tags))
        if key not in self._masks:
            mask = self._word_masks[words].clone()
            mask[list(tags)] = True
            self._masks[key] = mask
        return self._masks[key]

    def _choices(self, state: State) -> tuple[_Words, set[int]]:
        """Which words may come, and which tags and ends."""
        left, end = state.tokens_left, self._vocabulary.end
        room = state.boxes_left > 0 and left >= _OBJECT_TOKENS
        if not state.may_point:
            return _Words.ANY, {end}
        if state.place is Place.PHRASE_START:
            return _Words.ANY if left > _PHRASE_TOKENS else _Words.VISIBLE, set()
        if state.place is Place.PHRASE:
            return _Words.ANY if left > _OBJECT_TOKENS + 1 else _Words.NONE, {self._phrase_end}
        if state.place is Place.BEHIND_BOX:
            more = room and state.phrase_boxes_left > 0
            return _Words.NONE, {self._object_end, self._next} if more else {self._object_end}
        tags = {end}
        if state.place is Place.BEHIND_PHRASE and room:
            if state.must_point:
                return _Words.NONE, {self._object}
            tags.add(self._object)
        if state.boxes_left > 0 and left > _PHRASE_TOKENS:
            tags.add(self._phrase)
        return _Words.ANY, tags

    def _locations(self, corner: int) -> Tensor:
        mask = torch.zeros(self._size, dtype=torch.bool, device=self._device)
        first = self._vocabulary.first_location
        below = self._cells // GRID >= corner // GRID
        right = self._cells % GRID >= corner % GRID
        mask[first : first + GRID * GRID] = below & right
        return mask

    def _mask(self, tokens: Iterable[int]) -> Tensor:
        mask = torch.zeros(self._size, dtype=torch.bool, device=self._device)
        mask[list(tokens)] = True
        return mask
