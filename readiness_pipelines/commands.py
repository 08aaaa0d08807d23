"""The commands that messages, reports and alerts suggest: spelled once, so that each of them runs as it is printed."""

import shlex

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId


def run_command(ref: BatchRef) -> str:
    """Ingest, judge and publish a batch of a table: ``readiness run shop.orders --batch 2026-11-01``."""
    return _spelled("run", str(ref.table), "--batch", ref.batch)


def stream_command(table: TableId, shard: str) -> str:
    """Read a shard of a table's topic: ``readiness stream bank.payments --shard 0/4``."""
    return _spelled("stream", str(table), "--shard", shard)


def status_command(domain: str) -> str:
    """Where each batch of a domain stands: ``readiness status shop``."""
    return _spelled("status", domain)


def history_command(ref: BatchRef) -> str:
    """What happened to a batch: ``readiness history shop.orders --batch 2026-11-01``."""
    return _spelled("history", str(ref.table), "--batch", ref.batch)


def quarantine_command(ref: BatchRef) -> str:
    """The rows of a batch that wait: ``readiness quarantine show shop.orders --batch 2026-11-01``."""
    return _spelled("quarantine", "show", str(ref.table), "--batch", ref.batch)


def approve_command(ref: BatchRef, decision: int) -> str:
    """Agree to a decision of somebody else.

    ``readiness quarantine approve shop.orders --batch 2026-11-01 --decision 3 --reason …``
    """
    given = ["--batch", ref.batch, "--decision", str(decision), "--reason", "looked at it"]
    return _spelled("quarantine", "approve", str(ref.table), *given)


def undo_command(ref: BatchRef, decision: int) -> str:
    """Take a decision back: ``readiness quarantine undo shop.orders --batch 2026-11-01 --decision 3 --reason …``."""
    given = ["--batch", ref.batch, "--decision", str(decision)]
    return _spelled("quarantine", "undo", str(ref.table), *given) + " --reason …"


def replay_command(ref: BatchRef, *, dry_run: bool = True) -> str:
    """Judge a batch again, or only show what that would change.

    ``readiness replay shop.orders --batch 2026-11-01 --dry-run``
    """
    return _spelled("replay", str(ref.table), "--batch", ref.batch, *(["--dry-run"] if dry_run else []))


def reconcile_command(domain: str, *, repair: bool = True) -> str:
    """Compare a domain's tables with its ledger, and repair what differs: ``readiness reconcile shop --repair``."""
    return _spelled("reconcile", domain, *(["--repair"] if repair else []))


def contract_export_command() -> str:
    """Write what the tables promise, for consumers to read: ``readiness contract export``."""
    return _spelled("contract", "export")


def contract_check_command(table: TableId) -> str:
    """Who breaks by what changed in a table's contract: ``readiness contract check shop.orders``."""
    return _spelled("contract", "check", str(table))


def plan_command(
    what: str | None = None, *, evaluate: bool = False, out: str = "", apply: str = "", drop: str = ""
) -> str:
    """What the code would do to past batches: ``readiness plan shop --evaluate``; carried out, or an environment's end.

    ``readiness plan --apply plan.json --reason …``, ``readiness plan --drop-env dev``
    """
    if apply:
        return _spelled("plan", "--apply", apply, "--reason", "as planned")
    if drop:
        return _spelled("plan", "--drop-env", drop)
    scope = [what] if what else []
    return _spelled("plan", *scope, *(["--evaluate"] if evaluate or out else []), *(["--out", out] if out else []))


def erase_command(*, apply_register: bool = False) -> str:
    """Finish the erasures that were cut off, or erase everybody again whom the register knows.

    ``readiness erase --resume``, ``readiness erase --apply-register``
    """
    return _spelled("erase", "--apply-register" if apply_register else "--resume")


def schema_command(table: TableId) -> str:
    """The columns that a table's source is known to have: ``readiness schema show shop.orders``."""
    return _spelled("schema", "show", str(table))


def report_command(domain: str) -> str:
    """A domain's report: ``readiness report shop``."""
    return _spelled("report", domain)


def open_command(ref: BatchRef) -> str:
    """The page of a batch: ``readiness open shop.orders --batch 2026-11-01``."""
    return _spelled("open", str(ref.table), "--batch", ref.batch)


def catalog_command(table: TableId) -> str:
    """All that is known of a table: ``readiness catalog show shop.orders``."""
    return _spelled("catalog", "show", str(table))


def scan_command(table: TableId) -> str:
    """What a table's columns look like: ``readiness scan shop.orders``."""
    return _spelled("scan", str(table))


def model_command(verb: str, model: TableId, version: int | None = None) -> str:
    """What is done with a model: ``readiness model show shop.churn``, ``readiness model promote shop.churn 3``."""
    return _spelled("model", verb, str(model), *([] if version is None else [str(version)]))


def _spelled(*words: str) -> str:
    return shlex.join(("readiness", *words))
