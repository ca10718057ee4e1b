"""Patch vectors that a library keeps: where they lie, what they say about a text, the boxes drawn from them."""
