"""What is said of a fuzzed case: by Pandera, by the gate of a batch on an engine, and by the gate of single records."""

import os
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as arrow

from readiness_pipelines.gates import DuckDbEngine, Engine, Gate
from readiness_pipelines.sql import utc_connection
from readiness_pipelines_tests.conformance.fuzzed import FuzzedCase, FuzzedRule

Said = Mapping[str, frozenset[int]]
"""The rows that break a rule, by its name: all of them where the whole batch does."""


class NoOracleError(Exception):
    """Pandera itself cannot evaluate a rule; its message says why."""


@contextmanager
def host_zone(zone: str) -> Iterator[None]:
    """The host's time zone, for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def said_by_pandera(case: FuzzedCase, table: arrow.Table) -> Said:
    """What Pandera says of a table, through the one call that its checks have.

    Raises:
        NoOracleError: It cannot evaluate a rule.
    """
    return {rule.name: _failed(rule, table) for rule in case.rules}


def _failed(rule: FuzzedRule, table: arrow.Table) -> frozenset[int]:
    check = rule.check()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output = check(table, rule.column).check_output
            passes = nw.to_native(nw.from_native(table, eager_only=True).select(output.alias("passes")))
    except Exception as error:  # Pandera, Narwhals and Arrow raise what they like
        raise NoOracleError(f"{type(error).__name__}: {error}") from error
    answers = passes.column("passes").to_pylist()
    if not all(answer is None or isinstance(answer, bool) for answer in answers):
        raise NoOracleError(f"answers {answers}")
    failed = [not (check.ignore_na if answer is None else answer) for answer in answers]
    if len(failed) != table.num_rows:
        return frozenset(range(table.num_rows)) if any(failed) else frozenset()
    return frozenset(number for number, fails in enumerate(failed) if fails)


@contextmanager
def _duckdb(case: FuzzedCase) -> Iterator[tuple[Engine, Any]]:
    """An engine, and the case's rows in files of few rows, as raw has them, in the order in which they arrive."""
    rows = raw_rows(case)
    with TemporaryDirectory() as folder, utc_connection() as connection:
        files = []
        for start in range(0, rows.num_rows, case.group_rows):
            files.append(str(Path(folder, f"{start}.parquet")))
            connection.from_arrow(rows.slice(start, case.group_rows)).write_parquet(files[-1])
        connection.execute("SET preserve_insertion_order = false")
        yield DuckDbEngine(connection), connection.read_parquet(files)


def raw_rows(case: FuzzedCase) -> arrow.Table:
    """The rows as they arrive, with the framework's columns."""
    rows = case.table.append_column("_row", arrow.array(range(case.table.num_rows), arrow.int64()))
    for name in ("_batch", "_file"):
        rows = rows.append_column(name, arrow.array(["x"] * rows.num_rows, arrow.string()))
    for name in ("_unreadable", "_unreadable_reason"):
        rows = rows.append_column(name, arrow.nulls(rows.num_rows, arrow.string()))
    return rows.take(list(case.arrival))


def said_of_batch(case: FuzzedCase, gate: Gate) -> Said:
    """What the gate says of the batch, from files on DuckDB.

    Raises:
        ReadinessError: It refuses.
    """
    with _duckdb(case) as (engine, rows):
        return _judged(case, gate, engine, rows)


def said_on(engine: Engine, case: FuzzedCase, gate: Gate) -> Said:
    """What the gate says of the batch on an engine.

    Raises:
        ReadinessError: It refuses.
    """
    name = f"given_{abs(hash(case.seed))}"
    engine.view(name, raw_rows(case))
    return _judged(case, gate, engine, engine.rows(f"SELECT * FROM {name}"))


def _judged(case: FuzzedCase, gate: Gate, engine: Engine, rows: Any) -> Said:
    verdict = gate.judge(rows, engine)
    found: dict[str, set[int]] = defaultdict(set)
    for row in engine.collect(verdict.quarantined).to_pylist():
        for error in row["_errors"]:
            found[error["rule"]].add(row["_row"])
    for count in verdict.rules:
        if count.detail and count.broken_rows:
            found[count.rule.name] = set(range(case.table.num_rows))
    return {rule.name: frozenset(found.pop(rule.name, ())) for rule in case.rules} | {
        name: frozenset(rows) for name, rows in found.items()
    }


def said_of_record(gate: Gate, record: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The rules that a record breaks, and those that are not decided of it.

    Raises:
        ReadinessError: It refuses.
    """
    verdict = gate.check_record(record)
    return frozenset(broken.rule for broken in verdict.broken), frozenset(verdict.undecided)
