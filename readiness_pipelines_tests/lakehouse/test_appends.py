"""Rows that are added to a batch, with marks that are looked at again at every try."""

from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.table import Table

from readiness_pipelines.errors import StreamFencedError
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import Staged
from readiness_pipelines.lakehouse.commits import append_rows
from readiness_pipelines.names import TableId

NUMBERS = TableId("shop_raw", "numbers")
SCHEMA = pa.schema([("number", pa.int64()), ("_batch", pa.string())])


def staged(installation: Installation, number: int, **more: object) -> Staged:
    columns = {"number": [number], "_batch": ["day_1"], **{name: [value] for name, value in more.items()}}
    rows = pa.table(columns)
    reader = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())
    return installation.lakehouse.stage(NUMBERS, reader, batch="day_1", schema=rows.schema)


def numbers(installation: Installation, connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return installation.lakehouse.relation(connection, NUMBERS).project("number").order("number").fetchall()


def test_an_append_that_is_beaten_is_made_anew_if_its_marks_still_allow_it(
    installation: Installation, connection: duckdb.DuckDBPyConnection
) -> None:
    lakehouse = installation.lakehouse
    lakehouse.ensure(NUMBERS, SCHEMA)

    def load() -> Table:
        return lakehouse._load(NUMBERS)

    def beaten_by(position: str) -> tuple[list[str], object]:
        """Marks that are looked at; after the first look, another commit comes first."""
        seen: list[str] = []

        def marks(properties: Mapping[str, str]) -> Mapping[str, str]:
            seen.append(properties.get("position", "0"))
            if len(seen) == 1:
                others = {"readiness.attempt": f"other to {position}"}
                nothing = Staged(table=NUMBERS, batch="", files=(), rows=0, schema=pa.schema([]), field_ids={})
                append_rows(load, nothing, others, lambda _: {"position": position})
            elif seen[-1] != seen[0]:
                raise StreamFencedError(f"it stands at {seen[-1]}")
            return {"position": str(int(seen[-1]) + 1)}

        return seen, marks

    seen, marks = beaten_by("0")
    append_rows(load, staged(installation, 1), {"readiness.attempt": "a"}, marks)  # type: ignore[arg-type]
    assert (seen, lakehouse.properties(NUMBERS)["position"]) == (["0", "0"], "1")
    seen, marks = beaten_by("7")
    with pytest.raises(StreamFencedError, match="it stands at 7"):
        append_rows(load, staged(installation, 2), {"readiness.attempt": "b"}, marks)  # type: ignore[arg-type]
    assert (seen, lakehouse.properties(NUMBERS)["position"]) == (["1", "7"], "7")
    assert numbers(installation, connection) == [(1,)]


def test_an_append_happens_once_and_may_bring_columns(
    installation: Installation, connection: duckdb.DuckDBPyConnection
) -> None:
    lakehouse = installation.lakehouse
    lakehouse.ensure(NUMBERS, SCHEMA)
    for attempt, number in (("a", 1), ("a", 1), ("b", 2)):
        rows = staged(installation, number)
        lakehouse.append(NUMBERS, rows, properties={"readiness.attempt": attempt})
    more = staged(installation, 3, note="new")
    commit = lakehouse.append(NUMBERS, more, properties={"readiness.attempt": "c"}, marks=lambda _: {"at": "3"})
    assert commit.properties["readiness.batch"] == "day_1"
    assert numbers(installation, connection) == [(1,), (2,), (3,)]
    assert (lakehouse.schema(NUMBERS).names, lakehouse.properties(NUMBERS)["at"]) == (["number", "_batch", "note"], "3")
