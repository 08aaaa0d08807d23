"""What the page of a batch says, gathered as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import history_command
from readiness_pipelines.contracts import Table
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.gates import RuleCount
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, FoundFinding, Incident, IncidentState
from readiness_pipelines.overview import (
    BatchHistory,
    Guidance,
    broken_rules,
    guidance_of,
    history,
    quarantine_rows,
    waiting_record,
    waiting_values,
    ways_out,
)

SHOWN_ROWS = 20
"""Rows that wait are shown up to so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFacts:
    """What the page of a batch says.

    Attributes:
        table: Its table.
        ref: The batch.
        at: When it was gathered, in UTC.
        record: Where it stands; ``None`` where it was ingested and not judged.
        steps: What it was made of, itself, and what was made of it, in the order rows flow, with decisions and trail.
        rules: The rules that it breaks now, most rows first.
        not_judged: Why they are not known; "" where they are.
        rows: The first rows that wait, with values of classified columns redacted: a page is a file, and passed on.
        unusual: What was found about it and nobody called normal.
        incidents: Those about it that are open or acknowledged.
        commands: What could be typed next.
        guidance: Who is on call, and what to do.
    """

    table: Table
    ref: BatchRef
    at: datetime
    record: BatchRecord | None
    steps: tuple[BatchHistory, ...]
    rules: tuple[RuleCount, ...]
    not_judged: str
    rows: tuple[Mapping[str, Any], ...]
    unusual: tuple[FoundFinding, ...]
    incidents: tuple[Incident, ...]
    commands: tuple[str, ...]
    guidance: Guidance

    @property
    def step(self) -> BatchHistory:
        """The batch itself among the steps."""
        return next(step for step in self.steps if step.ref == self.ref)


def gather_batch(table: Table, *, batch: str, installation: Installation, now: datetime) -> BatchFacts:
    """Gather what the page of a batch says. Nothing is written.

    Raises:
        LedgerError: The batch was never delivered, or the ledger cannot be reached.
        UnknownNameError: The ledger knows no such batch; names the nearest.
        LakehouseError: A table cannot be read.
    """
    ref, ledger = BatchRef(table.id, batch), installation.ledger
    steps = history(table, batch=batch, installation=installation).steps
    record = ledger.get(ref)
    waits = record is not None and record.counts.quarantined > 0
    rules, not_judged = _rules(table, batch, installation) if waits else ((), "")
    shown: tuple[Mapping[str, Any], ...] = ()
    if waits:
        rows = quarantine_rows(table, batch=batch, rule=None, limit=SHOWN_ROWS, installation=installation)
        shown = waiting_values(table, rows)
    return BatchFacts(
        table=table,
        ref=ref,
        at=now,
        record=record,
        steps=steps,
        rules=rules,
        not_judged=not_judged,
        rows=shown,
        unusual=tuple(one for one in ledger.findings.of(batch=ref) if one.normal_at is None),
        incidents=tuple(
            one
            for one in ledger.incidents.incidents(tables=[table.id])
            if one.finding.batch == batch and one.state is not IncidentState.RESOLVED
        ),
        commands=ways_out(record, rules) if record is not None else (history_command(ref),),
        guidance=guidance_of(table, now=now),
    )


def _rules(table: Table, batch: str, installation: Installation) -> tuple[tuple[RuleCount, ...], str]:
    """The rules that a batch breaks; a page without them is better than none, where it cannot be judged any more."""
    try:
        record = waiting_record(table, batch=batch, installation=installation)
        return broken_rules(table, record, installation=installation)[0], ""
    except ReadinessError as error:
        return (), error.what
