"""The engine: what is stored, how it is found, and every on-disk format."""
