"""By what other words people look for a table: tags and synonyms."""

from collections.abc import Sequence

from readiness_pipelines.errors import DeclarationError


def checked_words(what: str, argument: str, given: Sequence[str] | str) -> tuple[str, ...]:
    """Tags or synonyms, each once, without spaces around them.

    Args:
        what: The table, for errors.
        argument: ``tags`` or ``synonyms``.
        given: One or several.

    Raises:
        DeclarationError: Something that is not text, or is empty.
    """
    words = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else given
    if not isinstance(words, tuple) or not all(isinstance(word, str) and word.strip() for word in words):
        raise DeclarationError(f"{argument} of {what} are {given!r}", way_out=f'give texts: {argument}=["refund"]')
    return tuple(dict.fromkeys(word.strip() for word in words))
