"""Processes killed in the middle, and what is left of their work."""
