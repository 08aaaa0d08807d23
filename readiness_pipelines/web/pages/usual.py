"""A batch's columns beside those of the batches before it, a line each."""

from dataclasses import dataclass
from statistics import median

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.contracts import Table
from readiness_pipelines.installation import Installation
from readiness_pipelines.observability import BatchProfile, ColumnProfile

BEFORE = 12
"""So many batches before are what is usual."""

MOST_COLUMNS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualLine:
    """A column, as it is and as it usually is."""

    name: str
    unusual: bool
    missing: str
    usually_missing: str
    distinct: str
    usually_distinct: str
    mean: str
    usually_mean: str


def usual_lines(table: Table, ref: BatchRef, installation: Installation) -> tuple[list[UsualLine], int]:
    """The columns of a batch, those found unusual first, and how many batches they are held against.

    Nothing where the batch has no profile, or none is before it. Profiles are kept redacted.
    """
    ledger = installation.ledger
    own = ledger.profiles(table.id, [ref.batch]).get(ref.batch)
    if own is None:
        return [], 0
    order = in_order(table.batches, {*ledger.visible_batches(table.id), ref.batch})
    earlier = order[: order.index(ref.batch)][-BEFORE:]
    before = [BatchProfile.from_json(text) for text in ledger.profiles(table.id, earlier).values()]
    if not before:
        return [], 0
    flagged = {one.finding.column for one in ledger.findings.of(batch=ref) if one.normal_at is None}
    lines = [
        _line(name, column, [one.columns[name] for one in before if name in one.columns], unusual=name in flagged)
        for name, column in BatchProfile.from_json(own).columns.items()
    ]
    return sorted(lines, key=lambda line: not line.unusual)[:MOST_COLUMNS], len(before)


def _line(name: str, now: ColumnProfile, before: list[ColumnProfile], *, unusual: bool) -> UsualLine:
    means = [one.mean for one in before if one.mean is not None]
    return UsualLine(
        name=name,
        unusual=unusual,
        missing=f"{now.null_ratio:.1%}",
        usually_missing=f"{median(one.null_ratio for one in before):.1%}" if before else "–",
        distinct=f"{now.distinct:,}",
        usually_distinct=f"{median(one.distinct for one in before):,.0f}" if before else "–",
        mean=_number(now.mean),
        usually_mean=_number(median(means)) if means else "–",
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"
