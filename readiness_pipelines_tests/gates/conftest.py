"""What is handled here are literals of tests, which errors may repeat."""

from collections.abc import Iterator

import pytest

from readiness_pipelines.masking import PLAIN, handling


@pytest.fixture(autouse=True)
def _values_may_be_shown() -> Iterator[None]:
    with handling(PLAIN):
        yield
