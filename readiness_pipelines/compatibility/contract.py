"""What a table promises, or a consumer relies on, as plain values: from declarations and from foreign files alike."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from readiness_pipelines.durations import format_duration, parse_duration
from readiness_pipelines.gates.versions.fingerprint import fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractColumn:
    """One column of a contract, or one pattern of columns.

    Attributes:
        name: The column's name, or the pattern that names match.
        type: Its Arrow type as text (``int64``, ``list<item: string>``); ``any`` where it is not said.
        nullable: Whether it may be null.
        required: Whether it must be there.
        unique: Whether its values are unique in the batch.
        label: What rules call it; the name, but for patterns.
        pattern: Whether `name` is a regular expression over column names.
        key: Its place in the primary key, from 1; ``None`` where it is no part of it.
        coerce: Whether a typed value of another type is converted.
        default: What stands for a missing value, as `plain_value` has it.
        steps: Its cleansing: each a mapping of its name to its arguments.
        description: For people.
        classification: What its values are to persons: ``pii.id``, ``internal``; "" where it is not said.
        protection: What is done to the values: a mapping of its name to its arguments; ``None`` for nothing.
        subject: Whether it names the person whom a row is about.
        reviewed: Who found that the class is lower than that of what the column is made of.
    """

    name: str
    type: str
    nullable: bool = True
    required: bool = True
    unique: bool = False
    label: str = ""
    pattern: bool = False
    key: int | None = None
    coerce: bool = False
    default: Any = None
    steps: tuple[Mapping[str, Any], ...] = ()
    description: str = ""
    classification: str = ""
    protection: Mapping[str, Any] | None = None
    subject: bool = False
    reviewed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """One rule that a table keeps.

    Attributes:
        name: The rule's name.
        columns: The columns it is about; none for the table as a whole.
        check: What it checks: ``in_range``, ``isin``, ``unique``, ``exists_in``, a function's name …
        arguments: The check's arguments, as `plain_value` has them.
        route: What happens where it is broken: ``warn``, ``quarantine`` or ``hold``.
        kind: What it looks at: ``shape``, ``row``, ``batch`` or ``reference``.
        text: What must hold, for people.
        ignore_na: Whether missing values pass.
        of_column: Whether it is a check of one column, and not of the frame.
        tolerance: Bounds of its own, beside the table's; none where it has none.
        code: The source of the function that checks; "" where the check's name says all.
        globals: What the function uses of its module: values, and ``import`` lines, by name.
        lost: Why it cannot be written down; "" where it can.
    """

    name: str
    columns: tuple[str, ...]
    check: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    route: str = "quarantine"
    kind: str = "row"
    text: str = ""
    ignore_na: bool = True
    of_column: bool = True
    tolerance: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    globals: Mapping[str, Any] = field(default_factory=dict)
    lost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessPromise:
    """How old the table may be.

    Attributes:
        warn_after: When it is late.
        fail_after: When the promise is broken.
        due: When a batch is due, as a cron expression; ``None`` for an age.
        timezone: Zone of the schedule.
        event_time: Column with the time of an event; ``None`` where batches count.
    """

    warn_after: timedelta
    fail_after: timedelta
    due: str | None = None
    timezone: str = "UTC"
    event_time: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerPromise:
    """A consumer that a table's contract names.

    Attributes:
        name: As people know it.
        contact: Where it is reached.
        columns: The columns it reads; none for all.
        rules: The rules it relies on; ``None`` for all about its columns.
        freshness: How old the table may be for it.
        notice: How long before a breaking change it has to know.
        purpose: What it does with the table.
    """

    name: str
    contact: str
    columns: tuple[str, ...] = ()
    rules: tuple[str, ...] | None = None
    freshness: timedelta | None = None
    notice: timedelta | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedChange:
    """A change that was announced: see `readiness_pipelines.contracts.Announcement`."""

    what: str
    announced: date
    effective: date
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a table promises, or what a consumer relies on.

    Attributes:
        table: ``domain.table``.
        columns: Its columns, in order; none of a consumer that relies on no column by name.
        guarantees: The rules it keeps.
        tolerance: How much of a batch may wait: ``quarantined_ratio``, ``quarantined_rows``.
        settings: What else the gate does: ``strict``, ``ordered``, ``unique``, ``missing``, ``deduplicate`` …
        routes: Routes of rules that are others than usual, by the rule's name.
        rule_tolerances: Tolerances of single rules, by the rule's name.
        freshness: How old it may be; ``None`` promises nothing.
        latency: How long a batch may take; ``None`` promises nothing.
        retention: How long rows are kept; ``None`` for as long as the table is.
        notice: How long before a breaking change consumers hear of it; ``None`` promises nothing.
        consumers: Who relies on it.
        announced: Changes that were announced.
        owner: Who answers for it.
        steward: Name and contact of who answers for the source; "" where it is derived.
        on_call: Who is called when it breaks.
        description: For people.
        limitations: What is known to be wrong with it.
        sla: What a product promises for each month: ``published``, ``fresh``, ``repaired_within``.
        tags: What it belongs to.
        synonyms: What people call it.
        runbook: What to do when it is wrong, as Markdown.
        source: Where the rows come from: origin, reader, refresh, batches, as plain values.
        gate: The version of the gate; "" of foreign contracts.
    """

    table: str
    columns: tuple[ContractColumn, ...] = ()
    guarantees: tuple[Guarantee, ...] = ()
    tolerance: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    rule_tolerances: Mapping[str, Any] = field(default_factory=dict)
    freshness: FreshnessPromise | None = None
    latency: timedelta | None = None
    retention: timedelta | None = None
    notice: timedelta | None = None
    consumers: tuple[ConsumerPromise, ...] = ()
    announced: tuple[AnnouncedChange, ...] = ()
    owner: str = ""
    steward: tuple[str, str] = ("", "")
    on_call: str = ""
    description: str = ""
    limitations: tuple[str, ...] = ()
    sla: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    runbook: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    gate: str = ""

    @property
    def version(self) -> str:
        """A fingerprint of all that is promised; words for people are no part of it."""
        bare = dataclasses.replace(
            self,
            description="",
            limitations=(),
            tags=(),
            synonyms=(),
            runbook="",
            source={"batches": next(iter(self.source.get("batches") or {}), "")},
            columns=tuple(dataclasses.replace(one, description="") for one in self.columns),
            guarantees=tuple(
                dataclasses.replace(one, text="", globals={}, arguments=_unordered(one.arguments))
                for one in sorted(self.guarantees, key=lambda one: one.name)
            ),
        )
        return fingerprint(to_plain(bare))

    def column(self, name: str) -> ContractColumn | None:
        """The column, or the pattern, of a name; ``None`` where there is none."""
        return next((one for one in self.columns if name in (one.name, one.label)), None)


