"""From what the model wrote back to what the protocol promises: captions, descriptions, regions."""

from __future__ import annotations

import numpy as np

from vision.grounding.base import GroundedCaption
from vision.grounding.engine import Reply
from vision.grounding.entities import read_entities
from vision.types import Box, Region, Span


def caption_of(reply: Reply, language: str) -> GroundedCaption:
    """The caption that was written, without its prompt."""
    reading = read_entities(reply.answered)
    return GroundedCaption(
        text=reading.text,
        regions=reading.regions,
        dropped_boxes=reading.dropped_boxes,
        language=language,
        log_probability=reply.log_probability,
        complete=reply.written.complete,
    )


def description_of(box: Box, reply: Reply) -> GroundedCaption:
    """The caption of a box that was asked about: that box with the whole text comes first of its regions."""
    caption = caption_of(reply, "en")
    if not caption.text:
        return caption
    chances = reply.written.log_probabilities
    region = Region(caption.text, box, Span(0, len(caption.text)), float(np.exp(np.mean(chances))))
    return GroundedCaption(
        text=caption.text,
        regions=(region, *caption.regions),
        dropped_boxes=caption.dropped_boxes,
        language=caption.language,
        log_probability=caption.log_probability,
        complete=caption.complete,
    )


def regions_of(reply: Reply, span: Span | None) -> tuple[Region, ...]:
    """The regions of a phrase that was asked for: those behind the prompt's last phrase."""
    reading = read_entities([*reply.asked, *reply.answered])
    return tuple(Region(region.phrase, region.box, span, region.score) for region in reading.regions)
