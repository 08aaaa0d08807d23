"""The verdict: a Pandera schema becomes one query over a batch."""

from readiness_pipelines.gates.gate import Gate
from readiness_pipelines.gates.rules import Rule, RuleKind, Runner
from readiness_pipelines.gates.verdict import Empty, Hold, Outcome, Publish, RuleCount, Split, Verdict

__all__ = [
    "Empty",
    "Gate",
    "Hold",
    "Outcome",
    "Publish",
    "Rule",
    "RuleCount",
    "RuleKind",
    "Runner",
    "Split",
    "Verdict",
]
