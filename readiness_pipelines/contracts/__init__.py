"""What is promised: domains, their tables, sources and products, and who answers for them."""

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
from readiness_pipelines.contracts.domain import Domain, Lane
from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.contracts.people import Steward
from readiness_pipelines.contracts.promises import Freshness, Tolerance
from readiness_pipelines.contracts.readers import Arrival, Origin, Places, RawBatch, Reader
from readiness_pipelines.contracts.reads import Read
from readiness_pipelines.contracts.references import ExistsIn, NotInOtherBatches, WithinUsualRange
from readiness_pipelines.contracts.sources import Classification, Source
from readiness_pipelines.contracts.tables import (
    Computed,
    DerivedTable,
    GatedTable,
    Kpi,
    Table,
    answers_for,
    downstream,
    products_of,
    upstream,
)
from readiness_pipelines.contracts.targets import Target

__all__ = [
    "Arrival",
    "Case",
    "Categories",
    "Classification",
    "Computed",
    "Dates",
    "Deduplicate",
    "DerivedTable",
    "Domain",
    "ExistsIn",
    "FillMissing",
    "FlagMissing",
    "Freshness",
    "GatedTable",
    "Kpi",
    "Lane",
    "NotInOtherBatches",
    "NullTokens",
    "Numbers",
    "Origin",
    "Places",
    "RawBatch",
    "Read",
    "Reader",
    "RejectMissing",
    "SchemaChange",
    "Source",
    "Steward",
    "Table",
    "Target",
    "Tolerance",
    "Trim",
    "WithinUsualRange",
    "ZeroPad",
    "answers_for",
    "cleanse",
    "downstream",
    "products_of",
    "upstream",
]
