"""The places where a delivery can be struck: its commit points."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.ledger import Ledger

STEPS: dict[str, tuple[type, str]] = {
    "begin": (Ledger, "begin"),
    "stage": (Lakehouse, "stage"),
    "replace": (Lakehouse, "replace"),
    "record": (Ledger, "record"),
}


@contextmanager
def struck(step: str, place: int, when: str, strike: Callable[[], None]) -> Iterator[None]:
    """Strike before or after a step is taken for the n-th time. The step itself is the real one."""
    owner, name = STEPS[step]
    original: Callable[..., Any] = getattr(owner, name)
    taken = 0

    def watched(*arguments: Any, **options: Any) -> Any:
        nonlocal taken
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
