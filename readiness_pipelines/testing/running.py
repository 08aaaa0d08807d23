"""Domains run whole, without Dagster: what a domain's own tests call."""

from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery import Delivery, do_work, due_work
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run

MOST_ROUNDS = 50
"""Work that is due again after so many rounds is never done."""


def run_domains(*domains: Domain, installation: Installation, run: Run | None = None) -> tuple[Delivery, ...]:
    """Do all that is due in some domains, until nothing is: what arrived is ingested and judged, and the rest computed.

    Args:
        domains: The domains.
        installation: Where they are run: see `temporary_installation`.
        run: Who, and when.

    Returns:
        What became of each batch, in the order in which it was delivered.

    Raises:
        LandingError: A source cannot be read.
        DeclarationError: A transform breaks, or the same work is due again and again.
    """
    run = run or Run(who="test")
    deliveries: list[Delivery] = []
    done: set[tuple[str, str, str]] = set()
    for _ in range(MOST_ROUNDS):
        works = due_work(domains, installation=installation, now=run.clock())
        new = [work for work in works if (work.lane.name, work.batch, work.fingerprint) not in done]
        if not new:
            return tuple(deliveries)
        sources = [work for work in new if work.feeds_others] or new
        for work in sources:
            done.add((work.lane.name, work.batch, work.fingerprint))
            deliveries += do_work(work, installation=installation, run=run)
    raise DeclarationError(
        f"after {MOST_ROUNDS} rounds there is still work to do: {new[0].lane.name} {new[0].batch}: {new[0].why}",
        way_out="look for a source that gives something else each time",
    )
