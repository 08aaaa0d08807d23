"""Gates and findings: what a gate demanded, and what was found about a batch and called normal."""

from datetime import timedelta

import pytest

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger import BatchFinding, FindingKind, GateRecord, Ledger
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, PAID, REF, a_record


def test_a_gate_is_remembered_once_with_the_words_it_has_now(ledger: Ledger) -> None:
    old = GateRecord(version="1", declaration={"rules": ["a"]}, first_used_at=NOW)
    new = GateRecord(version="2", declaration={"rules": ["b"]}, first_used_at=NOW + timedelta(days=1))
    again = GateRecord(version="1", declaration={"rules": ["a"]}, first_used_at=NOW + timedelta(days=2))
    for gate in (new, old, again):
        ledger.remember_gate(ORDERS, gate)
    assert ledger.gates(ORDERS) == (old, new)
    assert ledger.gates(PAID) == ()
    reworded = GateRecord(version="1", declaration={"rules": ["a"], "wording": ["other"]}, first_used_at=NOW)
    ledger.remember_gate(ORDERS, reworded)
    assert ledger.gates(ORDERS) == (reworded, new)


FINDING = BatchFinding(kind=FindingKind.VOLUME, measured="rows", column=None, promised="9 rows", seen="3 rows")


def record(ledger: Ledger, *findings: BatchFinding) -> None:
    ledger.record(a_record(BatchState.PUBLISHED), what="published", who="me", found={FindingKind.VOLUME: findings})


def test_findings_are_of_their_table_and_batch_until_the_next_delivery(ledger: Ledger) -> None:
    record(ledger, FINDING)
    (found,) = ledger.findings.of(tables=[ORDERS])
    assert (found.ref, found.finding, found.normal_at) == (REF, FINDING, None)
    assert ledger.findings.of() == ledger.findings.of(batch=REF) == (found,)
    assert ledger.findings.of(tables=[PAID]) == ledger.findings.of(batch=BatchRef(ORDERS, "day_2")) == ()
    record(ledger)
    assert ledger.findings.of() == ()


def test_what_somebody_called_normal_stays_normal(ledger: Ledger) -> None:
    record(ledger, FINDING)
    with pytest.raises(LedgerError, match="has no reason"):
        ledger.findings.accept(REF, [FindingKind.VOLUME], who="ann", why="", at=NOW)
    with pytest.raises(LedgerError, match="nothing was found"):
        ledger.findings.accept(REF, [FindingKind.SCHEMA], who="ann", why="x", at=NOW)
    (accepted,) = ledger.findings.accept(REF, [FindingKind.VOLUME], who="ann", why="a holiday", at=NOW)
    record(ledger, FINDING)
    assert ledger.findings.of() == (accepted,)
    assert (accepted.normal_by, accepted.normal_why) == ("ann", "a holiday")
