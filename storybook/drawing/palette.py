"""Colours: what a named colour looks like on one thing, and the fixed paints of faces, wood, glass and leaves."""

from __future__ import annotations

import colorsys
import random
from typing import TypeAlias

from storybook.world import COLOURS

Rgb: TypeAlias = tuple[int, int, int]

_FIXED: dict[str, Rgb] = {
    "ink": (46, 40, 48),
    "white": (250, 248, 242),
    "cheek": (240, 160, 150),
    "shoe": (84, 60, 52),
    "nose": (60, 44, 46),
    "collar": (206, 70, 62),
    "gold": (240, 190, 72),
    "whisker": (206, 200, 196),
    "hoof": (88, 74, 66),
    "bone": (240, 230, 206),
    "muzzle": (240, 196, 182),
    "snout": (244, 170, 168),
    "face": (74, 66, 70),
    "beak": (244, 164, 60),
    "flesh": (226, 196, 158),
    "glass": (184, 220, 238),
    "lamp": (255, 238, 168),
    "metal": (164, 170, 178),
    "tyre": (54, 54, 60),
    "wood": (154, 108, 70),
    "smoke": (226, 226, 228),
    "brick": (180, 96, 72),
    "roof": (128, 72, 62),
    "roofline": (104, 60, 54),
    "leaf": (96, 150, 78),
    "stone": (152, 148, 140),
    "shade": (72, 66, 76),
    "cream": (244, 232, 206),
    "gill": (214, 192, 160),
    "brew": (104, 66, 44),
}
_SKINS: tuple[Rgb, ...] = ((252, 222, 196), (240, 200, 164), (214, 164, 122), (170, 118, 82), (122, 82, 58))
_HAIRS: tuple[Rgb, ...] = ((52, 40, 38), (92, 60, 40), (150, 100, 56), (222, 180, 96), (180, 88, 46), (168, 164, 164))


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return `first` with `share` in [0, 1] of `second` mixed in."""
    a, b, c = (round(x + (y - x) * share) for x, y in zip(first, second, strict=True))
    return a, b, c


def jitter(colour: str, rng: random.Random) -> Rgb:
    """Return the named colour moved a little in hue, saturation and lightness: still that colour to any eye."""
    hue, light, saturation = colorsys.rgb_to_hls(*(v / 255 for v in COLOURS[colour]))
    hue = (hue + rng.uniform(-0.012, 0.012)) % 1.0
    light = min(0.98, max(0.05, light + rng.uniform(-0.03, 0.03)))
    saturation = min(1.0, saturation * rng.uniform(0.9, 1.08))
    red, green, blue = colorsys.hls_to_rgb(hue, light, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def thing_palette(colour: str, pose: int) -> dict[str, Rgb]:
    """Return every named paint of one thing: its own colour in three tones, plus the fixed paints."""
    rng = random.Random(pose * 7919 + 17)
    main = jitter(colour, rng)
    dark = mix(main, (92, 84, 110), 0.24) if colour == "white" else mix(main, (24, 14, 40), 0.30)
    light = mix(main, (255, 250, 236), 0.24 if colour == "black" else 0.42)
    if colour == "white":
        light = (226, 226, 232)
    palette = dict(_FIXED, main=main, dark=dark, light=light)
    palette["skin"] = rng.choice(_SKINS)
    palette["hair"] = rng.choice(_HAIRS)
    palette["pattern"] = (
        mix(main, (70, 66, 84), 0.42) if colour in ("white", "yellow") else mix(main, (255, 250, 238), 0.62)
    )
    return palette
