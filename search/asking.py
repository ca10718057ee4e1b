"""Questions about one picture, answered by a grounded captioner that is loaded when the first one comes."""

from __future__ import annotations

import threading
import time

from search.looked import PictureAnswer
from vision.grounding.base import GroundedCaptioner
from vision.grounding.registry import load_captioner
from vision.types import RgbImage


class PictureAsker:
    """Asks a captioner; safe to share between threads.

    Args:
        captioner: preset, folder or cached hub id.
        threads: compute threads for it.
    """

    def __init__(self, captioner: str, *, threads: int = 1) -> None:
        self._name = captioner
        self._threads = threads
        self._loading = threading.Lock()
        self._captioner: GroundedCaptioner | None = None

    def ask(self, image: RgbImage, question: str) -> PictureAnswer:
        """Answer one question about a picture.

        Args:
            image: HWC uint8 RGB, upright.
            question: in a language that the captioner was taught.

        Raises:
            PromptError: the question is empty, too long or holds a tag.
            ModelError: the captioner cannot be loaded.
        """
        captioner = self._ready()
        started = time.perf_counter()
        (answer,) = captioner.ask([image], [question])
        return PictureAnswer(
            question=question,
            answer=answer.text,
            log_probability=answer.log_probability,
            model=captioner.facts.name,
            took_ms=(time.perf_counter() - started) * 1000,
        )

    def _ready(self) -> GroundedCaptioner:
        with self._loading:
            if self._captioner is None:
                self._captioner = load_captioner(self._name, threads=self._threads)
            return self._captioner
