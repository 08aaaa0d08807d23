"""What a model predicted, batch by batch, with what happened where that is known by now."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from readiness_pipelines.contracts import DerivedTable, Table
from readiness_pipelines.contracts.models import Model, model_scoring
from readiness_pipelines.installation import Installation
from readiness_pipelines.models.metrics import Values
from readiness_pipelines.products import SYNTHETIC, is_synthetic
from readiness_pipelines.sql import identifier

PREDICTION, VERSION = "prediction", "model_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Where it is written what happened: a published table with a label for each scored row, in time.

    Attributes:
        table: The table; what is held of it is not known yet.
        label: Its column: 0 or 1 for classifiers, a number for others.
        on: The columns, of the same names in the scored table, by which a label belongs to a row.
    """

    table: Table
    label: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredBatch:
    """What a version predicted of a batch.

    Attributes:
        batch: The batch.
        predicted: Its predictions.
        labelled: Those of rows whose label is known by now.
        actual: The labels of these.
    """

    batch: str
    predicted: Values
    labelled: Values
    actual: Values


def scored_tables(model: Model) -> Iterator[tuple[DerivedTable, Table]]:
    """The tables of a model's predictions, each with the table whose rows it scores."""
    for reader in model.serving.readers:
        if isinstance(reader, DerivedTable) and model_scoring(reader) is not None:
            yield reader, reader.reads["rows"].table


def scored_batch(
    scored: DerivedTable, batch: str, *, version: int, outcomes: Outcomes | None, installation: Installation
) -> ScoredBatch:
    """What a version predicted of a published batch. A row with two different labels has none.

    What nobody observed is no label, and neither is what is not finite.

    Raises:
        LakehouseError: The table cannot be read.
    """
    lakehouse = installation.lakehouse
    with installation.engine() as engine:
        rows = lakehouse.relation(engine, scored.id, batch=[batch]).filter(f"{VERSION} = {version}")
        there = outcomes is not None and lakehouse.exists(outcomes.table.id)
        if outcomes is None or not there or not {*outcomes.on} <= {*rows.columns}:
            found = rows.project(f"{PREDICTION} AS predicted, NULL::DOUBLE AS actual").fetchnumpy()
        else:
            on = ", ".join(identifier(name) for name in outcomes.on)
            label = identifier(outcomes.label)
            happened = lakehouse.relation(engine, outcomes.table.id)
            if SYNTHETIC in happened.columns:
                happened = happened.filter(f"NOT ({is_synthetic()})")
            labels = (
                happened.filter(f"isfinite({label}::DOUBLE)")
                .aggregate(f"{on}, any_value({label}::DOUBLE) AS actual, count(DISTINCT {label}) AS different", on)
                .filter("different = 1")
            )
            joined = rows.set_alias("r").join(labels.set_alias("k"), on, how="left")
            found = joined.project(f"{PREDICTION} AS predicted, actual").order("predicted, actual").fetchnumpy()
    predicted = np.asarray(np.ma.filled(found["predicted"].astype(float), np.nan))
    actual = np.asarray(np.ma.filled(found["actual"].astype(float), np.nan))
    known = np.isfinite(actual) & np.isfinite(predicted)
    return ScoredBatch(
        batch=batch, predicted=predicted[np.isfinite(predicted)], labelled=predicted[known], actual=actual[known]
    )
