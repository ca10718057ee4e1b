"""Readers: models that find the lines of text in a picture and say what is written there."""
