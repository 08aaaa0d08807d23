"""What is promised: the KPI, the sources, their stewards, and the path between them."""

from readiness_pipelines.contracts.cleansing import (
    Case,
    Categories,
    Dates,
    Deduplicate,
    FillMissing,
    FlagMissing,
    NullTokens,
    Numbers,
    RejectMissing,
    Trim,
    ZeroPad,
    cleanse,
)
from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.contracts.kpi import Kpi, Target
from readiness_pipelines.contracts.path import DataPath
from readiness_pipelines.contracts.people import Steward
from readiness_pipelines.contracts.promises import Freshness, Tolerance
from readiness_pipelines.contracts.readers import FileDrop
from readiness_pipelines.contracts.references import ExistsIn, NotInOtherBatches, WithinUsualRange
from readiness_pipelines.contracts.sources import Classification, Source
from readiness_pipelines.contracts.tables import DerivedTable, GatedTable, Measure

__all__ = [
    "Case",
    "Categories",
    "Classification",
    "DataPath",
    "Dates",
    "Deduplicate",
    "DerivedTable",
    "ExistsIn",
    "FileDrop",
    "FillMissing",
    "FlagMissing",
    "Freshness",
    "GatedTable",
    "Kpi",
    "Measure",
    "NotInOtherBatches",
    "NullTokens",
    "Numbers",
    "RejectMissing",
    "SchemaChange",
    "Source",
    "Steward",
    "Target",
    "Tolerance",
    "Trim",
    "WithinUsualRange",
    "ZeroPad",
    "cleanse",
]
