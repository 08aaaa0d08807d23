"""A finding: something that was promised, and what was seen instead."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readiness_pipelines.names import TableId


class FindingKind(StrEnum):
    """What a finding is about.

    A late table, a slow batch, a batch that its gate held, a delivery that broke; a batch with unusually many or few
    rows, one whose columns hold other values than usual, a source whose columns or types changed; a batch that could
    not be profiled or compared, and was delivered all the same; a batch that is not as its last verdict left it; one
    whose run waits while no other ends; columns that look personal and that nobody
    classified; rows that give persons away; a contract that changed, or will, so that a consumer breaks; a
    stream that is not read; a model that serves, and learned from data that is another one now;
    a batch whose predictions are worse than the holdout's; a model that drifts, and waits for a person;
    latest values of features that are not what is published; rows of a stream that were visible, and that the seal of
    their window withdrew; files of a batch that have the same content.
    """

    FRESHNESS = "freshness"
    LATENCY = "latency"
    HELD = "held"
    BROKEN = "broken"
    VOLUME = "volume"
    DISTRIBUTION = "distribution"
    SCHEMA = "schema"
    PROFILE = "profile"
    PROOF = "proof"
    QUEUE = "queue"
    UNCLASSIFIED = "unclassified"
    DISCLOSURE = "disclosure"
    STREAM = "stream"
    CONTRACT = "contract"
    MODEL = "model"
    QUALITY = "quality"
    DRIFT = "drift"
    ONLINE = "online"
    WITHDRAWN = "withdrawn"
    REPEATED = "repeated"


_OF_NEWEST = frozenset(
    {
        FindingKind.VOLUME,
        FindingKind.DISTRIBUTION,
        FindingKind.SCHEMA,
        FindingKind.PROFILE,
        FindingKind.DISCLOSURE,
        FindingKind.QUALITY,
        FindingKind.REPEATED,
    }
)


class Severity(StrEnum):
    """How bad it is. ``WARN``: somebody should look. ``ERROR``: a promise is broken."""

    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it was promised.

    Attributes:
        kind: What it is about.
        severity: How bad it is.
        table: The table.
        batch: The batch; ``None`` where it is the table as a whole.
        promised: What was promised, for people.
        seen: What was seen instead, for people.
        since: Since when it is so, in UTC.
        details: More for people, a line each, the most important first.
        way_out: The command to type next.
        answers: Who answers for it: the source's steward, or the product's owner.
        at_risk: The names of the products that are computed from the table.
    """

    kind: FindingKind
    severity: Severity
    table: TableId
    batch: str | None
    promised: str
    seen: str
    since: datetime
    details: tuple[str, ...] = ()
    way_out: str = ""
    answers: str = ""
    at_risk: tuple[str, ...] = ()

    @property
    def of_newest(self) -> bool:
        """Whether it speaks of the newest batch, whichever that is, and is over when the next one is as promised."""
        return self.kind in _OF_NEWEST

    @property
    def stays_closed(self) -> bool:
        """Whether it is over for good when somebody closes it: what it says of its batch does not change again."""
        return self.of_newest or self.kind is FindingKind.WITHDRAWN

    @property
    def subject(self) -> str:
        """Kind, table and batch, the same at every look: findings of one subject are one incident.

        A contract has an incident for each consumer that breaks: each is to know of its own.
        """
        batch = "" if self.of_newest else self.batch or ""
        return ":".join((self.kind, str(self.table), self.answers if self.kind is FindingKind.CONTRACT else batch))
