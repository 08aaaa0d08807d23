"""What whoever has to act on a table should have before them: who is on call, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.contracts import Domain, Runbook, Table
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.on_call import OnCall, on_call_now

OUR_RUNBOOK = "docs/runbook.md#what-is-it"
"""What to do whatever the table: states, commands, decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """Who is on call for a table, and what to do.

    Attributes:
        on_call: Who is on call for its domain.
        runbook: What its own people wrote down; ``None`` where they did not.
        ours: Where it says what to do whatever the table.
    """

    on_call: OnCall
    runbook: Runbook | None
    ours: str = OUR_RUNBOOK

    @property
    def lines(self) -> tuple[str, ...]:
        """It in lines, for messages and for the command line; of the runbook its title and file."""
        if self.runbook is None:
            return f"on call: {self.on_call}", f"runbook: {self.ours}"
        where = f" ({self.runbook.path})" if self.runbook.path else ""
        return f"on call: {self.on_call}", f"runbook: {self.runbook.title}{where}; {self.ours}"


def guidance_of(table: Table, *, now: datetime) -> Guidance:
    """Who is on call for a table, and what to do.

    Args:
        table: The table.
        now: The time.
    """
    return Guidance(on_call=on_call_now(table.domain, now=now), runbook=table.runbook)


def guidance_for(domains: Iterable[Domain], tables: Iterable[TableId], *, now: datetime) -> Mapping[TableId, Guidance]:
    """The same of some tables, as far as they are declared; each calendar is looked into once.

    Args:
        domains: The domains that are declared.
        tables: The tables.
        now: The time.
    """
    wanted = set(tables)
    found: dict[TableId, Guidance] = {}
    for domain in domains:
        if mine := [table for table in domain.tables if table.id in wanted]:
            on_call = on_call_now(domain, now=now)
            found |= {table.id: Guidance(on_call=on_call, runbook=table.runbook) for table in mine}
    return found
