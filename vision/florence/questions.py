"""What is asked of Florence-2 for each method of the protocol, with the room that the answer has."""

from __future__ import annotations

from vision.florence.engine import Engine, Question
from vision.florence.grammar import Form
from vision.florence.locations import CORNERS
from vision.florence.prompts import CAPTION_TASKS, caption_prompt, describe_prompt, ground_prompt
from vision.grounding.base import Decoding, Detail
from vision.grounding.errors import check_length
from vision.grounding.prompts import span_in
from vision.types import Box, Span


def caption_question(engine: Engine, detail: Detail, language: str, decoding: Decoding) -> Question:
    """Ask for a caption.

    Raises:
        PromptError: an unknown detail.
        LanguageError: any language but English.
    """
    prompt = engine.prompt_ids(caption_prompt(detail, language))
    # The caption has to fit behind the picture again, in the question where its phrases are.
    room = engine.longest_prompt - len(engine.vocabulary.ids(ground_prompt("")))
    return Question(prompt, Form.WORDS, min(decoding.max_new_tokens, engine.longest_answer, room))


def where_question(engine: Engine, caption: str, decoding: Decoding) -> Question:
    """Ask where the phrases of a caption are that the model wrote; not empty."""
    vocabulary = engine.vocabulary
    words = vocabulary.words_of(ground_prompt(caption))
    # The same text may take other tokens than those in which it was written, and more.
    prompt = (vocabulary.begin, *words[: engine.longest_prompt], vocabulary.end)
    # The answer repeats the caption's phrases, so it is no longer than the caption and its boxes.
    tokens = min(len(words) + CORNERS * decoding.max_boxes, engine.longest_answer)
    return Question(prompt, Form.PHRASES, tokens)


def locate_question(
    engine: Engine, phrase: str, sentence: str | None, decoding: Decoding
) -> tuple[Question, Span | None]:
    """Ask for the boxes of a phrase; the answer is made to open with it, so that nothing else can be found.

    Args:
        engine: the model.
        phrase: what to find.
        sentence: in which it stands; the model reads all of it. None where the phrase stands alone.
        decoding: how many boxes.

    Returns:
        The question, and the phrase's place in its sentence.

    Raises:
        PromptError: phrase or sentence is empty, too long or holds a token that the model obeys, or the phrase does not
            stand in its sentence.
    """
    vocabulary = engine.vocabulary
    plain = vocabulary.checked(phrase, "phrase")
    span = span_in(sentence, phrase) if sentence is not None else None
    told = plain if sentence is None else vocabulary.checked(sentence, "sentence")
    prompt = engine.prompt_ids(ground_prompt(told))
    opening = vocabulary.ids(plain)
    boxes = min(decoding.max_boxes, decoding.max_boxes_per_phrase)
    tokens = len(opening) + min(decoding.max_new_tokens, CORNERS * boxes + 1)
    check_length(tokens, engine.longest_answer, "with its boxes")
    return Question(prompt, Form.BOXES, tokens, opening), span


def describe_question(engine: Engine, box: Box, decoding: Decoding) -> Question:
    """Ask what is in a box."""
    tokens = min(decoding.max_new_tokens, engine.longest_answer)
    return Question(engine.prompt_ids(describe_prompt(box)), Form.DESCRIPTION, tokens)


def score_prompt(engine: Engine, prompt: str | None) -> tuple[int, ...]:
    """Ids of the words behind which a text is scored.

    Args:
        engine: the model.
        prompt: words, or a task token of `CAPTION_TASKS`; None for the brief caption's.

    Raises:
        PromptError: it is empty, too long or holds another token that the model obeys.
    """
    if prompt is None:
        return engine.prompt_ids(caption_prompt("brief", "en"))
    words = CAPTION_TASKS.get(prompt.strip())
    return engine.prompt_ids(words if words is not None else engine.vocabulary.checked(prompt, "prompt"))


def text_ids(engine: Engine, text: str) -> tuple[int, ...]:
    """Ids of a foreign text as an answer, without an end.

    Raises:
        PromptError: it is empty, too long or holds a token that the model obeys.
    """
    ids = engine.vocabulary.ids(engine.vocabulary.checked(text, "text"))
    check_length(len(ids), engine.longest_answer - 1, "in an answer")
    return ids
