"""Vectors at rest (segments) and vectors being searched (FAISS generations)."""
