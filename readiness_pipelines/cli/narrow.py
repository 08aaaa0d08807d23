"""Texts in the cells of tables on narrow terminals: broken where a reader would break them."""

import re

_REDACTED = re.compile("«(.+), ([A-Z]+)»")
_BREAKS = re.compile(r"(?<=[_.,/\-])")


def short_redacted(text: str) -> str:
    """A redacted value in fewer characters: ``«9 digits A»`` for ``«text, 9 characters, digits, A»``."""
    found = _REDACTED.fullmatch(text)
    if found is None:
        return text
    kind, *rest = found[1].split(", ")
    if kind != "text" or not rest:
        return f"«{found[1]}, {found[2]}»"
    length = rest[0].partition(" ")[0]
    characters = rest[1] if len(rest) == 2 and " " not in rest[1] else "characters"  # noqa: PLR2004  # length and kind
    return f"«{length} {characters} {found[2]}»"


def broken_between_words(text: str, width: int) -> str:
    """A text in lines of a width, broken between words.

    A word that is longer than a line is broken after underscores, dots, commas, slashes and hyphens; a part that is
    longer still, anywhere.
    """
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) + bool(line) <= width:
            line = f"{line} {word}" if line else word
            continue
        if line:
            lines.append(line)
        *whole, line = _parts(word, width)
        lines += whole
    return "\n".join([*lines, line])


def _parts(word: str, width: int) -> list[str]:
    """A word in parts that fit a line, each as long as can be."""
    parts = [""]
    for piece in _BREAKS.split(word):
        if len(parts[-1]) + len(piece) <= width:
            parts[-1] += piece
        else:
            parts += [piece[start : start + width] for start in range(0, len(piece), width)]
    return parts if parts[0] else parts[1:]
