"""A few pictures and texts that come with the code, by which two forms of one encoder are compared on any machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PROBE_TEXTS = (
    "a red car left of a tree",
    "two dogs run over a green hill at sunset",
    "a close-up photograph of a plate of pasta with basil",
    "people waiting at a tram stop in the rain",
    "BLACK AND WHITE",
    "ein Hund schläft auf dem roten Sofa",
    "un vélo contre un mur blanc",
    "два синих стула у окна",
    "3 × 5, 100 %",
    "x",
    "",
    "a very long description of a street market " * 20,
)
"""Short, long, empty, shouted, in several scripts."""


def probe_pictures(height_px: int, width_px: int) -> NDArray[np.uint8]:
    """Draw eight pictures, the same at every call: plain, gradients, discs, stripes, a chessboard, and noise.

    Returns:
        `(8, height_px, width_px, 3)` uint8, RGB, to be used as prepared pictures.
    """
    random = np.random.default_rng(11)
    down, across = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    down, across = down / height_px, across / width_px
    ramp = np.stack([across, down, 1 - across], axis=-1)
    rings = np.hypot(down - 0.5, across - 0.5)
    sky = np.where(down[..., None] < 0.55, (0.45, 0.65, 0.95), (0.2, 0.5, 0.15))
    disc = np.where((np.hypot(down - 0.6, across - 0.35) < 0.2)[..., None], (0.9, 0.1, 0.1), sky)
    stripes = np.where((np.floor((across + down) * 12) % 2 == 0)[..., None], (0.95, 0.85, 0.1), (0.1, 0.1, 0.3))
    chess = ((np.floor(across * 8) + np.floor(down * 8)) % 2)[..., None] * np.ones(3)
    waves = 0.5 + 0.5 * np.sin(rings[..., None] * np.array([20.0, 33.0, 47.0]))
    coarse = np.kron(random.random((8, 8, 3)), np.ones((-(-height_px // 8), -(-width_px // 8), 1)))
    patches = coarse[:height_px, :width_px]
    noise = np.clip(disc + random.normal(0, 0.2, (height_px, width_px, 3)), 0, 1)
    plain = np.full((height_px, width_px, 3), (0.5, 0.45, 0.4))
    drawn = np.stack([plain, ramp, disc, stripes, chess, waves, patches, noise])
    return (drawn * 255).round().astype(np.uint8)
