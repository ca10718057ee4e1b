"""Dual encoders: text and images into one embedding space."""
