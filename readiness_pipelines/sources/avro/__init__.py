"""Avro as raw rows have it: text, as a JSON message of the same values would give."""
