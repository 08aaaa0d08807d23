"""What the tests of the overview share: batches that arrive at a time, and are delivered as far as they go."""

import os
from datetime import UTC, datetime

from readiness_pipelines import Domain
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.samples import gated, land

START = datetime(2026, 1, 1, tzinfo=UTC)


def bring(
    domain: Domain,
    installation: Installation,
    batch: str,
    rows: tuple[str, ...],
    *,
    at: datetime = START,
    **options: str,
) -> None:
    """A file lands at the start, and is delivered at a time."""
    file = land(installation.landing.path, batch, *rows, **options)
    os.utime(file, (START.timestamp(), START.timestamp()))
    run = Run(who="me", clock=lambda: at)
    ingest(gated(domain), batch=batch, installation=installation, run=run)
    deliver(gated(domain), batch=batch, installation=installation, run=run)


def compute(domain: Domain, installation: Installation, batch: str, *tables: str, at: datetime = START) -> None:
    """Compute a batch of some tables at a time."""
    for name in tables:
        deliver(domain.table(name), batch=batch, installation=installation, run=Run(who="me", clock=lambda: at))
