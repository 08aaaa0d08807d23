"""The verdict: a Pandera schema becomes one query over a batch."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.engines.duckdb.engine import DuckDbEngine
    from readiness_pipelines.engines.port import Engine, Rows
    from readiness_pipelines.gates.gate import Gate, known_columns
    from readiness_pipelines.gates.judge.others import OtherRows, UsualRange
    from readiness_pipelines.gates.record.references import KnownKeys
    from readiness_pipelines.gates.record.verdicts import BrokenRule, RecordVerdict
    from readiness_pipelines.gates.schema.batch_checks import null_share, row_count
    from readiness_pipelines.gates.schema.protecting import protected_columns
    from readiness_pipelines.gates.schema.rules import (
        MASKING_VERIFIED,
        SCHEMA_UNCHANGED,
        TOLERANCE,
        Rule,
        RuleKind,
        Runner,
    )
    from readiness_pipelines.gates.verdict.decisions import Decisions, Discarded, Waived
    from readiness_pipelines.gates.verdict.findings import SchemaFinding
    from readiness_pipelines.gates.verdict.verdict import (
        CleansedCount,
        Discard,
        Empty,
        Hold,
        Outcome,
        Publish,
        RuleCount,
        Split,
        Verdict,
    )
    from readiness_pipelines.gates.versions.declaration import GateDeclaration
    from readiness_pipelines.gates.versions.differences import ChangeKind, GateChange, differences
    from readiness_pipelines.gates.versions.fingerprint import fingerprint
else:
    import_on_demand(__name__)

__all__ = [
    "MASKING_VERIFIED",
    "SCHEMA_UNCHANGED",
    "TOLERANCE",
    "BrokenRule",
    "ChangeKind",
    "CleansedCount",
    "Decisions",
    "Discard",
    "Discarded",
    "DuckDbEngine",
    "Empty",
    "Engine",
    "Gate",
    "GateChange",
    "GateDeclaration",
    "Hold",
    "KnownKeys",
    "OtherRows",
    "Outcome",
    "Publish",
    "RecordVerdict",
    "Rows",
    "Rule",
    "RuleCount",
    "RuleKind",
    "Runner",
    "SchemaFinding",
    "Split",
    "UsualRange",
    "Verdict",
    "Waived",
    "differences",
    "fingerprint",
    "known_columns",
    "null_share",
    "protected_columns",
    "row_count",
]
