"""What is declared of tables, products, sources and columns, as values for whoever looks for data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from readiness_pipelines.contracts import (
    Classified,
    DerivedTable,
    Domain,
    FeatureView,
    GatedTable,
    Kpi,
    Model,
    Sla,
    Table,
    TrainingSet,
    answers_for,
)
from readiness_pipelines.contracts.classification import Classification
from readiness_pipelines.contracts.models import model_served_by
from readiness_pipelines.contracts.protections import describe_protection
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.lineage import read_text
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import promise_text

CatalogItem = Table | TrainingSet
"""What the catalog has: a table or KPI, or a training set, which is a product and no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnEntry:
    """What is declared of a column, or of a pattern of columns.

    Attributes:
        name: Its name, or the pattern that names match.
        label: What rules call it: its name, or that of the schema's field where the name is a pattern.
        type: Its Arrow type, as text; "as it arrives" where none is declared.
        nullable: Whether it may be null.
        pattern: Whether `name` is a pattern.
        description: For people; "" where nobody wrote one.
        classification: What its values are to persons: ``phi.quasi``.
        shown: Whether its values may be shown outside the lakehouse.
        inherited: Whether nobody declared the class, and it is taken from the source or the inputs.
        subject: Whether it names the person whom a row is about.
        protection: What is done to its values before they are published; "" for nothing.
    """

    name: str
    label: str
    type: str
    nullable: bool
    pattern: bool
    description: str
    classification: str
    shown: bool
    inherited: bool
    subject: bool
    protection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """What is declared of a source.

    Attributes:
        table: The table that it feeds.
        origin: The system that rows come from.
        steward: Who answers for it.
        contact: Where they are reached.
        reader: How it is read, for people.
        refresh: How often it delivers; ``None`` where it has no cadence.
        classification: How carefully its values must be handled.
        known_issues: What is known to be wrong with it.
        schema_version: The steward's own version of the layout; ``None`` where there is none.
    """

    table: TableId
    origin: str
    steward: str
    contact: str
    reader: str
    refresh: timedelta | None
    classification: str
    known_issues: tuple[str, ...]
    schema_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerEntry:
    """Who relies on a table outside the declared ones, on which columns (none for all), and what for."""

    name: str
    contact: str
    columns: tuple[str, ...]
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEntry:
    """What is declared of a product beyond what tables have.

    Attributes:
        question: The question it answers.
        unit: Unit of its value.
        target: What it should be, as it is written; "" where nothing is set.
        by: The dimensions by which it is computed.
        sla: What it promises for each month; ``None`` promises nothing.
    """

    question: str
    unit: str
    target: str
    by: tuple[str, ...]
    sla: Sla | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesEntry:
    """What is declared of a feature view beyond what tables have.

    Attributes:
        entity: The columns that say whom or what a row is about.
        event_time: The column that says when what a row tells happened; "" where a later batch is newer.
        known_at: Since when a row is known, for people.
        version: Of the definition.
    """

    entity: tuple[str, ...]
    event_time: str
    known_at: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """What is declared of a model beyond what its table of what serves has.

    Attributes:
        training: The training set that it learns from; "" where it is none of ours.
        risk: Its risk tier.
        approver: Who lets it serve; "" where nobody has to.
        promote: What a candidate must hold against the champion, for people.
        metrics: What is measured on the holdout.
        purpose: What it is for.
        limits: What it must not be used for.
        scores: The tables of its predictions.
    """

    training: str
    risk: str
    approver: str
    promote: str
    metrics: tuple[str, ...]
    purpose: str
    limits: str
    scores: tuple[TableId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """What is declared of a table or product.

    Attributes:
        table: Its identity.
        kind: ``gated``, ``derived``, ``features``, ``model`` or ``kpi``.
        description: For people; "" where nobody wrote one.
        tags: What it belongs to.
        synonyms: What people call it.
        owner: Who owns its domain.
        answers: Who answers for it: the source's steward, the product's owner, or the domain's.
        batches: The kind of its batches: ``daily``.
        source: Where its rows come from; ``None`` for what is computed.
        product: What makes it a product; ``None`` for tables.
        features: What makes it a feature view; ``None`` for all else.
        model: What makes it a model's table of what serves; ``None`` for all else.
        reads: What it is computed from, with the batches of them.
        columns: Its columns, in order.
        classification: The strongest class of its columns.
        freshness: Its freshness promise, for people; "" promises nothing.
        latency: How long a batch may take; ``None`` promises nothing.
        gate_version: Version of its gate.
        rules: How many rules its gate has.
        derived: The tables that are computed from it, directly.
        products: The products that are computed from it, directly.
        consumers: Who else relies on it, as far as it was declared.
        runbook: Its own runbook, Markdown; "" where there is none.
    """

    table: TableId
    kind: str
    description: str
    tags: tuple[str, ...]
    synonyms: tuple[str, ...]
    owner: str
    answers: str
    batches: str
    source: SourceEntry | None
    product: ProductEntry | None
    features: FeaturesEntry | None
    model: ModelEntry | None
    reads: tuple[str, ...]
    columns: tuple[ColumnEntry, ...]
    classification: str
    freshness: str
    latency: timedelta | None
    gate_version: str
    rules: int
    derived: tuple[TableId, ...]
    products: tuple[TableId, ...]
    consumers: tuple[ConsumerEntry, ...]
    runbook: str


def catalog_entry(table: Table) -> CatalogEntry:
    """What is declared of a table or product.

    Raises:
        GateBuildError: Its schema cannot become a gate.
    """
    gate = gate_of(table)
    columns = tuple(_columns(table))
    return CatalogEntry(
        table=table.id,
        kind=kind_of(table),
        description=table.description,
        tags=table.tags,
        synonyms=table.synonyms,
        owner=table.domain.owner,
        answers=answers_for(table),
        batches=table.batches.name,
        source=source_entry(table) if isinstance(table, GatedTable) else None,
        product=_product(table) if isinstance(table, Kpi) else None,
        features=_features(table) if isinstance(table, FeatureView) else None,
        model=_model(model) if (model := model_served_by(table)) else None,
        reads=tuple(map(read_text, table.reads.values())),
        columns=columns,
        classification=max((one.classification for one in columns), key=_rank, default=""),
        freshness=promise_text(table.freshness) if table.freshness else "",
        latency=table.latency,
        gate_version=gate.version,
        rules=len(gate.rules),
        derived=tuple(dict.fromkeys(one.id for one in table.readers if not isinstance(one, Kpi))),
        products=tuple(dict.fromkeys(one.id for one in table.readers if isinstance(one, Kpi))),
        consumers=tuple(
            ConsumerEntry(name=one.name, contact=one.contact, columns=tuple(one.columns), purpose=one.purpose)
            for one in table.consumers
        ),
        runbook=table.runbook.text if table.runbook else "",
    )


def source_entries(domains: Iterable[Domain]) -> tuple[SourceEntry, ...]:
    """The sources of some domains, by the system that rows come from."""
    found = [source_entry(table) for domain in domains for table in domain.tables if isinstance(table, GatedTable)]
    return tuple(sorted(found, key=lambda one: (one.origin.casefold(), one.table)))


def source_entry(table: GatedTable) -> SourceEntry:
    """What is declared of a table's source."""
    source = table.source
    return SourceEntry(
        table=table.id,
        origin=source.origin,
        steward=source.steward.name,
        contact=source.steward.contact,
        reader=source.reader.describe(),
        refresh=source.refresh,
        classification=source.classification.value,
        known_issues=source.known_issues,
        schema_version=source.schema_version,
    )


def kind_of(one: CatalogItem) -> str:
    """``gated``, ``derived``, ``features``, ``model``, ``kpi`` or ``training set``."""
    match one:
        case GatedTable():
            return "model" if model_served_by(one) else "gated"
        case FeatureView():
            return "features"
        case DerivedTable():
            return "derived"
        case Kpi():
            return "kpi"
        case TrainingSet():
            return "training set"
        case _:
            assert_never(one)


def who_answers(one: CatalogItem) -> str:
    """Who answers for a table or product."""
    return one.owner if isinstance(one, TrainingSet) else answers_for(one)


def _columns(table: Table) -> Iterator[ColumnEntry]:
    for spec in gate_of(table).spec.columns:
        found: Classified = spec.classified or class_of(table, spec.name)
        yield ColumnEntry(
            name=spec.name,
            label=spec.label,
            type="as it arrives" if spec.type is None else str(spec.type),
            nullable=spec.may_be_null,
            pattern=spec.pattern,
            description=spec.description,
            classification=str(found),
            shown=found.level.shown,
            inherited=found.inherited,
            subject=found.subject,
            protection=describe_protection(found.protection) if found.protection else "",
        )


def _product(kpi: Kpi) -> ProductEntry:
    return ProductEntry(
        question=kpi.question,
        unit=kpi.unit,
        target="" if kpi.target is None else str(kpi.target),
        by=kpi.by,
        sla=kpi.sla,
    )


def _features(view: FeatureView) -> FeaturesEntry:
    return FeaturesEntry(
        entity=view.entity,
        event_time=view.event_time or "",
        known_at=f"as column {view.known_at} says" if view.known_at else "since the first commit that published it",
        version=view.version,
    )


def _model(model: Model) -> ModelEntry:
    return ModelEntry(
        training=str(model.training.id) if isinstance(model.training, TrainingSet) else "",
        risk=model.risk.value,
        approver=model.approver,
        promote=str(model.promote),
        metrics=model.metrics,
        purpose=model.purpose,
        limits=model.limits,
        scores=tuple(one.id for one in model.serving.readers),
    )


def _rank(classification: str) -> tuple[int, bool]:
    level, _, kind = classification.partition(".")
    return Classification(level).rank, bool(kind)
