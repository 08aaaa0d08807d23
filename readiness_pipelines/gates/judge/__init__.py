"""A batch judged in an engine."""
