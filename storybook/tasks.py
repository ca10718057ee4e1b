"""What can be asked of the captioner about a scene, as Kosmos-2 writes it: prompts, answers, tags, locations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from storybook.language import LANGUAGES, captions, referring_expressions
from storybook.language.captions import CaptionText, describe, grammar_of
from storybook.questions import questions
from storybook.sentences import all_captions, as_rendered
from storybook.world import Scene
from vision.grounding.prompts import (
    CAPTION_PROMPTS,
    describe_prompt,
    locate_prompt,
    question_prompt,
    written_boxes,
)

_SEEDS = 1_000_000
# The words are those with which the product asks; what is trained here and what is asked there cannot drift apart.
BRIEF_IN = {language: CAPTION_PROMPTS[language].brief for language in LANGUAGES}
DETAILED_IN = {language: CAPTION_PROMPTS[language].detailed for language in LANGUAGES}
BRIEF, DETAILED = BRIEF_IN["en"], DETAILED_IN["en"]
located = written_boxes


_BOX = re.compile(r"<patch_index_\d{4}><patch_index_\d{4}>")


@dataclass(frozen=True, slots=True)
class Exchange:
    """Something asked about a scene, and what is to be answered.

    Attributes:
        prompt: what is asked.
        answer: what follows it.
        marks: (first and end character of `answer`, indexes of the things that these characters speak of), in order.
    """

    prompt: str
    answer: str
    marks: tuple[tuple[int, int, tuple[int, ...]], ...] = ()


class SceneTasks:
    """Draws exchanges about a scene; two thirds are in English, the other languages share the rest."""

    def exchanges(self, scene: Scene, rng: np.random.Generator) -> list[Exchange]:
        """Two captions, then groundings, boxes to describe and questions, in drawn order."""
        language = "en" if rng.random() < 0.6 else LANGUAGES[int(rng.integers(len(LANGUAGES)))]
        seed = int(rng.integers(_SEEDS))
        # From left to right: in any order, what comes next is a guess, and things are named twice or not at all.
        found = captions(scene, as_rendered(scene), language, seed, left_to_right=True)
        if rng.random() < 0.2:
            told = [caption_exchange(scene, found[2], DETAILED_IN)]
        else:
            english = captions(scene, as_rendered(scene), "en", seed, left_to_right=True) if language != "en" else found
            told = [caption_exchange(scene, found[0], BRIEF_IN), caption_exchange(scene, english[1], BRIEF_IN)]
        others = [*_groundings(scene, language), *_boxes(scene, language)]
        asked = [
            Exchange(
                question_prompt(question.text),
                f" {question.answer}",
                ((0, 1 + len(question.answer), question.about),) if question.about else (),
            )
            for question in questions(scene, as_rendered(scene), language, seed)
        ]
        # Questions outnumber everything else; a third of what follows the caption is grounding.
        picked = [others[i] for i in rng.permutation(len(others))[:3]]
        picked += [asked[i] for i in rng.permutation(len(asked))[:6]]
        return [*told, *(picked[i] for i in rng.permutation(len(picked)))]


def caption_exchange(scene: Scene, caption: CaptionText, prompts: dict[str, str]) -> Exchange:
    """The caption as an answer: every phrase in its tags, followed by its boxes.

    Args:
        scene: where the things are.
        caption: its text and phrases.
        prompts: what asks for it, by language.
    """
    text, at, answer = caption.text, 0, " "
    marks: list[tuple[int, int, tuple[int, ...]]] = []
    for span, indexes in caption.phrases:
        answer += text[at : span.start].rstrip(" ") if caption.language != "zh" else text[at : span.start]
        opened = f"{answer}<phrase>"
        answer = f"{opened} {text[span.start : span.end]}"
        marks.append((len(opened), len(answer), indexes))
        answer += "</phrase>"
        boxes = located([scene.things[index].box for index in indexes])
        marks += _box_marks(boxes, indexes, behind=len(answer))
        answer += boxes
        at = span.end
    return Exchange(prompts[caption.language], answer + text[at:], tuple(marks))


def _box_marks(boxes: str, indexes: Sequence[int], *, behind: int) -> list[tuple[int, int, tuple[int, ...]]]:
    found = _BOX.finditer(boxes)
    return [(behind + box.start(), behind + box.end(), (index,)) for box, index in zip(found, indexes, strict=True)]


def _groundings(scene: Scene, language: str) -> list[Exchange]:
    found = []
    for expression in referring_expressions(scene, language):
        answer = located([scene.things[expression.index].box])
        marks = _box_marks(answer, [expression.index], behind=0)
        found.append(Exchange(locate_prompt(expression.text), answer, tuple(marks)))
    return found


def _boxes(scene: Scene, language: str) -> list[Exchange]:
    if language != "en":
        return []
    found = []
    for index, thing in enumerate(scene.things):
        answer = " " + grammar_of(language).phrase(describe(thing, ("size", "colour", "pattern")))[1]
        found.append(Exchange(describe_prompt(thing.box), answer, ((0, len(answer), (index,)),)))
    return found


def spoken(scenes: Sequence[Scene]) -> Iterator[str]:
    """Everything the captioner reads or writes about some scenes, without tags, for training its tokenizer."""
    for prompt in (*BRIEF_IN.values(), *DETAILED_IN.values()):
        yield prompt.removeprefix("<grounding>")
    for number, scene in enumerate(scenes):
        for language in LANGUAGES:
            yield from (caption.text for caption in all_captions(scene, language, number))
            yield from (
                f"Question: {q.text} Answer: {q.answer}"
                for q in questions(scene, as_rendered(scene), language, number)[:4]
            )
