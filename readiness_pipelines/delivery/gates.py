"""The gate that is declared for a table."""

from functools import lru_cache
from typing import assert_never

from readiness_pipelines.contracts import DerivedTable, GatedTable, Kpi, Table
from readiness_pipelines.contracts.models import model_scoring
from readiness_pipelines.contracts.serving_models import SCORE_COLUMNS
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import Gate
from readiness_pipelines.gates.schema.tests import Disclosed
from readiness_pipelines.products import kpi_schema
from readiness_pipelines.settings import EngineName

GATES_KEPT = 4_096
"""So many gates are kept: building one takes longer than judging a small batch, and whoever looks at all tables of an
installation, again and again, must not build them all each time."""


def engine_of(table: Table, default: EngineName) -> EngineName:
    """Where a table's gate judges. What DuckDB computed is judged by DuckDB."""
    if not isinstance(table, GatedTable):
        return "duckdb"
    return table.engine or table.domain.engine or default


def gate_of(table: Table, *, default_engine: EngineName = "duckdb") -> Gate:
    """The gate of a table or product.

    Args:
        table: The table.
        default_engine: Where it judges, unless domain or table say so themselves.

    Raises:
        GateBuildError: Its schema cannot become a gate; names the rule and the reason.
    """
    return _gate(table, engine_of(table, default_engine))


def exposing_rules(table: Table) -> frozenset[str]:
    """The names of the rules about what a table's rows give away of persons."""
    return frozenset(test.rule.name for test in gate_of(table).tests if isinstance(test, Disclosed))


@lru_cache(maxsize=GATES_KEPT)
def _gate(table: Table, engine: EngineName) -> Gate:
    if isinstance(table, Kpi) and not table.gating.rules:
        told_apart_by = (table.by, table.suppress_below is not None)
        if told_apart_by not in _kpi_gates:
            _kpi_gates[told_apart_by] = _built(table, engine)
        return _kpi_gates[told_apart_by].renamed(str(table.id))
    return _built(table, engine)


_kpi_gates: dict[tuple[tuple[str, ...], bool], Gate] = {}
"""Gates of KPIs of which nothing is said to be plausible, by all that tells them apart: dimensions, small cells."""


def _built(table: Table, engine: EngineName) -> Gate:
    gate = _of_schema(table, engine)
    if (model := model_scoring(table)) is not None:
        lacking = [name for name in SCORE_COLUMNS if not any(spec.matches(name) for spec in gate.spec.columns)]
        if lacking:
            raise GateBuildError(
                f"the schema of {table.id} has no {', '.join(lacking)}: nobody could tell which version of {model.id} "
                "predicted a row",
                way_out="add them to the schema, as docs/models.md has them",
            )
    return gate


def _of_schema(table: Table, engine: EngineName) -> Gate:
    gating = table.gating
    match table:
        case GatedTable():
            schema, missing, rules = table.schema, table.source.reader.missing, gating.rules
        case DerivedTable():
            schema, missing, rules = table.schema, (), gating.rules
        case Kpi():
            schema, missing, rules = kpi_schema(table), (), ()
        case _:
            assert_never(table)
    return Gate(
        schema,
        name=str(table.id),
        missing=missing,
        rules=rules,
        routes=gating.routes,
        default_route=gating.default_route,
        tolerance=gating.tolerance,
        schema_change=gating.schema_change,
        unclassified=gating.unclassified,
        allow_empty=gating.allow_empty,
        engine=engine,
        classified=table.classified,
    )


__all__ = ["engine_of", "exposing_rules", "gate_of"]
