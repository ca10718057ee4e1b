"""The HTTP face: JSON API, pages and media."""
