"""What a captioner refuses before it looks at a picture."""

from __future__ import annotations

from vision.errors import DeixisError


class PromptError(DeixisError):
    """What cannot be put to the model: empty, too long, or with the model's own tags in it."""


class LanguageError(DeixisError):
    """A language in which this model was not taught to answer."""


class DecodingError(DeixisError):
    """Decoding options that contradict each other or lie outside their range."""
