"""Measured quality: the figures that papers report, computed the way they define them."""
