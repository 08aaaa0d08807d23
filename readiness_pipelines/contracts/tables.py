"""Tables and products: what has one identity, one owner and batches of its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from readiness_pipelines.batches import Batches
from readiness_pipelines.contracts.announcements import Announcement
from readiness_pipelines.contracts.classification import Classified
from readiness_pipelines.contracts.consumers import Consumer
from readiness_pipelines.contracts.gating import Gating
from readiness_pipelines.contracts.promises import Freshness, Sla
from readiness_pipelines.contracts.reads import (
    AllBatches,
    BatchesOfPeriod,
    ContainingBatch,
    LastBatches,
    PreviousBatch,
    Read,
    RowsOfPeriod,
    SameBatch,
    VersionInForce,
)
from readiness_pipelines.contracts.runbooks import Runbook
from readiness_pipelines.contracts.sources import Source
from readiness_pipelines.contracts.targets import Target
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import EngineName

if TYPE_CHECKING:
    from readiness_pipelines.contracts.domain import Domain

Transform = Callable[..., Any]
"""What a table is computed by: one parameter for each input."""

Language = Literal["relation", "sql", "arrow"]
"""What a transform is written in: of DuckDB relations and giving one; giving SQL text over its parameters' names; of
Arrow tables and giving one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Node:
    """What tables and products share; see `GatedTable`, `DerivedTable` and `Kpi`."""

    id: TableId
    domain: "Domain" = field(repr=False)
    batches: Batches
    gating: Gating = field(repr=False)
    references: Mapping[str, Read] = field(default_factory=dict, repr=False)
    classified: Mapping[str, Classified] = field(default_factory=dict, repr=False)
    freshness: Freshness | None = None
    latency: timedelta | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    runbook: Runbook | None = field(default=None, repr=False)
    readers: list["Computed"] = field(default_factory=list, repr=False)
    consumers: list[Consumer] = field(default_factory=list, repr=False)
    announcements: list[Announcement] = field(default_factory=list, repr=False)
    learned_by: list[TableId] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """Its name in its domain."""
        return self.id.name

    def same(self, *, optional: bool = False) -> Read:
        """Read the batch of the same key.

        Args:
            optional: Whether a batch is computed where there is none: the function is given no rows of it then.
        """
        return Read(self._self(), SameBatch(optional=optional))

    def in_force(self) -> Read:
        """Read the version that was in force when the batch ended."""
        return Read(self._self(), VersionInForce())

    def before(self) -> Read:
        """Read the batch before; no rows where it is not there."""
        return Read(self._self(), PreviousBatch())

    def last(self, count: int) -> Read:
        """Read the last `count` batches up to the batch's own, as far as they are there.

        Args:
            count: How many, the batch's own among them.

        Raises:
            DeclarationError: Fewer than one.

        Example:
            @shop.kpi(question="How large is an order?", unit="EUR", reads={"orders": orders.last(7)}, additive=False)
            def mean_order(orders):
                return Mean("amount")
        """
        if count < 1:
            raise DeclarationError(f"{self.id}.last({count}) reads no batch", way_out="give at least 1")
        return Read(self._self(), LastBatches(count))

    def of_period(self, *, event_time: str | None = None, optional: bool = False) -> Read:
        """Read what is of the time that the batch covers: the days of a month, or the payments made on a day.

        Args:
            event_time: The input's column with the time of an event, which no row lacks: the batch is made of the
                rows whose event lies in its time, whichever batch they arrived in, and is computed again when a late
                one comes. Dates, and times without a zone, are of the zone of the batch's calendar. ``None`` reads all
                batches that begin in the time that the batch covers.
            optional: Whether a batch is computed where there are none, as for `same`.

        Example:
            @shop.kpi(
                question="How large is an order of the day?",
                unit="EUR",
                reads={"orders": orders.of_period(event_time="ordered_at")},
                batches=DailyBatches(start="2026-11-01"),
            )
            def mean_order(orders):
                return Mean("amount")
        """
        if event_time is not None:
            return Read(self._self(), RowsOfPeriod(event_time, optional=optional))
        return Read(self._self(), BatchesOfPeriod(optional=optional))

    def containing(self) -> Read:
        """Read the batch of a coarser calendar in which the batch begins: the month of a day."""
        return Read(self._self(), ContainingBatch())

    def all_batches(self) -> Read:
        """Read all batches that are there."""
        return Read(self._self(), AllBatches())

    def _self(self) -> "Table":
        return self  # type: ignore[return-value]  # every node is one of the three


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GatedTable(_Node):
    """A table fed by a source: raw rows pass its gate, or wait in quarantine.

    Attributes:
        id: Its identity.
        domain: Its domain.
        batches: Its batches.
        source: Where the rows come from and who answers for them.
        schema: A Pandera schema or model; the gate is built from it.
        gating: What the gate does beyond the schema.
        references: What its rules compare with, by the name in the rule.
        classified: Classes of columns, beside those in the schema's metadata.
        freshness: How old the newest published batch may be; ``None`` promises nothing.
        latency: How long a batch may take from arriving to published; ``None`` promises nothing.
        engine: Where its gate judges; ``None`` leaves it to the domain, then to the settings.
        description: For people.
        tags: What it belongs to, to find it by.
        synonyms: What people call it, to find it by.
        runbook: What to do when it is wrong; ``None`` where nothing is written down.
        readers: The tables and products computed from it, as far as they are declared in this process.
        consumers: Who relies on it outside the declared tables, as far as that is declared in this process.
        announcements: Changes that its consumers know of before they come.
        learned_by: The training sets that take their labels from it, as far as they are declared in this process.
    """

    source: Source
    schema: Any = field(repr=False)
    engine: EngineName | None = None

    @property
    def reads(self) -> Mapping[str, Read]:
        """A gated table is not computed."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DerivedTable(_Node):
    """A table computed from published batches of other tables, and gated by its own schema. It can be called.

    Attributes:
        id: Its identity.
        domain: Its domain.
        batches: Its batches.
        transform: Inputs in, rows out.
        language: What the transform is written in.
        reads: Its inputs, by the transform's parameters, in order.
        key: Columns that tell its rows apart, for row numbers; none orders by all columns.
        schema: A Pandera schema or model; the gate is built from it.
        gating: What the gate does beyond the schema.
        references: What its rules compare with, by the name in the rule.
        classified: Classes of columns, beside those in the schema's metadata.
        freshness: How old the newest published batch may be; ``None`` promises nothing.
        latency: How long the step may take; ``None`` promises nothing.
        description: For people.
        tags: What it belongs to, to find it by.
        synonyms: What people call it, to find it by.
        runbook: What to do when it is wrong; ``None`` where nothing is written down.
        readers: The tables and products computed from it, as far as they are declared in this process.
        consumers: Who relies on it outside the declared tables, as far as that is declared in this process.
        announcements: Changes that its consumers know of before they come.
        learned_by: The training sets that take their labels from it, as far as they are declared in this process.
    """

    transform: Transform = field(repr=False)
    language: Language = "relation"
    reads: Mapping[str, Read] = field(repr=False)
    key: tuple[str, ...] = ()
    schema: Any = field(repr=False)

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Call the transform, as it was written."""
        return self.transform(*inputs, **named)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureView(DerivedTable):
    """A derived table that models learn from: of each row it is kept since when, and until when, it was published.

    Attributes:
        entity: The columns that say whom or what a row is about.
        event_time: The column that says when what a row tells happened; ``None`` where a later batch tells what is
            newer.
        known_at: The column that says since when a row was known; ``None`` for the first commit that published it.
        version: Of the definition, as people count it.
        online: Whether its latest values are kept by key, to be looked up.
        ttl: For how long a value counts where it is looked up; ``None`` for ever.
        per_record: Whether the transform computes an entity's features from that entity's rows alone.
    """

    entity: tuple[str, ...]
    event_time: str | None = None
    known_at: str | None = None
    version: str = "1"
    online: bool = False
    ttl: timedelta | None = None
    per_record: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kpi(_Node):
    """A business number over tables, with an owner, perhaps by dimensions: a product. It can be called.

    Attributes:
        id: Its identity; its values are in the table of that name.
        domain: Its domain.
        batches: Its batches.
        question: The question it answers, as the business asks it.
        unit: Unit of the value: ``ratio``, ``EUR``, ``minutes``.
        owner: Who answers for the number (not a steward, who answers for a source).
        target: What it should be; ``None`` where nothing is set.
        targets: What it should be for single values of the dimensions, in place of `target`.
        by: Columns of the input by which it is computed, beside the total.
        suppress_below: Cells of fewer rows, or persons, are published without their numbers; ``None`` publishes all.
        persons: The column of the input that tells persons apart, where they are counted and not rows.
        additive: Whether batches add up to one number by numerator and denominator; not so for cumulative data.
        sla: What it promises for each month about the quality of its data; ``None`` promises nothing.
        transform: Inputs in; a measure (`Ratio`, `Sum`, `Mean`, `Value`), or a relation with a column ``value``, out.
        reads: Its inputs, by the transform's parameters, in order.
        gating: What must hold of its values; a batch of it that is implausible is held, and the last good one stays.
        references: Nothing: a KPI's rules speak of its values.
        classified: Nothing: a KPI publishes numbers, by dimensions that name nobody.
        freshness: How old the newest value may be; ``None`` promises nothing.
        latency: How long the step may take; ``None`` promises nothing.
        description: For people.
        tags: What it belongs to, to find it by.
        synonyms: What people call it, to find it by.
        runbook: What to do when it is wrong; ``None`` where nothing is written down.
        readers: The tables and products computed from it, as far as they are declared in this process.
        consumers: Who relies on it outside the declared tables, as far as that is declared in this process.
        announcements: Changes that its consumers know of before they come.
        learned_by: The training sets that take their labels from it, as far as they are declared in this process.
    """

    question: str
    unit: str
    owner: str
    target: Target | None
    targets: Mapping[tuple[str, ...], Target] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    suppress_below: int | None = None
    persons: str | None = None
    additive: bool = True
    sla: Sla | None = None
    transform: Transform = field(repr=False)
    reads: Mapping[str, Read] = field(repr=False)
    language: Language = "relation"

    @property
    def key(self) -> tuple[str, ...]:
        """What tells its rows apart: the dimensions."""
        return self.by

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Call the transform, as it was written."""
        return self.transform(*inputs, **named)

    def target_of(self, values: tuple[str | None, ...]) -> Target | None:
        """The target for some values of the dimensions; none of them stands for the total."""
        return self.targets.get(tuple(str(value) for value in values), self.target) if values else self.target


Table = GatedTable | DerivedTable | Kpi
"""Whatever has an identity and batches."""

Computed = DerivedTable | Kpi
"""What is computed from other tables."""


def keeps_history(table: Table) -> bool:
    """Whether it is kept since when each row was published: of what models learn from, and of their labels."""
    return isinstance(table, FeatureView) or bool(table.learned_by)


def answers_for(table: Table) -> str:
    """Who answers for a table: a source's steward, a KPI's owner, and for a derived table its domain's owner."""
    match table:
        case GatedTable():
            return str(table.source.steward)
        case DerivedTable():
            return table.domain.owner
        case Kpi():
            return table.owner


def downstream(table: Table) -> tuple[Computed, ...]:
    """All that is computed from a table, directly or not, each after what it reads."""
    found: dict[TableId, Computed] = {}

    def visit(node: Table) -> None:
        for reader in reversed(node.readers):
            if reader.id not in found:
                visit(reader)
                found[reader.id] = reader

    visit(table)
    return tuple(reversed(found.values()))


def upstream(table: Table) -> Iterator[Table]:
    """All that a table is computed from, directly or not, and the tables that its rules compare with; each once."""
    seen: set[TableId] = set()

    def visit(node: Table) -> Iterator[Table]:
        for read in (*node.reads.values(), *node.references.values()):
            if read.table.id not in seen:
                seen.add(read.table.id)
                yield from visit(read.table)
                yield read.table

    return visit(table)


def products_of(table: Table) -> tuple[str, ...]:
    """The names of the products that a table feeds: what is at risk when something is wrong with it."""
    own = (table,) if isinstance(table, Kpi) else ()
    return tuple(str(one.id) for one in (*own, *downstream(table)) if isinstance(one, Kpi))
