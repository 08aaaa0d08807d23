"""Data paths for business KPIs, with quality gates: what a data engineer imports to declare one."""

from readiness_pipelines.contracts import (
    Classification,
    DailyBatches,
    DataPath,
    FileDrop,
    Freshness,
    HourlyBatches,
    Kpi,
    Source,
    StaticBatches,
    Steward,
    Target,
    Tolerance,
)
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.gates import Gate

__all__ = [
    "Classification",
    "DailyBatches",
    "DataPath",
    "FileDrop",
    "Freshness",
    "Gate",
    "HourlyBatches",
    "Kpi",
    "Route",
    "Source",
    "StaticBatches",
    "Steward",
    "Target",
    "Tolerance",
]
