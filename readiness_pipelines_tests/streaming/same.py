"""The same records as files and as a stream: ``python -m readiness_pipelines_tests.streaming.same --records 200000``.

After the seal every table has equal rows, quarantine has the same rows for the same rules, and the KPI is the same.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.brokers import broker
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.streaming.payments import (
    FILES,
    START,
    TOPIC,
    WINDOW,
    Clock,
    mixed,
    payment,
    payments_domain,
    payments_table,
    read_until,
)

COLUMNS = "payment_id, paid_at, amount, state, note"
RULES = "list_transform(_errors, lambda one: one.rule) AS rules"


def differences(records: int, folder: Path) -> list[str]:
    """Deliver records both ways; what differs then."""
    values: list[bytes] = [*mixed(records - 20), *(payment(number) for number in range(20))]  # twenty are there twice
    stream, files = (_opened(folder / name) for name in ("stream", "files"))
    clock = Clock()
    run = Run(clock=clock)
    domain, others = payments_domain(records=20_000), payments_domain(FILES)
    table = payments_table(domain)
    with broker("noida", folder / "broker") as one:
        one.make_topic(TOPIC)
        one.send(TOPIC, values)
        began = time.monotonic()
        progress = read_until(table, one, stream, records=records, run=run, seconds=1_200)
    _say(f"stream: {progress.records:,} messages in {progress.slices} slices, {time.monotonic() - began:.0f} s")
    clock.now = START + timedelta(hours=1, minutes=1)
    target = folder / "files" / "landing" / "payments" / f"{WINDOW}.jsonl"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"\n".join(values) + b"\n")
    for name, one_domain, installation in (("seal", domain, stream), ("file", others, files)):
        began = time.monotonic()
        for work in due_work([one_domain], installation=installation, now=clock.now):
            do_work(work, installation=installation, run=run)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
        _say(f"{name}: {time.monotonic() - began:.1f} s; peak of this process so far {peak:,} MB")
    wrong = [f"{one.ref}: {one.what}" for one in reconcile([domain], installation=stream).problems]
    for ident, columns in (
        (table.id.raw, COLUMNS),
        (table.id, COLUMNS),
        (table.id.quarantine, f"{COLUMNS}, {RULES}"),
        (domain.table("refunds").id, "*"),
    ):
        there, here = (_rows(installation, ident, columns) for installation in (stream, files))
        _say(f"{ident}: {len(there):,} rows by the stream, {len(here):,} by the file, {_same(there == here)}")
        if there != here:
            wrong.append(f"{ident} differs")
    left, right = (installation.ledger.get(BatchRef(table.id, WINDOW)) for installation in (stream, files))
    assert left is not None
    assert right is not None
    wrong += [
        f"{name}: {getattr(left, name)} by the stream, {getattr(right, name)} by the file"
        for name in ("state", "counts", "reason", "gate_version", "newest_event_at")
        if getattr(left, name) != getattr(right, name)
    ]
    _say(f"verdict: {left.state.value}, {left.counts}")
    return wrong


def _opened(folder: Path) -> Installation:
    (folder / "landing").mkdir(parents=True)
    return Installation.open(settings_in(folder))


def _rows(installation: Installation, ident: object, columns: str) -> Sequence[tuple[object, ...]]:
    with installation.engine() as engine:
        relation = installation.lakehouse.relation(engine, ident)  # type: ignore[arg-type]  # a TableId
        return relation.project(columns).order("ALL").fetchall()


def _same(equal: bool) -> str:
    return "equal" if equal else "NOT EQUAL"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command's answer


def main() -> None:
    """Compare; the exit code is 1 where something differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=200_000)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="readiness-same-") as name:
        wrong = differences(said.records, Path(name))
    for line in wrong:
        _say(f"WRONG: {line}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