def _unordered(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments with those sorted of which the order means nothing."""
    return {
        name: sorted(value, key=repr) if name in ("allowed_values", "forbidden_values") else value
        for name, value in arguments.items()
    }


def to_plain(value: Any) -> Any:
    """A value of this module as JSON-like values, without what is as usual."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {}
        for one in dataclasses.fields(value):
            given = getattr(value, one.name)
            usual = one.default if one.default is not dataclasses.MISSING else None
            if one.default_factory is not dataclasses.MISSING:
                usual = one.default_factory()
            if given != usual:
                found[one.name] = to_plain(given)
        return found
    match value:
        case timedelta():
            return format_duration(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): to_plain(inner) for key, inner in value.items()}
        case tuple() | list():
            return [to_plain(one) for one in value]
        case _:
            return value


def consumer_from_plain(given: Mapping[str, Any]) -> ConsumerPromise:
    """A consumer, from JSON-like values.

    Raises:
        KeyError, TypeError, ValueError: Values that are not such.
    """
    rules = given.get("rules")
    return ConsumerPromise(
        name=str(given["name"]),
        contact=str(given["contact"]),
        columns=_texts(given.get("columns", ())),
        rules=None if rules is None else _texts(rules),
        freshness=as_duration(given.get("freshness")),
        notice=as_duration(given.get("notice")),
        purpose=str(given.get("purpose", "")),
    )


def announced_from_plain(given: Mapping[str, Any]) -> AnnouncedChange:
    """An announced change, from JSON-like values.

    Raises:
        KeyError, TypeError, ValueError: Values that are not such.
    """
    return AnnouncedChange(
        what=str(given["what"]),
        announced=_day(given["announced"]),
        effective=_day(given["effective"]),
        why=str(given.get("why", "")),
    )


def freshness_from_plain(given: Mapping[str, Any]) -> FreshnessPromise:
    """A freshness promise, from JSON-like values.

    Raises:
        KeyError, TypeError, ValueError: Values that are not such.
    """
    warn, fail = as_duration(given["warn_after"]), as_duration(given["fail_after"])
    if warn is None or fail is None:
        raise ValueError("a freshness promise without a duration")
    return FreshnessPromise(
        warn_after=warn,
        fail_after=fail,
        due=None if given.get("due") is None else str(given["due"]),
        timezone=str(given.get("timezone", "UTC")),
        event_time=None if given.get("event_time") is None else str(given["event_time"]),
    )


def as_duration(given: Any) -> timedelta | None:
    """A duration that is written as text; ``None`` for nothing.

    Raises:
        ValueError: Something else.
    """
    if given is None:
        return None
    found = parse_duration(given)
    if not isinstance(found, timedelta):
        raise ValueError(f"{given!r} is not a duration")  # as all that is read from a file
    return found


def _texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        raise ValueError(f"{given!r} is not a list")  # as all that is read from a file
    return tuple(map(str, given))


def _day(given: Any) -> date:
    return given if isinstance(given, date) else date.fromisoformat(str(given))
