"""A ward in whose files every classified column holds values that are found again wherever they are.

Its visits come as CSV, JSON and Parquet. In one batch, the transforms of derived tables, a check and a source's
function raise with a value in their message. `LEAST` stands in the environment for another version of the code.
"""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    Classification,
    Domain,
    FileDrop,
    Function,
    Pseudonym,
    Ratio,
    Source,
    StaticBatches,
    Steward,
    Tolerance,
    classified,
    protect,
)
from readiness_pipelines.orchestration import build_definitions

DAYS = ("day_1", "day_2", "day_3")
SPLIT, BREAKS, KILLED = DAYS
"""Of the second, JSON is held, a check of Parquet raises, and so does what is computed of CSV."""
CANARIES = 40
RAISES = " at which a check raises"

os.environ.setdefault("WARD_KEY", "0123456789abcdef" * 4)


def canary(number: int, column: str) -> Any:
    """The value of a column in a row: a text, a whole number or a date that nothing else is."""
    if column == "phone":
        return 9_182_736_400 + number
    if column == "born":
        return date(1907, 1 + number // 20, 1 + number % 20)
    return f"zq{number:02d}qx {column}"


class Visit(pa.DataFrameModel):
    """A visit; ``extra`` is classified by nobody and inherits the source's class."""

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="ward"), subject=True))
    name: arrow.string() = pa.Field(metadata=protect("pii.direct"))
    phone: arrow.int64() = pa.Field(metadata=protect("pii.direct"))
    born: arrow.date32() = pa.Field(metadata=protect("pii.quasi"))
    town: arrow.string() = pa.Field(metadata=protect("pii.quasi"))
    note: arrow.string() = pa.Field(nullable=True, metadata=protect("phi.free_text", reviewed="a test"))
    extra: arrow.string() = pa.Field(str_startswith="zq")
    nights: arrow.int64() = pa.Field(ge=int(os.environ.get("LEAST", "0")), metadata=protect("internal"))

    @pa.check("name", element_wise=True, native=False)
    @classmethod
    def answers(cls, value: str) -> bool:
        """A check that raises, with a value in its message, at some values."""
        if value.endswith(RAISES):
            raise ValueError(f"{value} cannot be checked")
        return True


class Stay(pa.DataFrameModel):
    """A stay."""

    who: arrow.string()
    town: arrow.string()
    nights: arrow.int64()


def _calls(batch: str) -> arrow.Table:
    """A source's function: in one batch, it raises with a value in its message."""
    if batch == BREAKS:
        raise RuntimeError(f"no line to {canary(7, 'name')}")
    rows = [{"patient": canary(n, "patient"), "name": canary(n, "name")} for n in range(CANARIES)]
    return arrow.Table.from_pylist(rows)


class Call(pa.DataFrameModel):
    """A call."""

    patient: arrow.string() = pa.Field(metadata=protect("pii.id"))
    name: arrow.string() = pa.Field(metadata=protect("pii.direct"))


def _source(reader: Any) -> Source:
    return Source(
        origin="Ward export",
        steward=Steward("Desk", "desk@ward.example"),
        reader=reader,
        classification=Classification.PHI,
    )


ward = Domain("ward", owner="ward@ward.example", on_call="oncall@ward.example")
for form in ("csv", "jsonl", "parquet"):
    ward.gated(
        f"visits_{form}",
        source=_source(FileDrop(f"{{batch}}/visits.{form}", missing="?")),
        schema=Visit,
        batches=StaticBatches(keys=DAYS),
        tolerance=Tolerance(quarantined_ratio=0.5),
    )
ward.gated("calls", source=_source(Function(_calls)), schema=Call, batches=StaticBatches(keys=DAYS))


@ward.derived(schema=Stay, classified={"nights": classified("internal", reviewed="a count; a test")})
def stays(visits_csv: Relation) -> Relation:
    """A stay a visit; of one batch, the transform raises with a value in its message."""
    rows = visits_csv.project("name AS who, town, nights, _row, _file, _batch").fetchall()
    if rows and rows[0][-1] == BREAKS:
        raise LookupError(f"{rows[0][0]} of {rows[0][1]} has no bed")
    return visits_csv.project("name AS who, town, nights, _row")


@ward.derived(schema=Stay, classified={"nights": classified("internal", reviewed="a count; a test")})
def beds(visits_csv: Relation) -> Relation:
    """In one batch, DuckDB cannot convert a value, and says which."""
    converted = f"CASE WHEN _batch = '{BREAKS}' THEN CAST(name AS BIGINT) ELSE nights END"
    return visits_csv.project(f"name AS who, town, {converted} AS nights, _row")


@ward.kpi(question="How many stay?", unit="ratio", by=["town"])
def stay_rate(visits_csv: Relation) -> Ratio:
    """Share of the visits with a night, by town."""
    return Ratio("count(*) FILTER (nights > 0)", "count(*)")


def _rows(*, held: bool) -> Iterator[dict[str, Any]]:
    columns = ("patient", "name", "phone", "born", "town", "note", "extra")
    for number in range(CANARIES):
        row = {column: canary(number, column) for column in columns}
        if number % 5 == 0 and (held or number == 0):
            row["extra"] = f"bad {row['extra']}"
        bad = held or number % 10 == 3
        yield {**row, "nights": -number - 1 if bad else number}


def land_ward(landing: Path) -> None:
    """Write the files of every batch; some lines of them cannot be parsed."""
    import json  # noqa: PLC0415  # for this alone

    import pyarrow.parquet as pq  # noqa: PLC0415  # as above

    for batch in DAYS:
        folder = landing / batch
        folder.mkdir(parents=True)
        rows, others = list(_rows(held=False)), list(_rows(held=batch == BREAKS))
        names = list(rows[0])
        lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
        lines += [",".join(str(canary(39, name)) for name in names[:4]) + ",too,many,fields,are,in,it,and,more"]
        (folder / "visits.csv").write_text("\n".join(lines) + "\n")
        texts = [json.dumps({**row, "born": str(row["born"])}) for row in others]
        texts += [f'{{"name": "{canary(38, "name")}", "note": {canary(38, "note")}}}']
        (folder / "visits.jsonl").write_text("\n".join(texts) + "\n")
        if batch == BREAKS:
            rows[5]["name"] += RAISES
        pq.write_table(arrow.Table.from_pylist(rows), folder / "visits.parquet")


defs = build_definitions(ward)
