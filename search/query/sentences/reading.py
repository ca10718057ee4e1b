"""Reads sentences of languages whose prepositions stand before their objects: things, relations, what is denied."""

from __future__ import annotations

from dataclasses import dataclass, field

from search.query.sentences.meaning import Place, Relation, RelationName, Sentence
from search.query.sentences.phrases import Phrase, PhraseReader
from search.query.sentences.pieces import Piece, pieces_of, tokens_of
from search.query.sentences.positive import without_spans
from search.query.sentences.table import Lexicon

_LEADING_TO = ("—", "–", ":", "there")
"""What may stand between "left of the tree" and what is there."""

_OF_WHAT_IS_HELD = ("inside", "on", "with", "above")
"""What may be said of what somebody holds as well as of who holds it."""

_SAID_OF_IT = (("relation",), ("loosely",), ("verb",))
_DASHES = ("—", "–")
_SAYING_NOTHING = ("preposition", "bare")
_NOUNS = ("article", "number", "word", "verb")


@dataclass(slots=True)
class _State:
    """What the next piece is read with.

    Attributes:
        shown, denied: phrases so far.
        relations: (name, subject, object) by positions in `shown`.
        subject: of the next relation; None where none may follow.
        actor: who does something with the subject.
        hangs: whether the subject stands behind a preposition.
        pending: a preposition that waits for its object.
        again: the subject of the last relation, for "left of a tree and behind a house".
        waiting: a relation and its object at the beginning of the sentence, for "left of the tree is a dog".
        denying: where the negation begins whose noun phrase is awaited.
        place: of the next thing.
        cuts: what is denied, with its negation.
    """

    shown: list[Phrase] = field(default_factory=list)
    denied: list[Phrase] = field(default_factory=list)
    relations: list[tuple[RelationName, int, int]] = field(default_factory=list)
    subject: int | None = None
    pending: Piece | None = None
    again: int | None = None
    actor: int | None = None
    hangs: bool = False
    waiting: tuple[RelationName, int] | None = None
    denying: int | None = None
    place: Place | None = None
    cuts: list[tuple[int, int]] = field(default_factory=list)


