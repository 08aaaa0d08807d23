"""What is promised: the KPI, the sources, their stewards, and the path between them."""

from readiness_pipelines.contracts.batches import Batches, DailyBatches, HourlyBatches, StaticBatches
from readiness_pipelines.contracts.kpi import Kpi, Target
from readiness_pipelines.contracts.path import DataPath
from readiness_pipelines.contracts.people import Steward
from readiness_pipelines.contracts.promises import Freshness, Tolerance
from readiness_pipelines.contracts.readers import FileDrop
from readiness_pipelines.contracts.sources import Classification, Source
from readiness_pipelines.contracts.tables import DerivedTable, GatedTable, Measure

__all__ = [
    "Batches",
    "Classification",
    "DailyBatches",
    "DataPath",
    "DerivedTable",
    "FileDrop",
    "Freshness",
    "GatedTable",
    "HourlyBatches",
    "Kpi",
    "Measure",
    "Source",
    "StaticBatches",
    "Steward",
    "Target",
    "Tolerance",
]
