"""From what Florence-2 wrote back to what the protocol promises: captions, descriptions, regions."""

from __future__ import annotations

from vision.florence.answers import geometric_mean, read_answer, regions_in
from vision.florence.engine import Engine, Question
from vision.grounding.base import GroundedCaption
from vision.grounding.decoding import Written
from vision.types import Box, Region, Span


def caption_of(engine: Engine, text: Written, where: Written | None) -> GroundedCaption:
    """A caption and its boxes, from the two answers; the second is None where the first has no words.

    The log-probability is that of both.
    """
    told = read_answer(engine.vocabulary, text.tokens, text.log_probabilities)
    # Written freely, a caption may hold locations, which point at nothing.
    dropped = told.dropped_boxes + len(told.located)
    regions: tuple[Region, ...] = ()
    if where is not None:
        found = read_answer(engine.vocabulary, where.tokens, where.log_probabilities, nameless=engine.nameless)
        regions = regions_in(told.text, found.located)
        dropped += found.dropped_boxes
    answers = [text] if where is None else [text, where]
    return GroundedCaption(
        text=told.text,
        regions=regions,
        dropped_boxes=dropped,
        language=engine.facts.languages[0],
        log_probability=float(sum(sum(answer.log_probabilities) for answer in answers)),
        complete=all(answer.complete for answer in answers),
    )


def description_of(engine: Engine, box: Box, written: Written) -> GroundedCaption:
    """The caption of a box that was asked about: that box, with the whole text as its phrase."""
    text = read_answer(engine.vocabulary, written.tokens, written.log_probabilities).text
    regions: tuple[Region, ...] = ()
    if text:
        regions = (Region(text, box, Span(0, len(text)), geometric_mean(written.log_probabilities)),)
    return GroundedCaption(
        text=text,
        regions=regions,
        # The location at which a description stops is the box asked about, begun again.
        dropped_boxes=0,
        language=engine.facts.languages[0],
        log_probability=float(sum(written.log_probabilities)),
        complete=written.complete,
    )


def regions_of(engine: Engine, question: Question, written: Written, span: Span | None) -> tuple[Region, ...]:
    """The boxes right behind the phrase with which the answer was made to open; what follows them is not read."""
    vocabulary, given = engine.vocabulary, len(question.opening)
    end = given
    while end < len(written.tokens) and vocabulary.is_location(written.tokens[end]):
        end += 1
    found = read_answer(vocabulary, written.tokens[:end], written.log_probabilities[:end], given=given)
    return tuple(Region(one.phrase, one.box, span, one.score) for one in found.located)
