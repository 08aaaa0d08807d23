"""A tolerance over the last rows of a stream: how many of them break a rule, whatever slices and windows they are in.

It is counted over each partition of the topic, in the order of its offsets, at each row that breaks a rule; so it does
not depend on how rows were sliced, and a slice, its recovery after a crash, the seal and each replay say the same. Rows
of earlier windows count as they arrived: what was decided about them meanwhile changes no other window's verdict.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb

from readiness_pipelines.columns import OFFSET_BITS
from readiness_pipelines.contracts import GatedTable, Table, Tolerance
from readiness_pipelines.delivery.compared import compared_rows
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.slice_rows import slice_rows
from readiness_pipelines.delivery.windows import CLOSED, end_of_window, is_streamed, with_declared
from readiness_pipelines.gates import TOLERANCE, Decisions, DuckDbEngine, OtherRows, Verdict
from readiness_pipelines.installation import Installation

_EARLY = "readiness.stream.over"
"""The property of quarantine that says which open window is over its tolerance, and why: its slices wait."""

_PARTITION = f"_row >> {OFFSET_BITS}"


@dataclass(frozen=True, slots=True)
class EarlyHold:
    """An open window that is over its tolerance.

    Attributes:
        window: The window.
        why: What it is over, for people.
    """

    window: str
    why: str

    @property
    def marks(self) -> Mapping[str, str]:
        """What quarantine says of it, as table properties."""
        return {_EARLY: json.dumps({"window": self.window, "why": self.why})}


def early_hold(table: GatedTable, installation: Installation) -> EarlyHold | None:
    """The open window that is over its tolerance; ``None`` where none is, or it was sealed meanwhile.

    Raises:
        LakehouseError: The table cannot be read.
    """
    lakehouse, quarantine = installation.lakehouse, table.id.quarantine
    if table.gating.tolerance.over is None or not lakehouse.exists(quarantine):
        return None
    properties = lakehouse.properties(quarantine)
    if _EARLY not in properties:
        return None
    said = json.loads(properties[_EARLY])
    closed = properties.get(CLOSED, "") >= end_of_window(table, said["window"])
    return None if closed else EarlyHold(said["window"], said["why"])


def over_in_slice(
    table: GatedTable,
    verdict: Verdict,
    rows: duckdb.DuckDBPyRelation,
    *,
    window: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> str:
    """What a slice is over, for people; "" where it is within the tolerance, or its table has none over rows.

    Args:
        table: The table.
        verdict: What the gate says of the slice.
        rows: Its rows.
        window: Its window.
        installation: Where the rows before it are.
        engine: Where the rows live.

    Raises:
        GateBuildError: A check raises on the rows before.
        LakehouseError: The raw table cannot be read.
    """
    if table.gating.tolerance.over is None or not verdict.failed_rows:
        return ""
    return _breach(table, verdict, rows, window=window, installation=installation, engine=engine)


def held_where_over(
    table: Table,
    verdict: Verdict,
    rows: duckdb.DuckDBPyRelation,
    others: OtherRows,
    decisions: Decisions,
    *,
    window: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> Verdict:
    """A window's verdict: held where, at any of its rows, too many of the last ones break a rule.

    Args:
        table: The table.
        verdict: What the gate says of the window, without the rows before it.
        rows: Its rows, as corrected.
        others: What rules compare with.
        decisions: What was decided about the window.
        window: The window.
        installation: Where the rows before it are.
        engine: Where the rows live.

    Raises:
        GateBuildError: A check raises on the rows before.
        LakehouseError: The raw table cannot be read.
    """
    if table.gating.tolerance.over is None or decisions.waives(TOLERANCE) or not is_streamed(table):
        return verdict
    assert isinstance(table, GatedTable)  # noqa: S101  # what is streamed is
    # As slices are: what only the whole window breaks is for its other tolerances.
    gate = gate_of(table).of_slices()
    judge = DuckDbEngine(engine)
    sliced = gate.judge(rows, judge, others=others, decisions=decisions, keys=installation.keys)
    if not sliced.failed_rows:
        return verdict
    why = _breach(table, sliced, rows, window=window, installation=installation, engine=engine)
    return verdict.held_for(why) if why else verdict


def _breach(
    table: GatedTable,
    verdict: Verdict,
    rows: duckdb.DuckDBPyRelation,
    *,
    window: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> str:
    tolerance = table.gating.tolerance
    over, most = tolerance.over or 0, tolerance.rolling_rows
    own = _flagged(rows, verdict)
    of_partition = own.aggregate(f"{_PARTITION} AS partition, min(_row) AS first, bool_or(bad) AS fails", _PARTITION)
    firsts: dict[int, int] = dict(of_partition.filter("fails").project("partition, first").fetchall())
    before = _before(table, firsts, window=window, count=over - 1, installation=installation, engine=engine)
    listed = own.project("_row, bad, true AS own")
    for one in before:
        listed = listed.union(one.project("_row, bad, false AS own"))
    frame = f"PARTITION BY {_PARTITION} ORDER BY _row ROWS BETWEEN {over - 1} PRECEDING AND CURRENT ROW"
    counted = listed.project(f"_row, bad AND own AS counts, sum(bad::INT) OVER ({frame}) AS wait")
    found = counted.filter(f"counts AND wait > {most}").order("wait DESC, _row").limit(1)
    worst: list[tuple[int, int]] = found.project(f"wait, {_PARTITION}").fetchall()
    if not worst:
        return ""
    ((wait, partition),) = worst
    return (
        f"{wait:,} of the last {over:,} rows of partition {partition} fail, over the tolerance of {_percent(tolerance)}"
    )


def _percent(tolerance: Tolerance) -> str:
    return f"{tolerance.quarantined_ratio or 0:.2%}"


def _flagged(rows: duckdb.DuckDBPyRelation, verdict: Verdict) -> duckdb.DuckDBPyRelation:
    """Rows by their numbers, and whether they break a rule."""
    failing = verdict.failing_rows
    assert isinstance(failing, duckdb.DuckDBPyRelation)  # noqa: S101  # judged by DuckDB
    bad = failing.project("_row AS failing")
    return rows.project("_row").join(bad, "_row = failing", how="left").project("_row, failing IS NOT NULL AS bad")


def _before(
    table: GatedTable,
    firsts: Mapping[int, int],
    *,
    window: str,
    count: int,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> list[duckdb.DuckDBPyRelation]:
    """The last rows of partitions before some, as they arrived, by window, and whether they break a rule."""
    lakehouse, raw = installation.lakehouse, table.id.raw
    order = table.batches.order
    known = {record.ref.batch for record in installation.ledger.batches(tables=[raw])} | {window}
    windows = sorted((one for one in known if order(one) <= order(window)), key=order, reverse=True)
    lacking = dict.fromkeys(firsts, count)
    found: list[duckdb.DuckDBPyRelation] = []
    begin, size = 0, 1
    while begin < len(windows) and (wanted := {p: number for p, number in lacking.items() if number > 0}):
        # Twice as many at a time: a quiet partition has rows in few of them, and no other is judged for it.
        some, begin, size = windows[begin : begin + size], begin + size, size * 2
        there = lakehouse.relation(engine, raw, batch=some)
        older = " OR ".join(f"(_row >= {p << OFFSET_BITS} AND _row < {firsts[p]})" for p in wanted)
        place = f"row_number() OVER (PARTITION BY {_PARTITION} ORDER BY _row DESC) AS place"
        numbered = there.filter(older).project(f"_batch, _row, {_PARTITION} AS partition, {place}")
        within = " OR ".join(f"(partition = {p} AND place <= {number})" for p, number in wanted.items())
        cuts = numbered.filter(within).aggregate("_batch, partition, min(_row), max(_row), count(*)").fetchall()
        ranges: dict[str, list[str]] = {}
        for one, partition, first, last, rows in cuts:
            lacking[partition] -= rows
            ranges.setdefault(one, []).append(f"(_row >= {first} AND _row <= {last})")
        for one, chosen in ranges.items():
            rows_of = lakehouse.relation(engine, raw, batch=one, as_arrived=True).filter(" OR ".join(chosen))
            found.append(_judged(table, rows_of, one, installation, engine))
    return found


def _judged(
    table: GatedTable,
    stored: duckdb.DuckDBPyRelation,
    window: str,
    installation: Installation,
    engine: duckdb.DuckDBPyConnection,
) -> duckdb.DuckDBPyRelation:
    """Raw rows of a window, judged as a slice would be, as they arrived."""
    full = gate_of(table)
    arrived, watermarks = slice_rows(table, stored, batch=window, installation=installation)
    rows = with_declared(arrived, full)
    compared = compared_rows(table, full, batch=window, installation=installation, engine=engine)
    others = replace(compared.rows, watermarks=watermarks)
    verdict = full.of_slices().judge(rows, DuckDbEngine(engine), others=others, keys=installation.keys)
    return _flagged(rows, verdict)
