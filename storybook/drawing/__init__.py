"""Draws scenes: sketches in their own units, rastered with a style, measured where they are visible."""

from storybook.drawing.render import Rendered, render

__all__ = ["Rendered", "render"]
