"""How a batch compares with those before it, as two asset checks: its rows, and what is in its columns."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import Table, answers_for
from readiness_pipelines.delivery import Delivery
from readiness_pipelines.observability import Comparison, Measured, Moved
from readiness_pipelines.orchestration.keys import asset_key
from readiness_pipelines.orchestration.metadata import record_table

VOLUME_CHECK, DISTRIBUTION_CHECK = "volume", "distribution"

DESCRIPTIONS = {
    VOLUME_CHECK: "The batch has about as many rows as those before it. Only a warning: nothing is held back.",
    DISTRIBUTION_CHECK: "Its columns hold about what they held before. Only a warning: nothing is held back.",
}

PICTURES = 3
"""So many columns are drawn, the least probable first."""


def comparison_results(table: Table, delivery: Delivery) -> Iterator[dg.AssetCheckResult]:
    """How the rows and the columns of a batch compare with those before it."""
    yield _result(table, VOLUME_CHECK, delivery, _volume(delivery))
    yield _result(table, DISTRIBUTION_CHECK, delivery, _distribution(delivery))


def _result(table: Table, name: str, delivery: Delivery, metadata: dict[str, Any]) -> dg.AssetCheckResult:
    moved = _moved(delivery, name)
    return dg.AssetCheckResult(
        asset_key=asset_key(table.id),
        check_name=name,
        passed=not moved and not (delivery.profiled and delivery.profiled.failures),
        severity=dg.AssetCheckSeverity.WARN,
        description=_one_line(delivery, moved),
        metadata={**metadata, "who_answers": answers_for(table)},
    )


def _volume(delivery: Delivery) -> dict[str, Any]:
    metadata: dict[str, Any] = {"published_rows": delivery.counts.published}
    comparison = _comparison(delivery)
    if comparison is not None:
        metadata["earlier_batches"] = comparison.batches
        if comparison.expected_rows is not None:
            metadata["expected_least"], metadata["expected_most"] = comparison.expected_rows
    return metadata


def _distribution(delivery: Delivery) -> dict[str, Any]:
    moved = _moved(delivery, DISTRIBUTION_CHECK)
    metadata: dict[str, Any] = {"unusual_columns": len({one.column for one in moved})}
    if delivery.profiled is not None and delivery.profiled.profile is not None:
        metadata["compared_columns"] = len(delivery.profiled.profile.columns)
    for measure in ("psi", "ks", "js"):
        if values := [one.distances[measure] for one in moved if measure in one.distances]:
            metadata[f"largest_{measure}"] = max(values)
    if moved:
        metadata["unusual"] = record_table(
            [
                {
                    "column": one.column,
                    "what": one.measured,
                    "expected": one.promised,
                    "seen": one.seen,
                    "p": f"{one.p:.0e}",
                }
                for one in moved
            ]
        )
    drawn = [one for one in moved if one.histogram][:PICTURES]
    if drawn:
        # Charts take longer to load than a small batch to judge, and few batches have one.
        from readiness_pipelines.reports.charts import histogram_picture  # noqa: PLC0415

        pictures = (f"![{one.column}]({histogram_picture(one.histogram, str(one.column))})" for one in drawn)
        metadata["histograms"] = dg.MetadataValue.md("\n\n".join(pictures))
    return metadata


def _comparison(delivery: Delivery) -> Comparison | None:
    return delivery.profiled.comparison if delivery.profiled else None


def _moved(delivery: Delivery, name: str) -> list[Moved]:
    comparison = _comparison(delivery)
    of_rows = name == VOLUME_CHECK
    return [one for one in comparison.moved if (one.measured is Measured.ROWS) is of_rows] if comparison else []


def _one_line(delivery: Delivery, moved: list[Moved]) -> str:
    comparison = _comparison(delivery)
    if delivery.profiled is not None and delivery.profiled.failures:
        return delivery.profiled.failures[0]
    if comparison is None:
        return f"not compared: nothing of the batch was published now ({delivery.state})"
    if moved:
        first = moved[0]
        where = f"{first.column}: " if first.column else ""
        more = f", and {len(moved) - 1} more" if len(moved) > 1 else ""
        return f"{where}{first.seen}, expected {first.promised}{more}"
    if not comparison.enough:
        return f"silent: {comparison.batches} earlier batches, {comparison.needed} are needed to tell what is usual"
    return f"as in {comparison.batches} batches before"
