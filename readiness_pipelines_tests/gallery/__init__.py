"""Domains of other shapes than the examples, each a page, each run whole."""
