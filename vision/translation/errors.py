"""What a translator refuses before it reads a text."""

from __future__ import annotations

from vision.errors import DeixisError


class TranslationError(DeixisError):
    """A text that cannot be translated as one sentence: empty, or longer than the model reads."""
