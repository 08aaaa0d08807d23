"""What is promised: domains, their tables, sources and products, and who answers for them."""

from readiness_pipelines.contracts.announcements import Announcement
from readiness_pipelines.contracts.classification import Classification, Classified, PersonalKind, classified, protect
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
    RemovePrefix,
    Trim,
    ZeroPad,
    cleanse,
)
from readiness_pipelines.contracts.consumers import Consumer
from readiness_pipelines.contracts.disclosure import KAnonymity, LDiversity
from readiness_pipelines.contracts.domain import Domain, Lane
from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.contracts.models import DriftResponse, Model, NotWorse, RiskTier
from readiness_pipelines.contracts.on_call import OnCallCalendar
from readiness_pipelines.contracts.people import Steward
from readiness_pipelines.contracts.promises import Freshness, Sla, Tolerance
from readiness_pipelines.contracts.protections import (
    Bucket,
    FormatPreserving,
    KeepFirst,
    KeepLast,
    Protection,
    Pseudonym,
    SetNull,
    Token,
    Withhold,
    YearOnly,
)
from readiness_pipelines.contracts.readers import CONTENT_UNKNOWN, Arrival, Origin, Places, RawBatch, Reader
from readiness_pipelines.contracts.reads import Read
from readiness_pipelines.contracts.references import (
    ExistsIn,
    Late,
    MaskingVerified,
    NotInOtherBatches,
    WithinUsualRange,
)
from readiness_pipelines.contracts.runbooks import Runbook
from readiness_pipelines.contracts.sources import Source
from readiness_pipelines.contracts.tables import (
    Computed,
    DerivedTable,
    FeatureView,
    GatedTable,
    Kpi,
    Table,
    answers_for,
    downstream,
    keeps_history,
    products_of,
    upstream,
)
from readiness_pipelines.contracts.targets import Target
from readiness_pipelines.contracts.training_sets import Holdout, TrainingSet

__all__ = [
    "CONTENT_UNKNOWN",
    "Announcement",
    "Arrival",
    "Bucket",
    "Case",
    "Categories",
    "Classification",
    "Classified",
    "Computed",
    "Consumer",
    "Dates",
    "Deduplicate",
    "DerivedTable",
    "Domain",
    "DriftResponse",
    "ExistsIn",
    "FeatureView",
    "FillMissing",
    "FlagMissing",
    "FormatPreserving",
    "Freshness",
    "GatedTable",
    "Holdout",
    "KAnonymity",
    "KeepFirst",
    "KeepLast",
    "Kpi",
    "LDiversity",
    "Lane",
    "Late",
    "MaskingVerified",
    "Model",
    "NotInOtherBatches",
    "NotWorse",
    "NullTokens",
    "Numbers",
    "OnCallCalendar",
    "Origin",
    "PersonalKind",
    "Places",
    "Protection",
    "Pseudonym",
    "RawBatch",
    "Read",
    "Reader",
    "RejectMissing",
    "RemovePrefix",
    "RiskTier",
    "Runbook",
    "SchemaChange",
    "SetNull",
    "Sla",
    "Source",
    "Steward",
    "Table",
    "Target",
    "Token",
    "Tolerance",
    "TrainingSet",
    "Trim",
    "Withhold",
    "WithinUsualRange",
    "YearOnly",
    "ZeroPad",
    "answers_for",
    "classified",
    "cleanse",
    "downstream",
    "keeps_history",
    "products_of",
    "protect",
    "upstream",
]
