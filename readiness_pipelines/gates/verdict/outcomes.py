"""From what the rules counted to the route the batch takes."""

from collections.abc import Iterable, Iterator
from textwrap import shorten

from readiness_pipelines.contracts.gating import Gating
from readiness_pipelines.contracts.promises import Tolerance
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.gates.schema.rules import SCHEMA_UNCHANGED, Rule, RuleKind, Runner
from readiness_pipelines.gates.verdict.verdict import Discard, Empty, Hold, Outcome, Publish, RuleCount, Split

_REASON_LENGTH = 200
"""So many characters of what must hold are repeated: a list of values may be long."""


def outcome_of(counts: Iterable[RuleCount], gating: Gating, *, failed: int, discarded: int, ingested: int) -> Outcome:
    """Decide between publishing all, some, or nothing.

    A condition on the whole batch that an empty batch breaks (a missing column, too few rows) holds it all the same.

    Args:
        counts: One count per rule.
        gating: Tolerance, and whether an empty batch is allowed.
        failed: Rows that break a rule not routed ``warn``.
        discarded: Rows that deduplication lost.
        ingested: Rows of the batch.
    """
    counts = list(counts)
    changed = [count for count in counts if count.rule.name == SCHEMA_UNCHANGED]
    others = [count for count in counts if count.rule.name != SCHEMA_UNCHANGED]
    reasons = [reason for count in others for reason in _reasons(count, gating.tolerance, ingested)]
    if over := gating.tolerance.exceeded_by(failed, ingested):
        reasons.append(f"{_share(failed, ingested)} fail, over the tolerance of {over}")
    if not reasons and failed and failed == ingested - discarded:
        reasons.append(f"{_share(failed, ingested)} fail: no row is left to publish")
    if not reasons:
        # A changed source is a reason only where nothing else holds the batch: the findings have it anyway.
        reasons = [reason for count in changed for reason in _reasons(count, gating.tolerance, ingested)]
    if ingested and discarded == ingested:
        return Discard()
    if reasons:
        return Hold("; ".join(reasons))
    if ingested == 0:
        return Publish() if gating.allow_empty else Empty()
    return Split() if failed else Publish()


def holds_by_shape(rule: Rule) -> bool:
    """Whether a rule that the whole batch breaks holds it: a column of another type leaves nothing to publish.

    A native check, of which it is seen when it answers that it is about the batch, may warn as any other.
    """
    if rule.route is Route.WARN and rule.runs_on is Runner.PANDERA:
        return False
    return rule.route is Route.HOLD or rule.kind is RuleKind.ROW


def _reasons(count: RuleCount, tolerance: Tolerance, ingested: int) -> Iterator[str]:
    """Why a rule holds the batch."""
    name, rows = count.rule.name, count.broken_rows
    if count.detail and holds_by_shape(count.rule):
        yield f"{name}: {count.detail}"
    elif count.rule.route is Route.HOLD and rows:
        yield f"{name} is broken in {rows:,} row{'' if rows == 1 else 's'}{_what_holds(count.rule)}"
    elif bound := tolerance.rules.get(name, Tolerance()).exceeded_by(rows, ingested):
        yield f"{name} is broken in {_share(rows, ingested)}, over its tolerance of {bound}"


def _what_holds(rule: Rule) -> str:
    """What a rule says must hold, behind a colon; nothing where it says no more than its name."""
    return "" if rule.reason in rule.name else f": {shorten(rule.reason, _REASON_LENGTH)}"


def _share(rows: int, of: int) -> str:
    return f"{rows:,} of {of:,} rows ({rows / of:.2%})"
