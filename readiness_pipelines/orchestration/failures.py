"""Our errors as Dagster failures: what may be tried again, and what may not."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import dagster as dg

from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.errors import ReadinessError

MAX_RETRIES = 3
RETRY_SECONDS = 2


@contextmanager
def as_failures(table: Table | None = None) -> Iterator[None]:
    """Turn our errors into failures with their message; only those that call themselves retryable are tried again.

    Dagster keeps whatever is raised, with all that it was caused by: of a table's rows, no more than may be kept.

    Args:
        table: The table whose rows are handled; ``None`` where that is seen to elsewhere.
    """
    try:
        with handling_rows(table) if table is not None else nullcontext():
            yield
    except ReadinessError as error:
        if error.retryable:
            raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=RETRY_SECONDS) from error
        raise dg.Failure(
            description=str(error),
            metadata={"code": error.code, **({"way_out": error.way_out} if error.way_out else {})},
            allow_retries=False,
        ) from error
