"""The places where a delivery can be struck: its commit points."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.ledger import BatchRecord, Ledger

STEPS: dict[str, tuple[type, str]] = {
    "begin": (Ledger, "begin"),
    "stage": (Lakehouse, "stage"),
    "replace": (Lakehouse, "replace"),
    "record": (Ledger, "record"),
}
INNER_STEPS: dict[str, tuple[type, str]] = {**STEPS, "confirm": (Ledger, "confirm")}
"""Also the step between a table's lock and its commit, while the lock is held."""


@contextmanager
def struck(step: str, place: int, when: str, strike: Callable[[], None], *, of: str | None = None) -> Iterator[None]:
    """Strike before or after a step is taken for the n-th time. The step itself is the real one.

    Args:
        step: The step.
        place: How often it is taken before.
        when: ``before`` or ``after``.
        strike: What happens then.
        of: Count only what is done to this table.
    """
    owner, name = INNER_STEPS[step]
    original: Callable[..., Any] = getattr(owner, name)
    taken = 0

    def watched(*arguments: Any, **options: Any) -> Any:
        nonlocal taken
        if of is not None and _table_of(arguments[1]) != of:
            return original(*arguments, **options)
        taken += 1
        this = taken
        if this == place and when == "before":
            strike()
        result = original(*arguments, **options)
        if this == place and when == "after":
            strike()
        return result

    with patch.object(owner, name, watched):
        yield


def _table_of(subject: Any) -> str:
    """The table that a step's first argument is about."""
    if isinstance(subject, BatchRecord):
        subject = subject.ref
    return str(getattr(subject, "table", subject))
