"""Strips become characters: repeats once, blanks out, the mean chance beside the text."""

from __future__ import annotations

import numpy as np
import pytest

from vision.readers.spelling import readable, script_of, scripts_of, spell

ALPHABET = ["", "a", "b", " "]


def _strips(*best: int, chance: float = 0.8) -> np.ndarray:
    strips = np.full((len(best), len(ALPHABET)), (1 - chance) / 3, np.float32)
    strips[np.arange(len(best)), best] = chance
    return strips


@pytest.mark.parametrize(
    ("best", "text"),
    [((1, 1, 1), "a"), ((1, 0, 1), "aa"), ((1, 2, 0, 0), "ab"), ((1, 3, 2), "a b"), ((0, 0), ""), ((2,), "b")],
)
def test_repeats_count_once_and_blanks_divide(best: tuple[int, ...], text: str) -> None:
    found, sure = spell(_strips(*best), ALPHABET)
    assert found == text
    assert sure == pytest.approx(0.8 if text else 0, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "kept"), [("  No\u3000 parking\t", "No parking"), ("ＡＢＣ", "ABC"), ("—·!", ""), ("7", "7"), ("", "")]
)
def test_only_what_has_a_letter_or_a_digit_is_writing(text: str, kept: str) -> None:
    assert readable(text) == kept


def test_the_script_is_that_of_most_letters() -> None:
    assert script_of("出口 EXIT 出口出口") == "Hani"
    assert script_of("Вихід") == "Cyrl"
    assert script_of("12:30") is None
    assert scripts_of(["", *"abcdefghijkl", *"αβ", "1"]) == ("Latn",)
