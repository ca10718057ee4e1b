"""Questions for what a library holds and does not hold, from the boxes that people drew in its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.schema import Caption, Region, TextBody
from search.db.told import told
from search.evaluation.questions import Question

PRESENT = "present"
ABSENT = "absent"
NONSENSE = "nonsense"


@dataclass(frozen=True, slots=True)
class PresenceQuestions:
    """What is asked.

    Attributes:
        questions: one for each kind of thing, and one for each word that means nothing.
        left_out: kinds that no box shows and a text of the library speaks of, so that nobody knows.
    """

    questions: Sequence[Question]
    left_out: Sequence[str]


def presence_questions(
    session: Session, shown: Mapping[str, frozenset[int]], nonsense: Sequence[str]
) -> PresenceQuestions:
    """Ask for every kind of thing with an article, as somebody would type it.

    Args:
        shown: kind of thing → ids of the pictures in which somebody drew a box around one; empty where nobody did.
        nonsense: words that mean nothing.
    """
    said = {kind for kind, images in shown.items() if not images and _is_spoken_of(session, kind)}
    asked = [
        Question(PRESENT if images else ABSENT, _with_article(kind), images)
        for kind, images in shown.items()
        if kind not in said
    ]
    asked += [Question(NONSENSE, text, frozenset()) for text in nonsense]
    return PresenceQuestions(asked, sorted(said))


def _is_spoken_of(session: Session, kind: str) -> bool:
    for table in (Caption, Region):
        query = (
            select(table.id)
            .join(TextBody, TextBody.id == table.text_id)
            .where(TextBody.body.icontains(kind, autoescape=True), told(table))
            .limit(1)
        )
        if session.scalar(query) is not None:
            return True
    return False


def _with_article(kind: str) -> str:
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
