"""Every sentence that is put to Florence-2: the words that its authors' task tokens stand for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType

from vision.florence.locations import bins_of
from vision.grounding.base import Detail
from vision.grounding.errors import LanguageError, PromptError
from vision.types import Box

LANGUAGES = ("en",)
CAPTION_TASKS: Mapping[str, str] = MappingProxyType(
    {
        "<CAPTION>": "What does the image describe?",
        "<DETAILED_CAPTION>": "Describe in detail what is shown in the image.",
        "<MORE_DETAILED_CAPTION>": "Describe with a paragraph what is shown in the image.",
    }
)
"""Task token → the words that the model was trained on; it never sees the token itself."""

_TASK_OF: Mapping[str, str] = MappingProxyType({"brief": "<CAPTION>", "detailed": "<MORE_DETAILED_CAPTION>"})


def caption_prompt(detail: Detail, language: str) -> str:
    """The words that ask for a caption.

    Raises:
        PromptError: an unknown detail.
        LanguageError: any language but English.
    """
    if detail not in _TASK_OF:
        raise PromptError(f"unknown detail {detail!r}", remedy=f"Choose {' or '.join(_TASK_OF)}.")
    if language not in LANGUAGES:
        raise LanguageError(
            f"this captioner does not write {language!r}",
            remedy=f"It writes {', '.join(LANGUAGES)}; choose that, or add a translator.",
        )
    return CAPTION_TASKS[_TASK_OF[detail]]


def ground_prompt(caption: str) -> str:
    """The words that ask where the phrases of a caption are."""
    return f"Locate the phrases in the caption: {caption}"


def describe_prompt(box: Box) -> str:
    """The words that ask what is in a box."""
    return f"What does the region {''.join(written_location(place) for place in bins_of(box))} describe?"


def written_location(place: int) -> str:
    """The token of one bin."""
    return f"<loc_{place}>"


def prompt_recipe() -> str:
    """A short name for all of the above that changes when the words do."""
    forms = [dict(CAPTION_TASKS), dict(_TASK_OF), ground_prompt("c"), describe_prompt(Box(0, 0, 1, 1))]
    digest = hashlib.sha256(json.dumps(forms, sort_keys=True).encode()).hexdigest()
    return f"florence2|{digest[:12]}"
