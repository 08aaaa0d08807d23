"""A fuzzer of decisions: each expression is refused with a way out, or is applied to the rows that it names.

    python -m readiness_pipelines_tests.decisions.fuzz --cases 600 --seed 1

The installation is a real one, and each accepted decision is replayed. Prints what broke, and ends with 1 where
anything did.
"""

import argparse
import math
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pyarrow.parquet as pq

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward, Tolerance
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.decisions import Correction, Discarding, Undoing, Waiver
from readiness_pipelines.delivery import decide, deliver, ingest, replay_batch
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.plain_rows import plain_rows
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.decisions.grammar import Grammar

MOST_SECONDS = 20
MOST_MEGABYTES = 2_500
BATCH = "day_1"
RUN = Run(run_id="fuzz", who="ann")
RULE = "amount_greater_than_or_equal_to"

What = Correction | Waiver | Discarding
Rows = Mapping[int, Mapping[str, Any]]

COLUMNS: Mapping[str, tuple[arrow.DataType, list[Any]]] = {
    "order_id": (arrow.int64(), [1, 2, 3, 4, None, 6]),
    "amount": (arrow.float64(), [10.5, -20.0, 0.0, None, math.inf, math.nan]),
    "price": (
        arrow.decimal128(10, 2),
        [Decimal("1.10"), Decimal("-2.00"), None, Decimal("0.01"), Decimal("9.99"), None],
    ),
    "small": (arrow.int32(), [1, 2, None, -4, 5, 2_147_483_647]),
    "note": (arrow.string(), ["a", "7", None, "2026-01-31", "größer 🦆", "it's"]),
    "state": (arrow.string(), ["paid", "refunded", "paid", None, "", "x,y"]),
    "Größe (cm)": (arrow.string(), ["1", "2", "x", None, "5", " 6 "]),
    'sta"te 2': (arrow.string(), ["paid", None, "x", "y", "z", ""]),
    "flag": (arrow.bool_(), [True, False, None, True, False, True]),
    "paid": (
        arrow.timestamp("us"),
        [*(datetime(2026, 1, day) for day in range(1, 6)), None],  # noqa: DTZ001  # as files have them
    ),
    "day": (arrow.date32(), [None, *(date(2024, 2, 28 - day) for day in range(5))]),
}
TARGETS = tuple(COLUMNS)
"""The columns that are corrected."""


@dataclass(slots=True)
class Case:
    """One decision, and what came of it.

    Attributes:
        number: Its place in the run: the seed and this repeat it.
        what: The decision.
        refused: What refused it; ``None`` where it was accepted.
        faults: What should not have happened.
        seconds: How long it took.
    """

    number: int
    what: What
    refused: str | None = None
    faults: list[str] = field(default_factory=list)
    seconds: float = 0


