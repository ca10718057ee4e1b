"""What can be asked of the captioner about a scene, as Kosmos-2 writes it: prompts, answers, tags, locations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from transformers.models.kosmos2.processing_kosmos2 import coordinate_to_patch_index

from storybook.language import LANGUAGES, referring_expressions
from storybook.language.captions import CaptionText, describe, grammar_of
from storybook.questions import questions
from storybook.sentences import all_captions, as_rendered
from storybook.world import Scene
from vision.types import Box

_GRID = 32
_SEEDS = 1_000_000
BRIEF = "<grounding>An image of"
DETAILED = "<grounding>Describe this image in detail:"
# How to ask for another language: in that language.
DETAILED_IN = {
    "en": DETAILED,
    "de": "<grounding>Beschreibe dieses Bild genau:",
    "fr": "<grounding>Décris cette image en détail :",
    "es": "<grounding>Describe esta imagen en detalle:",
    "zh": "<grounding>详细描述这张图片：",
    "uk": "<grounding>Опиши це зображення докладно:",
}
BRIEF_IN = {
    "en": BRIEF,
    "de": "<grounding>Ein Bild:",
    "fr": "<grounding>Une image :",
    "es": "<grounding>Una imagen:",
    "zh": "<grounding>一张图片：",
    "uk": "<grounding>Зображення:",
}


class SceneTasks:
    """Draws exchanges about a scene; English has half of them, the other languages share the rest."""

    def exchanges(self, scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
        """Pairs of prompt and answer: one caption, then groundings, boxes to describe and questions, in drawn order."""
        language = "en" if rng.random() < 0.5 else LANGUAGES[int(rng.integers(len(LANGUAGES)))]
        seed = int(rng.integers(_SEEDS))
        found = all_captions(scene, language, seed)
        first = (
            self._caption(scene, found[2], DETAILED_IN)
            if rng.random() < 0.4
            else self._caption(scene, found[0], BRIEF_IN)
        )
        others = [*self._groundings(scene, language), *self._boxes(scene, language)]
        asked = [
            (f"Question: {question.text} Answer:", f" {question.answer}")
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
            found.append((f"<grounding><phrase> {expression.text}</phrase>", located([box])))
        return found

    def _boxes(self, scene: Scene, language: str) -> list[tuple[str, str]]:
        found = []
        for thing in scene.things:
            phrase = grammar_of(language).phrase(describe(thing, ("size", "colour", "pattern")))[1]
            if language == "en":
                found.append((f"<grounding><phrase> It</phrase>{located([thing.box])} is", f" {phrase}"))
        return found


def located(boxes: Sequence[Box]) -> str:
    """Boxes as Kosmos-2 writes them: two locations each, upper left and lower right, on the 32×32 grid."""
    pairs = [coordinate_to_patch_index(box.as_xyxy(), _GRID) for box in boxes]
    written = [f"<patch_index_{first:04d}><patch_index_{last:04d}>" for first, last in pairs]
    return f"<object>{'</delimiter_of_multi_objects/>'.join(written)}</object>"


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
