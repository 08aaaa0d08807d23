"""Columns of sources that look personal and that nobody classified: found when they were first ingested."""

from collections.abc import Iterator, Mapping, Sequence

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import scan_command
from readiness_pipelines.contracts import GatedTable, Table, answers_for, products_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.scanning import CLASSIFIED, FAILED, SCAN
from readiness_pipelines.detection import Certainty
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, Finding, FindingKind, FoundFinding, Severity
from readiness_pipelines.names import TableId


def unclassified_columns(tables: Mapping[TableId, Table], *, installation: Installation) -> Iterator[Finding]:
    """One finding for each table: columns that arrived last and that the code does not classify.

    It is over as soon as the code does: the columns are compared with the declaration as it is now.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    raw = {table.id.raw: table for table in tables.values() if isinstance(table, GatedTable)}
    found: dict[TableId, list[FoundFinding]] = {}
    for one in installation.ledger.findings.of(tables=raw):
        if one.finding.kind is FindingKind.UNCLASSIFIED:
            found.setdefault(one.ref.table, []).append(one)
    newest = installation.ledger.latest_of(list(found)) if found else {}
    for name, scanned in found.items():
        table = raw[name]
        try:
            open_ones = _open(table, scanned, newest.get(name))
        except GateBuildError:
            continue  # nothing can be delivered by such a gate: that is another finding
        if open_ones:
            yield _finding(table, open_ones)


def _open(table: GatedTable, scanned: Sequence[FoundFinding], newest: BatchRecord | None) -> list[FoundFinding]:
    arrived = {column.name for column in newest.columns} if newest else set()
    last_look = _last_looks(scanned)
    gate = gate_of(table)
    expected = table.source.classification.personal
    return [
        one
        for one in scanned
        if (
            one.ref == last_look.get(FAILED)
            if one.finding.measured == FAILED
            else one.finding.column in arrived
            and one.ref == last_look.get(one.finding.column, one.ref)
            and gate.class_of(one.finding.column) is None
            and (expected or one.finding.details["certainty"] == Certainty.SURE)
        )
    ]


def _last_looks(found: Sequence[FoundFinding]) -> Mapping[str, BatchRef]:
    """The batch in which each column was looked at last, and the one in which that broke, if none was since."""
    looks: dict[str, BatchRef] = {}
    for one in found:
        if one.finding.measured == SCAN:
            looks |= dict.fromkeys(one.finding.details["columns"], one.ref)
            looks.pop(FAILED, None)
        elif one.finding.measured == FAILED:
            looks[FAILED] = one.ref
    return looks


def _finding(table: GatedTable, found: list[FoundFinding]) -> Finding:
    first = next((one for one in found if one.finding.measured != FAILED), found[0])
    broke = first.finding.measured == FAILED
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return Finding(
        kind=FindingKind.UNCLASSIFIED,
        severity=Severity.WARN,
        table=table.id,
        batch=None,
        promised=CLASSIFIED,
        seen=f"{first.finding.seen}{'' if broke else ', nobody classified it'}{more}",
        since=min(one.found_at for one in found),
        details=tuple(one.finding.seen for one in found),
        way_out=scan_command(table.id),
        answers=answers_for(table),
        at_risk=products_of(table),
    )
