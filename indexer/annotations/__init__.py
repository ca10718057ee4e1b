"""Annotation files of the world, each read into the same records."""
