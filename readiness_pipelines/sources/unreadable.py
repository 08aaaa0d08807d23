"""What cannot be decoded becomes a row that says why."""


class UnreadableError(ValueError):
    """A message has no values; says why, and repeats none of them."""
