"""A path's map: for each step the system it comes from, who answers, the rules, and the latency it may take."""

from dataclasses import dataclass
from datetime import timedelta

from readiness_pipelines.contracts import DataPath, DerivedTable, Freshness, GatedTable, Source, Tolerance
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.names import kpi_table, published_table, raw_table
from readiness_pipelines.gates import Rule
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One step of a path.

    Attributes:
        table: The table it writes.
        kind: ``raw``, ``gated``, ``derived`` or ``kpi``.
        reads: What it reads: a file pattern, or tables.
        source: Where the rows come from and who answers; ``None`` for steps computed from other steps.
        answers: Who answers for it: the sources' stewards, or the KPI's owner.
        rules: The rules of its gate.
        tolerance: When a batch is held; ``None`` without a gate.
        freshness: How old its newest published batch may be; ``None`` promises nothing.
        latency: How long it may take; ``None`` promises nothing.
        gate_version: Version of its gate; ``None`` without one.
        description: For people.
    """

    table: str
    kind: str
    reads: tuple[str, ...]
    source: Source | None = None
    answers: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    tolerance: Tolerance | None = None
    freshness: Freshness | None = None
    latency: timedelta | None = None
    gate_version: str | None = None
    description: str


def path_map(path: DataPath) -> tuple[PathStep, ...]:
    """The steps of a path, in the order rows flow.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
    """
    steps: list[PathStep] = []
    stewards: dict[str, tuple[str, ...]] = {}
    for table in path.tables:
        match table:
            case GatedTable():
                stewards[table.name] = (str(table.source.steward),)
                steps.append(_raw_step(table))
            case DerivedTable():
                inherited = dict.fromkeys(who for name in table.inputs for who in stewards[name])
                stewards[table.name] = tuple(inherited)
        steps.append(_gated_step(path, table, stewards[table.name]))
    if (step := path.kpi_measure) is not None:
        steps.append(
            PathStep(
                table=str(kpi_table(path)),
                kind="kpi",
                reads=tuple(str(published_table(path, path.table(name))) for name in step.inputs),
                answers=(path.kpi.owner,),
                latency=step.latency,
                description=step.description or path.kpi.question,
            )
        )
    return tuple(steps)


def _raw_step(table: GatedTable) -> PathStep:
    return PathStep(
        table=str(raw_table(table)),
        kind="raw",
        reads=(table.source.reader.pattern,),
        source=table.source,
        answers=(str(table.source.steward),),
        description=f"Every row of {table.source.origin}, as it came",
    )


def _gated_step(path: DataPath, table: GatedTable | DerivedTable, answers: tuple[str, ...]) -> PathStep:
    gate = gate_of(path, table)
    source: Source | None = None
    match table:
        case GatedTable():
            kind, source = "gated", table.source
            reads: tuple[TableId, ...] = (raw_table(table),)
        case DerivedTable():
            kind = "derived"
            reads = tuple(published_table(path, path.table(name)) for name in table.inputs)
    return PathStep(
        table=str(published_table(path, table)),
        kind=kind,
        reads=tuple(str(name) for name in reads),
        source=source,
        answers=answers,
        rules=gate.rules,
        tolerance=table.gating.tolerance,
        freshness=table.freshness,
        latency=table.latency,
        gate_version=gate.version,
        description=table.description,
    )
