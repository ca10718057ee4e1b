"""What can be asked of the captioner about a scene, as Kosmos-2 writes it: prompts, answers, tags, locations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from storybook.language import LANGUAGES, referring_expressions
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


class SceneTasks:
    """Draws exchanges about a scene; two thirds are in English, the other languages share the rest."""

    def exchanges(self, scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
        """Pairs of prompt and answer: one caption, then groundings, boxes to describe and questions, in drawn order."""
        language = "en" if rng.random() < 0.6 else LANGUAGES[int(rng.integers(len(LANGUAGES)))]
        seed = int(rng.integers(_SEEDS))
        found = all_captions(scene, language, seed)
        first = (
            self._caption(scene, found[2], DETAILED_IN)
            if rng.random() < 0.2
            else self._caption(scene, found[0], BRIEF_IN)
        )
        others = [*self._groundings(scene, language), *self._boxes(scene, language)]
        asked = [
            (question_prompt(question.text), f" {question.answer}")
            for question in questions(scene, as_rendered(scene), language, seed)
        ]
        # Questions outnumber everything else; a third of what follows the caption is grounding.
        picked = [others[i] for i in rng.permutation(len(others))[:3]]
        picked += [asked[i] for i in rng.permutation(len(asked))[:6]]
        return [first, *(picked[i] for i in rng.permutation(len(picked)))]

    def _caption(self, scene: Scene, caption: CaptionText, prompts: dict[str, str]) -> tuple[str, str]:
        prompt = prompts[caption.language]
        text, phrases = caption.text, caption.phrases
        at = 0
        answer = " "
        for span, indexes in phrases:
            answer += text[at : span.start].rstrip(" ") if caption.language != "zh" else text[at : span.start]
            boxes = [scene.things[index].box for index in indexes]
            answer += f"<phrase> {text[span.start : span.end]}</phrase>{located(boxes)}"
            at = span.end
        return prompt, answer + text[at:]

    def _groundings(self, scene: Scene, language: str) -> list[tuple[str, str]]:
        found = []
        for expression in referring_expressions(scene, language):
            box = scene.things[expression.index].box
            found.append((locate_prompt(expression.text), located([box])))
        return found

    def _boxes(self, scene: Scene, language: str) -> list[tuple[str, str]]:
        found = []
        for thing in scene.things:
            phrase = grammar_of(language).phrase(describe(thing, ("size", "colour", "pattern")))[1]
            if language == "en":
                found.append((describe_prompt(thing.box), f" {phrase}"))
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
