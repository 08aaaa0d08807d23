"""A batch's profile as the metrics of an event: numbers that say nothing of any single classified value."""

from readiness_pipelines.observability import BatchProfile
from readiness_pipelines.observability.profiles import ColumnKind, ColumnProfile
from readiness_pipelines.openlineage.facets import Json, facet

_QUANTILES = (0.25, 0.5, 0.75)


def metrics_facet(profile: BatchProfile) -> Json:
    """What the rows of a batch look like.

    Args:
        profile: Its profile, without values of classified columns.
    """
    columns = {name: _column(column) for name, column in profile.columns.items()}
    return facet("1-0-0/DataQualityMetricsDatasetFacet", rowCount=profile.rows, columnMetrics=columns)


def _column(column: ColumnProfile) -> Json:
    found: Json = {
        "nullCount": column.nulls,
        "distinctCount": column.distinct,
        "count": column.rows - column.nulls,
    }
    if column.kind is not ColumnKind.NUMBER:
        return found  # of texts their lengths are kept, of times seconds: neither is what a reader would take it for
    found |= {name: one for name, one in (("min", column.minimum), ("max", column.maximum)) if _finite(one)}
    if column.quantiles and all(map(_finite, column.quantiles)):
        last = len(column.quantiles) - 1
        found["quantiles"] = {f"{share:g}": column.quantiles[round(share * last)] for share in _QUANTILES}
    return found


def _finite(value: float | None) -> bool:
    return value is not None and value - value == 0
