"""Every sentence that is put to the model, in training and in use, and the checks on foreign text."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType

from vision.grounding.base import Detail, Turn
from vision.grounding.errors import LanguageError, PromptError
from vision.grounding.locations import locations_of
from vision.types import Box, Span

GROUNDING = "<grounding>"
PHRASE, PHRASE_END = "<phrase>", "</phrase>"
OBJECT, OBJECT_END = "<object>", "</object>"
NEXT_BOX = "</delimiter_of_multi_objects/>"
IMAGE, IMAGE_END = "<image>", "</image>"
TAGS = (
    *("</doc>", IMAGE, IMAGE_END, "</chunk>", "</line>"),
    *(PHRASE, PHRASE_END, OBJECT, OBJECT_END, NEXT_BOX, GROUNDING),
)
"""The eleven tags of Kosmos-2, each one token, in the order of their ids."""

CONTROL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_RESERVED = re.compile("|".join([*map(re.escape, (*TAGS, *CONTROL_TOKENS)), r"<patch_index_\d{4}>"]))


@dataclass(frozen=True, slots=True)
class CaptionPrompts:
    """How to ask for a caption in one language: in that language."""

    brief: str
    detailed: str


CAPTION_PROMPTS: Mapping[str, CaptionPrompts] = MappingProxyType(
    {
        # The English words are those of the model's authors.
        "en": CaptionPrompts(f"{GROUNDING}An image of", f"{GROUNDING}Describe this image in detail:"),
        "de": CaptionPrompts(f"{GROUNDING}Ein Bild:", f"{GROUNDING}Beschreibe dieses Bild genau:"),
        "fr": CaptionPrompts(f"{GROUNDING}Une image :", f"{GROUNDING}Décris cette image en détail :"),
        "es": CaptionPrompts(f"{GROUNDING}Una imagen:", f"{GROUNDING}Describe esta imagen en detalle:"),
        "zh": CaptionPrompts(f"{GROUNDING}一张图片：", f"{GROUNDING}详细描述这张图片："),
        "uk": CaptionPrompts(f"{GROUNDING}Зображення:", f"{GROUNDING}Опиши це зображення докладно:"),
    }
)
"""Language code → its prompts. Which of these a model was taught, its own folder says."""


def caption_prompt(detail: Detail, language: str, *, spoken: Sequence[str]) -> str:
    """The words that ask for a caption.

    Args:
        detail: how much to tell.
        language: ISO 639-1 code.
        spoken: codes that the model was taught.

    Raises:
        PromptError: an unknown detail.
        LanguageError: the language is not among them.
    """
    if detail not in ("brief", "detailed"):
        raise PromptError(f"unknown detail {detail!r}", remedy="Choose brief or detailed.")
    if language not in spoken or language not in CAPTION_PROMPTS:
        raise LanguageError(
            f"this captioner does not write {language!r}", remedy=f"It writes {', '.join(spoken)}; choose one of these."
        )
    prompts = CAPTION_PROMPTS[language]
    return prompts.brief if detail == "brief" else prompts.detailed


def locate_prompt(phrase: str, *, before: str = "") -> str:
    """The words after which the model writes where a phrase is.

    Args:
        phrase: checked text.
        before: checked text that stands before it in its sentence; may be empty.
    """
    return f"{GROUNDING}{before.strip()}{PHRASE} {phrase}{PHRASE_END}"


def describe_prompt(box: Box) -> str:
    """The words after which the model says what is in a box."""
    return f"{GROUNDING}{PHRASE} It{PHRASE_END}{written_boxes([box])} is"


def question_prompt(question: str, history: Sequence[Turn] = ()) -> str:
    """The words after which the model answers, in the language of the question.

    Raises:
        PromptError: the question, or a question or answer of the history, is empty or holds a tag.
    """
    told = [
        f"Question: {checked_text(turn.question, 'question')} Answer: {checked_text(turn.answer, 'earlier answer')}"
        for turn in history
    ]
    return " ".join([*told, f"Question: {checked_text(question, 'question')} Answer:"])


def written_boxes(boxes: Sequence[Box]) -> str:
    """Boxes as the model writes them behind their phrase: two locations each, upper left and lower right."""
    pairs = (locations_of(box) for box in boxes)
    return f"{OBJECT}{NEXT_BOX.join(f'{written_location(a)}{written_location(b)}' for a, b in pairs)}{OBJECT_END}"


def written_location(location: int) -> str:
    """The token of one cell of the grid."""
    return f"<patch_index_{location:04d}>"


def checked_text(text: str, what: str) -> str:
    """Foreign text, made ready to stand in a prompt: blanks collapsed, nothing in it that the model takes as a tag.

    Other angle brackets pass: `a < b` and `<br>` are words to the model.

    Args:
        text: what somebody wrote.
        what: what it is, for the message: `question`, `phrase` …

    Raises:
        PromptError: nothing but blanks and control characters, or a reserved word such as `<phrase>` or `</s>`.
    """
    plain = readable(text, what)
    # Tokenisers of this family fold full-width letters, so the model might see a tag where the text has `＜s＞`.
    reserved = _RESERVED.search(unicodedata.normalize("NFKC", plain))
    if reserved:
        raise PromptError(
            f"the {what} holds {reserved[0]}, which the model would obey instead of read",
            remedy="Leave that word out.",
        )
    return plain


def checked_prompt(text: str) -> str:
    """A whole prompt that somebody wrote; its tags are meant, but for those that would begin, end or show a picture.

    Raises:
        PromptError: nothing but blanks and control characters, or a reserved word such as `<image>` or `</s>`.
    """
    plain = readable(text, "prompt")
    reserved = next((token for token in (IMAGE, IMAGE_END, *CONTROL_TOKENS) if token in plain), None)
    if reserved:
        raise PromptError(f"the prompt holds {reserved}, which the captioner sets itself", remedy="Leave it out.")
    return plain


def checked_phrases(phrases: Sequence[str]) -> Sequence[str]:
    """The phrases of one picture.

    Raises:
        PromptError: one text in place of a list, whose letters would be taken for phrases.
    """
    if isinstance(phrases, str):
        raise PromptError(f"expected a list of phrases, got the text {phrases[:40]!r}", remedy="Put it into a list.")
    return phrases


def readable(text: str, what: str) -> str:
    """Foreign text with its blanks collapsed and without control characters; tags in it stay.

    Raises:
        PromptError: nothing is left.
    """
    # A lone surrogate cannot be encoded, and a control character is no word.
    printable = (" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)
    plain = " ".join("".join(printable).split())
    if not plain:
        raise PromptError(f"the {what} is empty", remedy=f"Write a {what}.")
    return plain


def span_in(sentence: str, phrase: str) -> Span:
    """Where a phrase stands in its sentence for the first time.

    Raises:
        PromptError: nowhere.
    """
    start = sentence.find(phrase)
    if start < 0:
        raise PromptError(f"the phrase {phrase!r} does not stand in its sentence", remedy="Copy it from the sentence.")
    return Span(start, start + len(phrase))


def prompt_recipe() -> str:
    """A short name for all of the above that changes when the words do."""
    words = {language: asdict(prompts) for language, prompts in CAPTION_PROMPTS.items()}
    forms = [locate_prompt("p", before="b"), describe_prompt(Box(0, 0, 1, 1)), question_prompt("q", [Turn("q", "a")])]
    digest = hashlib.sha256(json.dumps([words, forms], sort_keys=True).encode()).hexdigest()
    return f"kosmos2|{digest[:12]}"
