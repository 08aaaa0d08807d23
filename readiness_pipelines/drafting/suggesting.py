"""Rules that profiles of earlier batches suggest."""


class Suggestion:
    """A rule."""


def suggest_rules() -> tuple[Suggestion, ...]:
    """None yet."""
    return ()
