"""The pointing game of the encoder that ships, at a few scenes."""

from __future__ import annotations

from storybook.evaluate_looking import point_by_patches
from vision.encoders.registry import load_encoder


def test_the_shipped_encoder_points_at_what_words_name() -> None:
    """Of 200 scenes: phrases 81.4, expressions 79.1, heads 70.8; a few scenes are left a wide margin."""
    figures = point_by_patches(load_encoder("storybook-encoder", threads=1), scenes=6)
    assert figures["scenes"] == 6
    assert figures["phrases_maps"] > 20
    assert figures["phrases"] >= 60
    assert figures["expressions"] >= 60
    assert figures["relation_heads"] > figures["relations"]
    assert figures["chance"] < 20
