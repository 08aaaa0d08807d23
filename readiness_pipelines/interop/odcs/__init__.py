"""Contracts as the Open Data Contract Standard has them: written in 3.1, read in 3.0 to 3.2."""
