"""What is computed over tables for somebody: KPIs, as pure functions of relations."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.products.kpis import KPI_COLUMNS, NoTotalError, kpi_query, kpi_relation, kpi_schema
    from readiness_pipelines.products.measures import Mean, Measure, Ratio, Sum, Value
    from readiness_pipelines.products.noise import NoisyCount, NoisyRatio
    from readiness_pipelines.products.point_in_time import (
        AT,
        LABEL,
        FeatureHistory,
        Mode,
        join_features,
        latest_query,
        next_query,
        visible_query,
    )
    from readiness_pipelines.products.training_sets import (
        SPLIT,
        SYNTHETIC,
        BuiltTrainingSet,
        LabelCounts,
        TrainingSplit,
        UsedBatch,
        is_synthetic,
    )
    from readiness_pipelines.products.units import format_value, is_drawable
    from readiness_pipelines.products.values import KpiValue, combined, values_of
else:
    import_on_demand(__name__)

__all__ = [
    "AT",
    "KPI_COLUMNS",
    "LABEL",
    "SPLIT",
    "SYNTHETIC",
    "BuiltTrainingSet",
    "FeatureHistory",
    "KpiValue",
    "LabelCounts",
    "Mean",
    "Measure",
    "Mode",
    "NoTotalError",
    "NoisyCount",
    "NoisyRatio",
    "Ratio",
    "Sum",
    "TrainingSplit",
    "UsedBatch",
    "Value",
    "combined",
    "format_value",
    "is_drawable",
    "is_synthetic",
    "join_features",
    "kpi_query",
    "kpi_relation",
    "kpi_schema",
    "latest_query",
    "next_query",
    "values_of",
    "visible_query",
]
