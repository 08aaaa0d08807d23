"""A domain's map: for each step what it reads, who answers, the rules, and what depends on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from readiness_pipelines.contracts import (
    DerivedTable,
    Domain,
    Freshness,
    GatedTable,
    Kpi,
    Source,
    Table,
    Tolerance,
    answers_for,
    products_of,
    upstream,
)
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.gates import Rule
from readiness_pipelines.lineage import read_text
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStep:
    """One step of a domain.

    Attributes:
        table: The table it writes.
        kind: ``raw``, ``gated``, ``derived`` or ``kpi``.
        batches: The kind of its batches: ``daily``.
        reads: What it reads: a source, or tables, with the batches of them: "shop.orders (the batch before)".
        compares: The tables that its rules compare with, likewise.
        source: Where the rows come from; ``None`` for steps computed from other steps.
        answers: Who answers for it.
        rules: The rules of its gate.
        tolerance: When a batch is held; ``None`` without a gate.
        freshness: How old its newest published batch may be; ``None`` promises nothing.
        latency: How long it may take; ``None`` promises nothing.
        gate_version: Version of its gate; ``None`` without one.
        at_risk: The products that it feeds.
        description: For people.
    """

    table: TableId
    kind: str
    batches: str
    reads: tuple[str, ...]
    compares: tuple[str, ...] = ()
    source: Source | None = None
    answers: str
    rules: tuple[Rule, ...] = ()
    tolerance: Tolerance | None = None
    freshness: Freshness | None = None
    latency: timedelta | None = None
    gate_version: str | None = None
    at_risk: tuple[str, ...]
    description: str


def domain_map(domain: Domain) -> tuple[MapStep, ...]:
    """The steps of a domain, in the order rows flow.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
    """
    return table_map(domain.tables)


def table_map(tables: Iterable[Table]) -> tuple[MapStep, ...]:
    """The steps of some tables, in the tables' order: those of a domain, or of a `data_path`.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
    """
    steps: list[MapStep] = []
    for table in tables:
        if isinstance(table, GatedTable):
            steps.append(_raw_step(table))
        steps.append(_gated_step(table))
    return tuple(steps)


def data_path(product: Table) -> tuple[Table, ...]:
    """Everything between the sources and a product, each table after what it reads; the product is the last."""
    return (*upstream(product), product)


def _raw_step(table: GatedTable) -> MapStep:
    return MapStep(
        table=table.id.raw,
        kind="raw",
        batches=table.batches.name,
        reads=(table.source.reader.describe(),),
        source=table.source,
        answers=answers_for(table),
        at_risk=products_of(table),
        description=f"Every row of {table.source.origin}, as it came",
    )


def _gated_step(table: Table) -> MapStep:
    source: Source | None = None
    reads = tuple(map(read_text, table.reads.values()))
    match table:
        case GatedTable():
            kind, source, reads = "gated", table.source, (str(table.id.raw),)
        case DerivedTable():
            kind = "derived"
        case Kpi():
            kind = "kpi"
        case _:
            assert_never(table)
    gate = gate_of(table)
    return MapStep(
        table=table.id,
        kind=kind,
        batches=table.batches.name,
        reads=reads,
        compares=tuple(map(read_text, table.references.values())),
        source=source,
        answers=answers_for(table),
        rules=gate.rules,
        tolerance=table.gating.tolerance,
        freshness=table.freshness,
        latency=table.latency,
        gate_version=gate.version,
        at_risk=products_of(table),
        description=table.description,
    )
