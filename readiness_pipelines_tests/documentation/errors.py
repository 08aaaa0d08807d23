"""All kinds of errors that people may see."""

from collections.abc import Iterator

import readiness_pipelines.products.kpis  # noqa: F401  # has a kind of its own
from readiness_pipelines.errors import ReadinessError


def _kinds(kind: type[ReadinessError]) -> Iterator[type[ReadinessError]]:
    yield kind
    for inner in kind.__subclasses__():
        if inner.__module__.startswith("readiness_pipelines."):
            yield from _kinds(inner)


ERRORS = tuple(_kinds(ReadinessError))
"""Each before those that are special cases of it."""
