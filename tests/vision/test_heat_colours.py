"""The colours of heat keep their order for every kind of colour vision, and their steps look equal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vision.heat_colours import LEVELS, heat_colours, oklab_to_srgb

# What people without the long-, middle- or short-wave cones see, in linear light: Machado, Oliveira and Fernandes,
# "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1.
SEEN = {
    "all cones": np.eye(3),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "tritanopia": np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
}


def linear() -> NDArray[np.float64]:
    srgb = heat_colours() / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("vision", SEEN)
def test_stronger_is_lighter_for_every_kind_of_colour_vision(vision: str) -> None:
    seen = np.clip(linear() @ SEEN[vision].T, 0, 1)
    luminance = seen @ np.array([0.2126, 0.7152, 0.0722])
    lightness = 116 * np.cbrt(luminance) - 16
    assert (np.diff(lightness[::16]) > 1).all()
    assert lightness[-1] - lightness[0] > 60


def test_equal_steps_of_strength_look_equal() -> None:
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    oklab = np.cbrt(linear() @ to_lms.T) @ to_lab.T
    steps = np.linalg.norm(np.diff(oklab[::15], axis=0), axis=1)
    assert len(heat_colours()) == LEVELS
    assert steps == pytest.approx(steps.mean(), rel=0.08)
    assert oklab_to_srgb(oklab) * 255 == pytest.approx(heat_colours().astype(float), abs=0.1)
