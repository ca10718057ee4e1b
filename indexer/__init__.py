"""Bulk jobs: scan, decode, embed, import and write."""
