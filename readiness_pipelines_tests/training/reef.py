"""Corals, what is known of them, and which of them live: tables of one batch, as small as can be."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, Function, Source, StaticBatches, Steward
from readiness_pipelines.contracts import FeatureView, GatedTable

Columns = Mapping[str, pa.Column]


def reef() -> Domain:
    """A domain without a table."""
    return Domain("reef", owner="reef@example.org")


def of_corals(columns: Columns) -> pa.DataFrameSchema:
    """A schema of the coral, and more columns."""
    return pa.DataFrameSchema({"coral": pa.Column(arrow.string()), **columns})


def table_of(domain: Domain, name: str, rows: Sequence[Mapping[str, Any]], columns: Columns) -> GatedTable:
    """A table of corals with these rows; a value that is NaN arrives as NaN."""
    names = dict.fromkeys(("coral", *columns))
    given = arrow.table({one: arrow.array([row[one] for row in rows], from_pandas=False) for one in names})
    return domain.gated(
        name,
        schema=of_corals(columns),
        source=Source(
            origin="Divers",
            steward=Steward("Reef", "reef@example.org"),
            reader=Function(lambda _batch: given),
        ),
        batches=StaticBatches(keys=["all"]),
    )


def features_of(domain: Domain, rows: GatedTable, columns: Columns) -> FeatureView:
    """A view of corals: the rows as they are, of which its schema names these columns."""
    view: FeatureView = domain.features(entity="coral", schema=of_corals(columns), reads={"rows": rows}, name="known")(
        lambda rows: rows
    )
    return view