class Reading:
    """Reads one sentence."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text = text
        self._pieces = pieces_of(tokens_of(text), lexicon)
        self._phrases = PhraseReader(text, self._pieces, lexicon)
        self._code = lexicon.table.code
        self._state = _State()

    def sentence(self) -> Sentence:
        """What the sentence says."""
        at = 0
        while at < len(self._pieces):
            at = self._step(at)
        state = self._state
        return Sentence(
            text=self._text,
            positive=without_spans(self._text, state.cuts),
            language=self._code,
            things=tuple(map(self._phrases.thing, state.shown)),
            relations=tuple(Relation(*relation) for relation in dict.fromkeys(state.relations)),
            without=tuple(map(self._phrases.thing, state.denied)),
        )

    def _step(self, at: int) -> int:
        """Read what begins at a piece; returns where the next begins."""
        piece, state = self._pieces[at], self._state
        if (piece.kind in _NOUNS or self._phrases.opens(at)) and (read := self._phrases.read(at)):
            phrase, after = read
            self._take(phrase, is_acted_on=at > 0 and self._pieces[at - 1].kind == "verb")
            return after
        match piece.kind:
            case "relation" | "loosely":
                state.pending, state.waiting = piece, None
            case "preposition" | "bare":
                state.pending = piece
            case "place":
                self._placed(at)
            case "negation":
                self._deny(at)
            case "and" | "or" | "comma":
                return self._join(at)
            case "verb" | "article" | "of" | "number":
                state.pending = None
            case _:
                # A full stop, or a pronoun: what follows belongs to nothing before.
                follows = self._pieces[at + 1].kind if at + 1 < len(self._pieces) else "stop"
                if piece.text in _DASHES and follows in ("relation", "loosely"):
                    return at + 1  # "the ball — in front of the girl"
                state.pending, state.subject, state.denying, state.again = None, None, None, None
                if piece.text not in _LEADING_TO:
                    state.waiting = None
        return at + 1

    def _take(self, phrase: Phrase, *, is_acted_on: bool) -> None:
        """A noun phrase: what is denied, an object, or a thing of its own."""
        state = self._state
        pending, state.pending = state.pending, None
        if state.denying is not None:
            state.denied.append(phrase)
            state.cuts.append((state.denying, phrase.end))
            state.denying = None
            return
        somewhere = pending is not None and (pending.kind in ("loosely", *_SAYING_NOTHING) or pending.value == "inside")
        if somewhere and self._phrases.is_scenery(phrase):
            return
        phrase.place, state.place = state.place, None
        state.shown.append(phrase)
        place = len(state.shown) - 1
        if state.waiting is not None:
            name, other = state.waiting
            state.relations.append((name, place, other))
            state.waiting = None
        if pending is not None and pending.kind not in _SAYING_NOTHING:
            found = self._relation(pending, phrase)
            if found is not None and state.subject is not None:
                self._relate(found, state.subject, place)
            elif found is not None and place == 0 and found != "with":
                state.waiting = (found, place)
        # "A woman holding a bag next to a car": who holds it is next to the car.
        state.hangs = pending is not None
        state.actor = state.subject if is_acted_on and pending is None else None
        state.subject = place

    def _relate(self, name: RelationName, subject: int, other: int) -> None:
        """Note a relation, unless it may be said of the nearest thing as well as of one before."""
        state = self._state
        if (state.actor is not None and name in _OF_WHAT_IS_HELD) or (name == "with" and state.hangs):
            return
        subject = subject if state.actor is None else state.actor
        state.relations.append((name, subject, other))
        state.again = subject

    def _relation(self, pending: Piece, phrase: Phrase) -> RelationName | None:
        name: RelationName = pending.value  # type: ignore[assignment]  # the tables hold no other
        if pending.kind == "loosely":
            safe = self._phrases.is_container(phrase) if name == "inside" else phrase.opened
            return name if safe else None
        return name

    def _placed(self, at: int) -> None:
        state = self._state
        piece = self._pieces[at]
        before = self._pieces[at - 1].kind if at else "stop"
        place: Place = piece.value  # type: ignore[assignment]  # the tables hold no other
        follows = at + 1 < len(self._pieces) and self._pieces[at + 1].kind in _NOUNS
        if state.shown and state.denying is None and not (before in ("comma", "and", "stop") and follows):
            state.shown[-1].place = state.shown[-1].place or place
        else:
            state.place = place
        state.pending = None

    def _deny(self, at: int) -> None:
        """A negation; behind an article ("a no parking sign") and before no noun it denies nothing."""
        state = self._state
        before = self._pieces[at - 1] if at else None
        follows = at + 1 < len(self._pieces) and self._pieces[at + 1].kind in _NOUNS
        if not follows or (before is not None and before.kind in ("article", "number")):
            state.pending = None
            state.subject = None
            return
        start = self._pieces[at].start
        back = at - 1
        while back >= 0 and self._pieces[back].kind in ("comma", "and", "or"):
            start = self._pieces[back].start
            back -= 1
        state.denying, state.pending, state.waiting = start, None, None

    def _join(self, at: int) -> int:
        """A conjunction or a comma: a denial goes on over "or", and over "and" before a bare noun."""
        state = self._state
        kind = self._pieces[at].kind
        if kind != "comma":
            state.waiting = None
        behind = self._pieces[at + 1] if at + 1 < len(self._pieces) else None
        before = self._pieces[at - 1] if at else None
        clause = self._kinds(at + 1, 2)
        if kind == "comma" and clause[:1] in (("article",), ("verb",)) and clause[1:] in _SAID_OF_IT:
            return at + 1  # "a dog, which sits next to a tree"
        state.pending, state.subject = None, None
        if behind is None or before is None:
            return at + 1
        if behind.kind in ("relation", "loosely") and kind == "and":
            state.subject = state.again
        just_denied = bool(state.denied) and before.end == state.denied[-1].end
        if just_denied and (
            (kind == "or" and behind.kind in _NOUNS) or (kind in ("and", "or") and behind.kind in ("word", "verb"))
        ):
            state.denying = self._pieces[at].start
        return at + 1

    def _kinds(self, at: int, count: int) -> tuple[str, ...]:
        return tuple(piece.kind for piece in self._pieces[at : at + count])
