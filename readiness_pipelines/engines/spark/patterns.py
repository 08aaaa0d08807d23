r"""Regular expressions for Spark, which reads them as Java does: rewritten where Java means something else, or refused.

RE2 is the measure (DuckDB and Arrow read patterns by it). In Java, ``$`` also matches before a last line break, ``.``
stops at five kinds of line breaks instead of one, ``\s`` knows one more character, and ``\b``, ``(?i)`` and ``\p``
follow other tables of letters.
"""

import re

SPACES = r"\t\n\f\r "
"""What ``\\s`` means to RE2."""

_REPETITION = re.compile(r"\{\d+(,\d*)?\}", re.ASCII)
"""Other braces are letters to RE2, and an error to Java."""

_SAME = frozenset("dDwWtnrfzA")
"""Escaped letters that mean the same to both."""


def java_pattern(pattern: str) -> str:
    """A pattern that means to Java what the given one means to RE2.

    Raises:
        ValueError: A part that cannot be rewritten; its message names it.
    """
    written: list[str] = []
    in_class = False
    place = 0
    while place < len(pattern):
        letter = pattern[place]
        following = pattern[place + 1 : place + 2]
        if letter == "\\":
            written.append(_escaped(following, in_class=in_class))
            place += 2
            continue
        if in_class:
            if letter == "[" or pattern.startswith("&&", place):
                raise ValueError(f"{letter!r} inside a class, which Java takes for another class: escape it")
            in_class = letter != "]" or written[-1] in ("[", "[^")
            written.append(letter)
        elif letter == "[":
            in_class = True
            place += following == "^"
            written.append("[^" if following == "^" else "[")
        elif letter == "(" and following == "?" and not pattern.startswith(("(?:", "(?P<"), place):
            raise ValueError("flags inside the pattern, for which Java has other tables of letters")
        elif pattern.startswith("(?P<", place):
            # Only whether it matches counts, not the names of its groups, which Java does not take with an underscore.
            written.append("(")
            place = pattern.index(">", place)
        elif letter == "{" and not _REPETITION.match(pattern, place):
            written.append(r"\{")
        else:
            written.append(r"\z" if letter == "$" else letter)
        place += 1
    # UNIX_LINES: only \n is a line break.
    return "(?d)" + "".join(written)


def _escaped(letter: str, *, in_class: bool) -> str:
    if letter == "s":
        return SPACES if in_class else f"[{SPACES}]"
    if letter == "S" and not in_class:
        return f"[^{SPACES}]"
    if letter in _SAME or (letter and not letter.isalnum()):
        return f"\\{letter}"
    raise ValueError(f"\\{letter}, which Java reads otherwise")
