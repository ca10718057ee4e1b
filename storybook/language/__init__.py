"""Says what a scene shows, in six languages, with the exact span of every noun phrase."""

from storybook.language.captions import (
    GRAMMARS,
    LANGUAGES,
    CaptionText,
    Detail,
    LanguageError,
    Referring,
    captions,
    class_prompts,
    grammar_of,
    phrase_for,
    referring_expressions,
)

__all__ = [
    "GRAMMARS", "LANGUAGES", "CaptionText", "Detail", "LanguageError", "Referring", "captions", "class_prompts",
    "grammar_of",
    "phrase_for", "referring_expressions",
]  # fmt: skip