class Bench:
    """A real installation with one batch, in which decisions are made, replayed and undone."""

    def __init__(self, folder: Path) -> None:
        shop = Domain("shop", owner="shop@shop.example")
        schema = {name: pa.Column(kind, nullable=True) for name, (kind, _) in COLUMNS.items()}
        schema["amount"] = pa.Column(arrow.float64(), pa.Check.ge(0), nullable=True)
        source = Source(
            origin="Shop", steward=Steward("Shop", "shop@shop.example"), reader=FileDrop("orders/{batch}.parquet")
        )
        shop.gated(
            "orders",
            source=source,
            schema=pa.DataFrameSchema(schema),
            batches=StaticBatches(keys=(BATCH,)),
            tolerance=Tolerance(quarantined_ratio=1.0),
        )
        table = shop.table("orders")
        assert isinstance(table, GatedTable)
        self.table = table
        self.ref = BatchRef(table.id, BATCH)
        (folder / "landing" / "orders").mkdir(parents=True)
        rows = arrow.table({name: arrow.array(values, kind) for name, (kind, values) in COLUMNS.items()})
        pq.write_table(rows, folder / "landing" / "orders" / f"{BATCH}.parquet")
        self.installation = Installation.open(settings_in(folder))
        ingest(table, batch=BATCH, installation=self.installation, run=RUN)
        deliver(table, batch=BATCH, installation=self.installation, run=RUN)
        self.before = self.rows()

    def rows(self) -> Rows:
        """Every row of the batch by ``_row``: where it is, and its columns.

        A held batch keeps what it published before, and all its rows wait.
        """
        lakehouse, found = self.installation.lakehouse, {}
        record = self.installation.ledger.get(self.ref)
        held = record is not None and record.state is BatchState.HELD
        with self.installation.engine() as engine:
            for store in (self.table.id, self.table.id.quarantine):
                if not lakehouse.exists(store) or (held and store == self.table.id):
                    continue
                for row in plain_rows(lakehouse.relation(engine, store, batch=BATCH).to_arrow_table()):
                    assert row["_row"] not in found, "a row is there twice"
                    found[row["_row"]] = {"where": store.domain, **{k: repr(v) for k, v in row.items() if k in COLUMNS}}
                    found[row["_row"]] |= {"errors": repr(row.get("_errors")), "discarded": repr(row.get("_discarded"))}
        return found

    def named(self, where: str | None) -> frozenset[int]:
        """The rows that a condition names, by a query of its own over the raw rows."""
        with self.installation.engine() as engine:
            raw = self.installation.lakehouse.relation(engine, self.table.id.raw, batch=BATCH)
            raw.create_view("raw_rows")
            query = f"SELECT _row FROM raw_rows WHERE CASE WHEN ({where or 'true'}) THEN true ELSE false END"
            return frozenset(row for (row,) in engine.sql(query).fetchall())

    def attempt(self, case: Case) -> None:
        """Make a decision; where it is accepted, replay it, a third of them twice, look at every row, and undo it."""
        began, ledger = time.monotonic(), self.installation.ledger
        decisions = len(ledger.decisions(self.ref))
        try:
            kept = decide(self.table, case.what, batch=BATCH, why="fuzz", installation=self.installation, run=RUN)
        except ReadinessError as error:
            case.refused = error.what
            if not error.way_out:
                case.faults.append(f"refused without a way out: {error.what[:200]}")
            if len(ledger.decisions(self.ref)) != decisions:
                case.faults.append("refused and kept all the same")
        except BaseException as error:  # this is what is looked for
            case.faults.append(f"decide: {type(error).__module__}.{type(error).__name__}: {str(error)[:200]}")
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            try:
                case.faults += self._applied(case.what, kept.rows, twice=case.number % 3 == 0)
                if ledger.trail(ref=self.ref, limit=1)[0].who != RUN.who:
                    case.faults.append("the trail does not say who")
                if not any(
                    entry.details.get("decision") == kept.decision.id
                    and entry.details.get("what") == kept.decision.text
                    for entry in ledger.trail(ref=self.ref, limit=4)
                ):
                    case.faults.append("the trail does not tell of it")
            except Exception as error:  # as above
                case.faults.append(f"replay: {type(error).__module__}.{type(error).__name__}: {str(error)[:300]}")
            undo = Undoing(decision=kept.decision.id)
            decide(self.table, undo, batch=BATCH, why="next", installation=self.installation, run=RUN)
        case.seconds = time.monotonic() - began
        if case.seconds > MOST_SECONDS:
            case.faults.append(f"took {case.seconds:.0f} seconds")
        if (most := peak_megabytes()) > MOST_MEGABYTES:
            case.faults.append(f"the process has taken {most:,.0f} MB")

    def _applied(self, what: What, counted: int | None, *, twice: bool) -> Iterator[str]:
        named = self.named(what.where)
        if counted is not None and counted != len(named):
            yield f"said that it touches {counted} rows, and its condition names {len(named)}"
        first = self._replayed()
        if twice and first != self._replayed():
            yield "the second replay differs from the first"
        if first.keys() != self.before.keys():
            yield f"rows are lost or new: {sorted(first.keys() ^ self.before.keys())}"
            return
        if all(row["where"] != "shop" for row in first.values()):
            return  # nothing is left to publish: all of the batch waits, or is discarded
        for number, row in first.items():
            before = self.before[number]
            if number not in named and row != before:
                yield f"row {number}, which it does not name, changed from {before} to {row}"
            if number in named and isinstance(what, Correction) and row["where"] == before["where"]:
                others = {name for name in COLUMNS if name != what.column and row[name] != before[name]}
                if others:
                    yield f"row {number} changed in {sorted(others)}, beside {what.column}"
            if number in named and isinstance(what, Discarding) and row["where"] == "shop":
                yield f"row {number} was discarded, and is published"
            if number in named and isinstance(what, Waiver) and RULE in row["errors"]:
                yield f"row {number} still breaks the waived rule"

    def _replayed(self) -> Rows:
        replay_batch(self.table, batch=BATCH, installation=self.installation, run=RUN)
        record = self.installation.ledger.get(self.ref)
        assert record is not None
        counts = record.counts
        assert counts.ingested == counts.published + counts.quarantined + counts.discarded == len(self.before), counts
        return self.rows()


def cases(seed: int, count: int) -> Iterator[Case]:
    """Decisions from a seed, one half of them hostile."""
    for number in range(count):
        chance = Random(f"{seed} {number}")
        grammar = Grammar(chance)
        depth = chance.randint(0, 4)
        expression, where = grammar.hostile(depth) if number % 2 else grammar.innocent(depth)
        optional = where if chance.random() < 0.7 else None
        what = chance.choice(
            (
                Correction(column=chance.choice(TARGETS), expression=expression, where=optional),
                Correction(column=chance.choice(TARGETS), expression=expression, where=None),
                Waiver(rule=RULE, where=where),
                Discarding(where=where),
            )
        )
        yield Case(number=number, what=what)


def run_cases(folder: Path, seed: int, count: int, *, only: int | None = None) -> Iterator[Case]:
    """Make and replay decisions in a folder, one after the other."""
    bench = Bench(folder)
    for case in cases(seed, count):
        if only is None or case.number == only:
            bench.attempt(case)
            yield case


def peak_megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--seed", type=int, default=int(datetime.now(UTC).timestamp()))
    parser.add_argument("--only", type=int, help="the number of the only case to run")
    parser.add_argument("--show", action="store_true", help="print every case")
    given = parser.parse_args()
    done = []
    with tempfile.TemporaryDirectory(prefix="readiness-fuzz-") as folder:
        for case in run_cases(Path(folder), given.seed, given.cases, only=given.only):
            done.append(case)
            if len(done) % 50 == 0:
                print(f"{len(done)} cases, {sum(bool(one.faults) for one in done)} of them wrong", flush=True)  # noqa: T201
            if case.faults or given.show:
                outcome = "\n  ".join(case.faults or [case.refused or "applied"])
                print(ascii(f"{case.number}: {case.what!r:.400}")[1:-1], ascii(outcome)[1:-1], sep="\n  ", flush=True)  # noqa: T201
    kinds = Counter(
        ("hostile" if case.number % 2 else "innocent", "refused" if case.refused else "applied") for case in done
    )
    wrong = sum(bool(case.faults) for case in done)
    print(f"seed {given.seed}: {len(done)} cases, {wrong} of them wrong; {dict(kinds)}")  # noqa: T201
    slowest = max(case.seconds for case in done)
    print(f"slowest {slowest:.1f} s, most memory {peak_megabytes():,.0f} MB")  # noqa: T201
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
