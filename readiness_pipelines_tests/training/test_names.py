"""Columns may be called whatever a schema allows: names that differ in case alone, and those of our own queries."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, Function, Source, StaticBatches, Steward, latest_values
from readiness_pipelines.contracts import FeatureView, GatedTable
from readiness_pipelines.installation import Installation
from readiness_pipelines.testing import run_domains
from readiness_pipelines.training import build_training_set

WHEN = arrow.timestamp("us", "UTC")


def reef(columns: dict[str, arrow.DataType], label: str) -> tuple[Domain, list[FeatureView]]:
    """A view of each column, and a label."""
    domain, views = Domain("reef", owner="reef@example.org"), []

    def table(name: str, column: str, kind: arrow.DataType, value: Any) -> tuple[GatedTable, pa.DataFrameSchema]:
        rows = arrow.table({"coral": ["a"], column: arrow.array([value], kind)})
        schema = pa.DataFrameSchema({"coral": pa.Column(arrow.string()), column: pa.Column(kind)})
        source = Source(
            origin="Divers", steward=Steward("Reef", "reef@example.org"), reader=Function(lambda _batch: rows)
        )
        return domain.gated(name, schema=schema, source=source, batches=StaticBatches(keys=["all"])), schema

    for number, (column, kind) in enumerate(columns.items()):
        rows, schema = table(f"rows_{number}", column, kind, number)
        declare = domain.features(
            entity="coral", schema=schema, name=f"view_{number}", reads={"rows": rows}, online=True
        )
        views.append(declare(lambda rows: rows))
    labels, _ = table("labels", label, arrow.int64(), 1)
    domain.training_set("bleached", labels=labels, label=label, features=views, at=views[-1])
    return domain, views


def test_names_that_sql_does_not_tell_apart_and_those_of_our_own_queries_are_columns_like_others(
    installation: Installation,
) -> None:
    columns = {"Size": arrow.float64(), "size": arrow.int64(), "_until": WHEN, "_event": arrow.int64()}
    domain, views = reef(columns, label="_at")
    run_domains(domain, installation=installation)
    made = build_training_set(installation, domain.training_sets[0])
    assert made.rows.column_names == ["coral", "_at", "view_0_Size", "view_1_size", "_until", "_event", "_split"]
    (row,) = made.rows.to_pylist()
    assert (row["_at"], row["view_0_Size"], row["view_1_size"], row["_event"]) == (1, 0.0, 1, 3)
    found = [dict(latest_values(installation, view, ["a"])[0].values) for view in views]
    assert [one[name] for one, name in zip(found, columns, strict=True)] == [0.0, 1, row["_until"], 3]
