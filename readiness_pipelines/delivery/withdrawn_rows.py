"""Rows of a stream's window that slices published and its seal does not: announced before they are gone.

The trail and the finding that alerts are made of are one transaction, which comes before the commit that takes the rows
away. A seal that was cut off in between is done again: it sees whether the rows went, and keeps what was said or takes
it back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import history_command, quarantine_command
from readiness_pipelines.delivery.attempts import OpenAttempt
from readiness_pipelines.gates import Hold, Verdict
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Staged
from readiness_pipelines.ledger import BatchFinding, FindingKind
from readiness_pipelines.names import TableId
from readiness_pipelines.sources.messages import place_of

_NAMED = 1_000
"""So many withdrawn rows are named in the trail; all are counted."""

_NAMED_IN_FINDING = 10
_RULES = 3
"""So many rules are named as the reason."""


def announce_withdrawn(
    store: TableId,
    good: Staged,
    verdict: Verdict,
    *,
    ref: BatchRef,
    attempt: OpenAttempt,
    engine: duckdb.DuckDBPyConnection,
    installation: Installation,
    run: Run,
) -> Mapping[str, Any]:
    """Say which rows consumers will not see any more, before they are gone: in the trail, and as a finding.

    What waits is in quarantine already: the reasons are read there.

    Args:
        store: Where the batch is published.
        good: What its verdict publishes.
        verdict: The verdict.
        ref: The batch.
        attempt: The delivery.
        engine: Reads the tables.
        installation: Where they and the ledger are.
        run: Who, and when.

    Returns:
        What the delivery's own entry of the trail says of it, as ``withdrawn``; nothing where no row was withdrawn.

    Raises:
        CommitConflictError: Another delivery of the batch has begun.
        LakehouseError: A table cannot be read.
    """
    lakehouse, ledger = installation.lakehouse, installation.ledger
    said = next((one.finding for one in ledger.findings.of(batch=ref) if _is_withdrawn(one.finding)), None)
    there = bool(lakehouse.files(store, batch=ref.batch))
    rows = lakehouse.relation(engine, store, batch=ref.batch) if there else None
    before = said
    if said is not None and rows is not None and len(rows.filter(f"_row = {int(said.details['row'])}")):
        before = None  # it was cut off before its commit: the row is still there
    found = pa.table({"_row": pa.array([], pa.int64())})
    if rows is not None:
        left = rows.project("_row").except_(lakehouse.staged_rows(engine, good).project("_row"))
        found = left.order("_row").to_arrow_table()
    if rows is None or not found.num_rows:
        if said is not None and before is None:
            ledger.findings.replace(ref, {FindingKind.WITHDRAWN: ()}, at=run.clock())
        return _noted(before)
    gone = found.slice(0, _NAMED)["_row"].to_pylist()
    visible = len(rows)
    number = found.num_rows
    first = [f"{partition}/{offset}" for partition, offset in map(place_of, gone)]
    why = _why(verdict, found, ref, engine=engine, installation=installation)
    details = {"rows": number, "visible": visible, "first": first}
    finding = _finding(ref, verdict, {**details, "row": gone[0], "why": why}, before)
    ledger.streams.announce(
        ref,
        what="withdraws",
        who=run.who,
        why=f"{number:,} of {visible:,} rows that slices published are not published by the seal: {why}",
        at=run.clock(),
        details=details,
        found={FindingKind.WITHDRAWN: [finding]},
        attempt=attempt.id,
    )
    return {"withdrawn": {**details, "rows": finding.details["rows"], "visible": finding.details["visible"]}}


def _is_withdrawn(finding: BatchFinding) -> bool:
    return finding.kind is FindingKind.WITHDRAWN


def _noted(before: BatchFinding | None) -> Mapping[str, Any]:
    """What a seal says that finds the rows gone: the one before it came so far."""
    if before is None:
        return {}
    return {"withdrawn": {name: before.details[name] for name in ("rows", "visible", "first")}}


def _finding(ref: BatchRef, verdict: Verdict, said: Mapping[str, Any], before: BatchFinding | None) -> BatchFinding:
    """What is told of it, with what a seal that was cut off after its commit withdrew."""
    held = isinstance(verdict.outcome, Hold)
    number, visible, first, why = said["rows"], said["visible"], said["first"], said["why"]
    if before is not None:
        number, visible = number + before.details["rows"], before.details["visible"]
        first, why = [*before.details["first"], *first], "; ".join(dict.fromkeys((before.details["why"], why)))
    return BatchFinding(
        kind=FindingKind.WITHDRAWN,
        measured="rows",
        column=None,
        promised="rows that are visible pass the rules over the whole window",
        seen=f"{number:,} of {visible:,} rows that were visible were withdrawn by the seal: {why}",
        details={
            "rows": number,
            "visible": visible,
            "first": first[:_NAMED_IN_FINDING],
            "row": said["row"],
            "why": why,
            "held": held,
            "way_out": quarantine_command(ref) if verdict.quarantined_rows else history_command(ref),
        },
    )


def _why(
    verdict: Verdict, gone: pa.Table, ref: BatchRef, *, engine: duckdb.DuckDBPyConnection, installation: Installation
) -> str:
    """Why rows are withdrawn, for people: the window is held, or by the rules that they break."""
    if isinstance(verdict.outcome, Hold):
        return f"the window is held: {verdict.outcome.reason}"
    waiting = installation.lakehouse.relation(engine, ref.table.quarantine, batch=ref.batch)
    rules = "list_distinct(list_transform(_errors, lambda one: one.rule)) AS rules"
    mine = waiting.project(f"_row, {rules}").join(engine.from_arrow(gone), "_row", how="semi")
    deciding = {count.rule.name for count in verdict.deciding}
    counted: Sequence[tuple[str, int]] = (
        mine.project("unnest(rules) AS rule").aggregate("rule, count(*) AS broken", "rule").fetchall()
    )
    broken = sorted((one for one in counted if one[0] in deciding), key=lambda one: (-one[1], one[0]))
    said = [f"{rule} ({_rows(rows)})" for rule, rows in broken[:_RULES]]
    said += [f"{len(broken) - _RULES} more rules"] if len(broken) > _RULES else []
    elsewhere = gone.num_rows - len(mine)
    said += [f"{_rows(elsewhere)} discarded, or of persons who were erased"] if elsewhere else []
    return ", ".join(said)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"
