"""A wide, small batch is typed once and judged some columns at a time: the verdict is that of its columns alone."""

from collections.abc import Mapping
from typing import Any

import duckdb
import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Deduplicate, FillMissing, FlagMissing, Gate, Trim, cleanse
from readiness_pipelines.gates import DuckDbEngine, Verdict
from readiness_pipelines.gates.judge.batch_view import KEPT_CELLS, WIDE_COLUMNS
from readiness_pipelines.gates.judge.counting import FIGURES_AT_ONCE
from readiness_pipelines.gates.verdict.decisions import Decisions, Discarded, Waived
from readiness_pipelines_tests.gates.samples import raw_rows

SPARE = [f"spare_{number}" for number in range(WIDE_COLUMNS)]
DECISIONS = Decisions(
    discarded=(Discarded(where="_row = 9", reason="a test"),),
    waived=(Waived(rule="whole_less_than_or_equal_to", where="_row = 3"),),
)


def _gate(spare: list[str]) -> Gate:
    columns = {
        "key": pa.Column(arrow.string(), metadata=cleanse(Trim())),
        "filled": pa.Column(arrow.int32(), pa.Check.ge(0), metadata=cleanse(FillMissing(-1)), nullable=True),
        "flagged": pa.Column(arrow.float64(), metadata=cleanse(FlagMissing("was_missing")), nullable=True),
        "real": pa.Column(arrow.float64(), [pa.Check.ge(0), pa.Check.ne(7)]),
        "whole": pa.Column(arrow.int64(), [pa.Check.le(10), pa.Check(lambda s: s.sum() < 100, name="s", native=False)]),
        "day": pa.Column(arrow.date32(), unique=True, nullable=True),
        "read": pa.Column(arrow.string(), pa.Check(lambda value: value != "x", element_wise=True), nullable=True),
    }
    columns |= {name: pa.Column(arrow.float64(), [pa.Check.ge(0), pa.Check.le(10)]) for name in spare}
    low = pa.Check(lambda _: nw.col("whole") <= nw.col("real") * 100, name="frame", native=False)
    return Gate(pa.DataFrameSchema(columns, checks=low, metadata=cleanse(Deduplicate("key"))))


def _rows(spare: list[str]) -> list[dict[str, Any]]:
    plain = {"key": "k", "filled": "1", "flagged": "2", "real": "3", "whole": "4", "day": None, "read": "y"}
    changes: list[dict[str, Any]] = [
        {},
        {"real": "nan"},
        {"real": "-1", "whole": "x"},
        {"whole": "11"},
        {"whole": "11", "filled": None, "flagged": None},
        {"filled": "?", "flagged": "?", "day": "2026-01-01"},
        {"day": "2026-01-01", "real": None},
        {"key": " k0 ", "day": "2026-13-01"},
        {"read": "x", "real": "7"},
        {"real": "-5"},
        {"_unreadable": "torn", "_unreadable_reason": "it is torn", **dict.fromkeys(plain)},
    ]
    return [
        {**plain, "key": f"k{number}", **change, **({} if "_unreadable" in change else dict.fromkeys(spare, "5"))}
        for number, change in enumerate(changes)
    ]


def _facts(connection: duckdb.DuckDBPyConnection, spare: list[str]) -> Mapping[str, Any]:
    """A verdict as plain values, without what is said of the spare columns."""
    rows = raw_rows(connection, *_rows(spare))
    verdict: Verdict = _gate(spare).judge(rows, DuckDbEngine(connection), decisions=DECISIONS)
    left_out = {*spare, *(name for name in verdict.schema.names if name.startswith("spare"))}

    def plain(found: Any) -> list[dict[str, Any]]:
        listed = sorted(found.to_arrow_table().to_pylist(), key=lambda row: row["_row"])
        return [{name: repr(value) for name, value in row.items() if name not in left_out} for row in listed]

    return {
        "outcome": repr(verdict.outcome),
        "rows": (verdict.ingested_rows, verdict.failed_rows, verdict.discarded_rows),
        "rules": [
            (c.rule.name, c.broken_rows, dict(c.columns), c.waived_rows, [sample["_row"] for sample in c.samples])
            for c in verdict.rules
            if not c.rule.name.startswith("spare")
        ],
        "cleansed": [(count.column, count.step, count.cells) for count in verdict.cleansed],
        "published": plain(verdict.published),
        "quarantined": plain(verdict.quarantined),
    }


@pytest.mark.filterwarnings("ignore")
def test_a_wide_batch_gets_the_verdict_that_its_columns_get_alone(connection: duckdb.DuckDBPyConnection) -> None:
    alone = _facts(connection, [])
    assert sum(broken for _, broken, *_ in alone["rules"]) > 10  # it is about something
    assert len(SPARE) * len(_rows([])) < KEPT_CELLS
    assert _facts(connection, SPARE) == alone
    kept = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'typed_%'").fetchall()
    assert kept == [(1,)], "the wide one was typed once, the other in each query"


def test_each_of_many_broken_rules_is_counted_for_itself(connection: duckdb.DuckDBPyConnection) -> None:
    names = [f"c{number}" for number in range(FIGURES_AT_ONCE // 3 + 5)]
    gate = Gate(pa.DataFrameSchema({name: pa.Column(arrow.int64(), pa.Check.ge(0)) for name in names}))
    rows = [
        {name: "-1" if row <= at % 7 else "x" if row == 8 else "1" for at, name in enumerate(names)} for row in range(9)
    ]
    verdict = gate.judge(raw_rows(connection, *rows), DuckDbEngine(connection))
    found = {
        count.rule.name: (count.broken_rows, [sample["_row"] for sample in count.samples]) for count in verdict.rules
    }
    for at, name in enumerate(names):
        broken = at % 7 + 1
        assert found[f"{name}_greater_than_or_equal_to"] == (broken, list(range(broken)))
        assert found[f"{name}_dtype"] == (1, [8])
