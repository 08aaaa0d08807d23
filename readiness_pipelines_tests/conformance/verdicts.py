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
import pyarrow.compute as pc
from pandera.constants import CHECK_OUTPUT_KEY

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


def _sum_wraps(table: arrow.Table) -> bool:
    """Whether the sum of a column's whole numbers is beyond 64 bits."""
    for field in table.schema:
        if arrow.types.is_integer(field.type):
            least, most = (0, 2**64) if arrow.types.is_unsigned_integer(field.type) else (-(2**63), 2**63)
            if not least <= sum(one for one in table.column(field.name).to_pylist() if one is not None) < most:
                return True
    return False


def _failed(rule: FuzzedRule, table: arrow.Table) -> frozenset[int]:
    check, table = rule.check(), _with_one_zero(table, rule)
    if ".sum()" in rule.source and _sum_wraps(table):
        raise NoOracleError("Arrow's sum of whole numbers wraps around: see docs/pandera-parity.md")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers = _answers(check(table, rule.column).check_output, table)
    except Exception as error:  # Pandera, Narwhals and Arrow raise what they like
        raise NoOracleError(f"{type(error).__name__}: {error}") from error
    if not all(answer is None or isinstance(answer, bool | int) for answer in answers):
        raise NoOracleError(f"answers {answers}")
    failed = [not (check.ignore_na if answer is None else answer) for answer in answers]
    if len(failed) != table.num_rows:
        return frozenset(range(table.num_rows)) if any(failed) else frozenset()
    return frozenset(number for number, fails in enumerate(failed) if fails)


def _answers(output: Any, table: arrow.Table) -> list[Any]:
    """What a check says of each row; one answer where it speaks of the batch."""
    if isinstance(output, nw.Expr):
        output = nw.from_native(table, eager_only=True).select(output.alias(CHECK_OUTPUT_KEY))
    if isinstance(output, nw.LazyFrame):
        output = output.collect()
    if isinstance(output, nw.DataFrame):
        return list(nw.to_native(output).column(CHECK_OUTPUT_KEY).to_pylist())
    return list(output) if isinstance(output, list) else [output]


def _with_one_zero(table: arrow.Table, rule: FuzzedRule) -> arrow.Table:
    """The rows without -0.0, which Arrow's sets take for another number than 0.0, for a rule that looks into one."""
    if not any(word in rule.source for word in ("isin(", "notin(", "is_in(")):
        return table
    columns = [
        arrow.chunked_array([pc.if_else(pc.equal(column, 0), arrow.scalar(0.0, column.type), column.combine_chunks())])
        if arrow.types.is_floating(column.type)
        else column
        for column in table.columns
    ]
    return arrow.table(columns, names=table.column_names)


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
