"""How a product or table stands, in a word and in a sentence, by what was found of it."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from readiness_pipelines.ledger import Finding, FindingKind


class Standing(StrEnum):
    """How a product, or a table, stands; the worst first.

    ``HELD``: a batch that it is made of, or of its own, is held. ``BROKEN``: a delivery broke, or what is there is not
    as it was committed. ``MISSED``: it misses its target. ``WAITS``: a model, of which a person has to decide
    something. ``LATE``: a promise of freshness or latency is not kept. ``UNUSUAL``: a newest batch is not like those
    before. ``FINE``: nothing of that. ``NOTHING``: nothing was published, or serves.
    """

    HELD = "held"
    BROKEN = "broken"
    MISSED = "misses target"
    WAITS = "needs a person"
    LATE = "late"
    UNUSUAL = "unusual"
    NOTHING = "no value yet"
    FINE = "as promised"


ORDER = {standing: place for place, standing in enumerate(Standing)}

_KINDS = {
    FindingKind.HELD: Standing.HELD,
    FindingKind.BROKEN: Standing.BROKEN,
    FindingKind.PROOF: Standing.BROKEN,
    FindingKind.ONLINE: Standing.BROKEN,
    FindingKind.QUEUE: Standing.BROKEN,
    FindingKind.MODEL: Standing.WAITS,
    FindingKind.DRIFT: Standing.WAITS,
    FindingKind.FRESHNESS: Standing.LATE,
    FindingKind.LATENCY: Standing.LATE,
    FindingKind.STREAM: Standing.LATE,
}
_WORDS = {
    Standing.HELD: "held",
    Standing.BROKEN: "broken",
    Standing.WAITS: "for a person to decide",
    Standing.LATE: "late",
    Standing.UNUSUAL: "unusual",
}
_MOST_CHARACTERS = 110


def standing_of(finding: Finding) -> Standing:
    """What a finding says of the table it is about."""
    return _KINDS.get(finding.kind, Standing.UNUSUAL)


def findings_said(findings: Sequence[Finding]) -> list[tuple[int, str]]:
    """What findings, the worst first, come to: the most important of each kind, how many more, and how bad that is."""
    grouped: dict[Standing, list[Finding]] = {}
    for one in findings:
        grouped.setdefault(standing_of(one), []).append(one)
    parts: list[tuple[int, str]] = []
    for standing, (first, *more) in grouped.items():
        place = f"{first.table} {first.batch}" if first.batch else str(first.table)
        also, verb = (f" and {len(more)} more are", _WORDS[standing]) if more else (" is", _WORDS[standing])
        worst = standing is min(grouped, key=ORDER.__getitem__)
        parts.append((ORDER[standing], f"{place}{also} {verb}" + (f": {brief(first.seen)}" if worst else "")))
    return parts


def sentence_of(parts: Iterable[tuple[int, str]]) -> str:
    """Such parts in one sentence, the worst first."""
    return "; ".join(text for _, text in sorted(parts)).rstrip(".") + "."


def brief(text: str) -> str:
    """The first line of a text, cut between words where it is long."""
    line = text.splitlines()[0].rstrip(".") if text else ""
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS].rpartition(' ')[0]} [more]"
