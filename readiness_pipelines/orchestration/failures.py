"""Our errors as Dagster failures: what may be tried again, and what may not."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from readiness_pipelines.errors import ReadinessError

MAX_RETRIES = 3
RETRY_SECONDS = 2


@contextmanager
def as_failures() -> Iterator[None]:
    """Turn our errors into failures with their message; only those that call themselves retryable are tried again."""
    try:
        yield
    except ReadinessError as error:
        if error.retryable:
            raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=RETRY_SECONDS) from error
        raise dg.Failure(
            description=str(error),
            metadata={"code": error.code, **({"way_out": error.way_out} if error.way_out else {})},
            allow_retries=False,
        ) from error
