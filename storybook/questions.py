"""Questions about a scene that have exactly one short answer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from storybook.drawing import Rendered
from storybook.language.captions import describe, fits, grammar_of, opposite, single_out, tellable
from storybook.language.compose import Filling, Mention, Writer
from storybook.language.grammar import Grammar, Words
from storybook.world import COLOURS, THINGS, Relation, Scene, Thing

QuestionKind = Literal["colour", "count", "where", "yesno"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answer; counts are answered in digits.

    Attributes:
        text: the question.
        answer: the answer, one to three words.
        kind: colour, count, where or yesno.
        language: its two-letter code.
        about: indexes of the things to look at for the answer.
    """

    text: str
    answer: str
    kind: QuestionKind
    language: str
    about: tuple[int, ...] = ()


class _Asker:
    """Asks about one scene in one language."""

    def __init__(self, scene: Scene, things: tuple[Thing, ...], grammar: Grammar, rng: random.Random) -> None:
        self.scene = scene
        self.things = things
        self.grammar = grammar
        self.rng = rng

    def ask(self, template: str, answer: str, kind: QuestionKind, filling: Filling) -> Question:
        writer = Writer(self.grammar)
        writer.sentence(template, filling)
        about = [index for mention in (filling.subject, filling.object) if mention for index in mention.indexes]
        return Question(writer.text, answer, kind, self.grammar.code, tuple(about))

    def _all_that_fit(self, words: Words) -> Mention:
        return Mention(words, tuple(index for index, thing in enumerate(self.things) if fits(words, thing)))

    def colours(self) -> list[Question]:
        """Ask for the colour of everything that its kind, pattern or size singles out."""
        asking, found = self.grammar.templates.asking, []
        for index, thing in enumerate(self.things):
            words = single_out(self.things, index)
            if words is None or words.colour is not None:
                continue
            template = asking.colour_worn if words.is_person else asking.colour
            filling = Filling(subject=Mention(words, (index,)))
            found.append(self.ask(template, self.grammar.colours[thing.colour], "colour", filling))
        return found

    def counts(self) -> list[Question]:
        """Ask how many of a kind there are, with and without a colour, and of one that is absent."""
        seen = dict.fromkeys(thing.kind for thing in self.things)
        asked = [Words(kind, count=0) for kind in seen]
        asked += [describe(thing, ("colour",), count=0) for thing in self.things]
        absent = [kind for kind in THINGS if kind not in seen]
        if self.rng.random() < 0.3:
            asked.append(Words(self.rng.choice(absent), count=0))
        return [
            self.ask(self.grammar.templates.asking.count, str(len(counted.indexes)), "count", Filling(subject=counted))
            for counted in map(self._all_that_fit, dict.fromkeys(asked))
        ]

    def places(self) -> list[Question]:
        """Ask where the scene is, and on which side of another thing something stands."""
        asking, found = self.grammar.templates.asking, []
        # "At night" answers when, not where.
        if self.scene.background != "night":
            found.append(self.ask(asking.place, self.grammar.places[self.scene.background], "where", Filling()))
        for relation, subject, other in tellable(self.scene, self.rng):
            if relation.name not in self.grammar.sides:
                continue
            template = asking.side if relation.name in ("left of", "right of") else asking.height
            filling = Filling(subject=Mention(subject, (relation.subject,)), object=Mention(other, (relation.object,)))
            found.append(self.ask(template, self.grammar.sides[relation.name], "where", filling))
        return found

    def yes_or_no(self) -> list[Question]:
        """Ask pairs of questions, one true and one false, so that neither answer is the better guess."""
        found = self._exists()
        asking, (yes, no) = self.grammar.templates.asking, self.grammar.yes_no
        for index, thing in enumerate(self.things):
            words = single_out(self.things, index)
            if words is None or words.colour is not None:
                continue
            wrong = self.rng.choice([c for c in COLOURS if c != thing.colour])
            template = asking.is_worn if words.is_person else asking.is_colour
            for colour, answer in ((thing.colour, yes), (wrong, no)):
                filling = Filling(subject=Mention(words, (index,)), colour=colour)
                found.append(self.ask(template, answer, "yesno", filling))
        for relation, subject, other in tellable(self.scene, self.rng):
            false = opposite(relation)
            if false is not None:
                found.append(self._relates(relation, subject, other, yes))
                found.append(self._relates(false, subject, other, no))
        return found

    def _relates(self, relation: Relation, subject: Words, other: Words, answer: str) -> Question:
        filling = Filling(
            subject=Mention(subject, (relation.subject,)),
            object=Mention(other, (relation.object,)),
            relating=self.grammar.relations[relation.name][0],
        )
        return self.ask(self.grammar.templates.asking.relates, answer, "yesno", filling)

    def _exists(self) -> list[Question]:
        """For every thing there is, ask for it and for one that is not there: another colour or another kind."""
        asking, (yes, no) = self.grammar.templates.asking, self.grammar.yes_no
        found = []
        for words in dict.fromkeys(describe(thing, ("colour",)) for thing in self.things):
            if self.rng.random() < 0.5:
                worn = {thing.colour for thing in self.things if thing.kind == words.kind}
                false = Words(words.kind, self.rng.choice([c for c in COLOURS if c not in worn]))
            else:
                seen = {thing.kind for thing in self.things}
                false = Words(self.rng.choice([k for k in THINGS if k not in seen]), self.rng.choice(tuple(COLOURS)))
            for asked, answer in ((words, yes), (false, no)):
                found.append(self.ask(asking.exists, answer, "yesno", Filling(subject=self._all_that_fit(asked))))
        return found


def questions(scene: Scene, rendered: Rendered, language: str, seed: int) -> list[Question]:
    """Return questions of all four kinds; yes and no are asked for equally often.

    Args:
        scene: the scene.
        rendered: its rendering.
        language: one of `storybook.language.LANGUAGES`.
        seed: chooses the false alternatives; equal seeds give equal questions.

    Raises:
        LanguageError: the storybook does not speak the language.
    """
    rng = random.Random(f"questions:{language}:{scene.split}:{scene.seed}:{seed}")
    asker = _Asker(scene, rendered.things, grammar_of(language), rng)
    return [*asker.colours(), *asker.counts(), *asker.places(), *asker.yes_or_no()]
