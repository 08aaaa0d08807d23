"""Messages of others that may quote values: what DuckDB, Arrow, a driver or a user's own code says of rows."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from readiness_pipelines.errors import ReadinessError, first_line, raised_at
from readiness_pipelines.masking.classes import Classes
from readiness_pipelines.masking.values import describe
from readiness_pipelines.masking.vocabulary import KNOWN_WORDS

_HANDLED: ContextVar[Classes | None] = ContextVar("handled", default=None)

_WITHOUT_ROWS = frozenset({"IOException", "HTTPException", "OutOfMemoryException", "InterruptException"})
"""Errors of DuckDB about files, memory and the network, which quote no rows."""

_PARTS = re.compile(r"(?<!\w)'.*'|\".*\"|`.*`|[^\W\d_]\w*(?:'t\b)?|[^\w\s]|\w+", re.DOTALL)


class MaskedError(Exception):
    """An error that is not one of ours, as it may be stored and shown: its kind, and what it says without values."""


@contextmanager
def handling(classes: Classes) -> Iterator[None]:
    """Handle rows of a table: what `quoted` may repeat of a message follows from what its columns are to persons.

    Where nobody said whose rows are handled, nothing of them is repeated. What is raised here says no more, either: an
    error of ours goes on without those that caused it, and of another one goes on what `quoted` makes of it.

    Raises:
        MaskedError: Something was raised that is not an error of ours, and may quote classified values.
    """
    token = _HANDLED.set(classes)
    try:
        yield
    except ReadinessError as error:
        if not classes.plain:
            error.__cause__ = error.__context__ = None
        raise
    except (MaskedError, MemoryError):
        raise
    except Exception as error:
        if classes.plain:
            raise
        said = f"{type(error).__name__}: {quoted(error)}"
        raise MaskedError(said).with_traceback(error.__traceback__) from None
    finally:
        _HANDLED.reset(token)


def handled_classes() -> Classes | None:
    """What the columns are to persons of the table whose rows are handled; ``None`` where nobody said."""
    return _HANDLED.get()


def quoted(error: BaseException) -> str:
    """What an error says, on one line, as it may be stored and shown outside the lakehouse.

    What it may quote of classified columns is left out; where it was raised in somebody's own code is said instead.

    Args:
        error: An error of DuckDB, Arrow, a driver, or of a user's code.
    """
    if isinstance(error, ReadinessError):
        return error.what  # made by this function, as far as it repeats others
    place = raised_at(error)
    if type(error).__name__ in _WITHOUT_ROWS or (isinstance(error, OSError) and not place):
        return first_line(error)
    classes = _HANDLED.get()
    return quoted_text(first_line(error)) + (f" ({place})" if place and not (classes and classes.plain) else "")


def quoted_text(message: str) -> str:
    """The message of an error, as `quoted`."""
    classes = _HANDLED.get()
    if classes is not None and classes.plain:
        return message
    return redact_message(message, classes.names if classes else ())


def quoted_value(value: object) -> str:
    """A value in a message of our own, as it may be stored and shown outside the lakehouse."""
    classes = _HANDLED.get()
    return repr(value) if classes is not None and classes.plain else f"«{describe(value)}»"


def redact_message(message: str, names: Collection[str]) -> str:
    """A message without what may be a value: whatever stands in quotes, numbers, and words that no such message has.

    Args:
        message: The message.
        names: Names of columns, which stay.
    """
    known = {name.lower() for name in names}
    parts: list[str] = []
    for found in _PARTS.finditer(message):
        part = found[0]
        kept = part
        if part[0] in "'\"`" and len(part) > 1:
            kept = part if part[1:-1].lower() in known else "«…»"
        elif part[0].isalnum() or part[0] == "_":
            kept = part if part.lower() in known or part.lower() in KNOWN_WORDS else "«…»"
        if kept == "«…»" and parts and parts[-1].endswith("«…»"):
            continue
        gap = " " if parts and found.start() and message[found.start() - 1].isspace() else ""
        parts.append(gap + kept)
    return "".join(parts)
