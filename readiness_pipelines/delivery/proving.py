"""The proof that goes on by itself: a share of all batches, judged again; what does not add up becomes a finding."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery.problems import Level, Problem
from readiness_pipelines.delivery.reconcile import Reconciliation, reconcile, table_ref
from readiness_pipelines.delivery.share import Share
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ALL_BATCHES, BatchFinding, FindingKind

PROVED = "tables and ledger have it as its last verdict left it"


def prove_share(domains: Sequence[Domain], share: Share, *, installation: Installation, run: Run) -> Reconciliation:
    """Prove a share of the batches of some domains as thoroughly as can be, and keep what does not add up.

    A finding is open until the batch is delivered again, or proved. What is delivered meanwhile is left for another
    time.

    Returns:
        What was looked at, and the problems that were kept.

    Raises:
        LakehouseError: The catalog does not answer.
        LedgerError: The ledger cannot be reached.
    """
    ledger, tables = installation.ledger, [table for domain in domains for table in domain.tables]
    begun = run.clock()
    seen = reconcile(domains, installation=installation, level=Level.RECOMPUTE, share=share)
    ids = {name for table in tables for name in (table.id, table.id.raw)}
    moved = {attempt.ref for attempt in ledger.open_attempts(tables=ids)}
    moved |= {record.ref for record in ledger.batches(tables=ids) if record.updated_at >= begun}
    busy = {table_ref(ref, tables) for ref in moved}
    found: dict[BatchRef, list[Problem]] = defaultdict(list)
    for problem in seen.problems:
        if (ref := table_ref(problem.ref, tables)) not in busy:
            found[ref].append(problem)
    known = {one.ref for one in ledger.findings.of(tables=ids) if one.finding.kind is FindingKind.PROOF}
    proved = {ref for ref in known if ref.batch == ALL_BATCHES or ref in share} - busy
    for ref in {*found, *proved}:
        findings = [_finding(problem) for problem in found[ref]]
        ledger.findings.replace(ref, {FindingKind.PROOF: findings}, at=run.clock())
    kept = tuple(problem for problems in found.values() for problem in problems)
    return replace(seen, problems=kept)


def _finding(problem: Problem) -> BatchFinding:
    return BatchFinding(
        kind=FindingKind.PROOF,
        measured=problem.level.value,
        column=None,
        promised=PROVED,
        seen=f"{problem.ref.table}: {problem.what}",
        details={"way_out": problem.way_out},
    )
