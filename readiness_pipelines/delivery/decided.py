"""Decisions about a batch, applied to its rows. Raw stays as it is: a replay applies them again."""

from collections.abc import Sequence
from uuid import uuid4

import duckdb
import pyarrow as pa

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.gates import Decided, Discarded, Waived
from readiness_pipelines.ledger import CellCorrection, Correction, Decision, Discarding, Waiver, describe

READABLE = "_unreadable IS NULL"


def corrected(
    rows: duckdb.DuckDBPyRelation, decisions: Sequence[Decision], engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """Rows with their corrections, each on top of those before it.

    Args:
        rows: The rows as they arrived.
        decisions: The decisions in force, in order.
        engine: The relation's connection.

    Raises:
        DeclarationError: A correction that cannot be applied any more; names the decision and the way out.
    """
    for decision in decisions:
        if not isinstance(decision.what, Correction | CellCorrection):
            continue
        try:
            match decision.what:
                case Correction() as correction:
                    rows = _with_expression(rows, correction, engine)
                case CellCorrection() as cells:
                    rows = _with_cells(rows, cells, engine)
        except (duckdb.Error, KeyError) as error:
            raise DeclarationError(
                f"decision {decision.id} about {decision.ref} cannot be applied "
                f"({describe(decision.what)}): {str(error).splitlines()[0]}",
                way_out=f"readiness quarantine undo {decision.ref.batch} --decision {decision.id}",
            ) from error
    return rows


def decided(decisions: Sequence[Decision]) -> Decided:
    """What a gate has to know of the decisions in force."""
    return Decided(
        waived=[Waived(rule=d.what.rule, where=d.what.where) for d in decisions if isinstance(d.what, Waiver)],
        discarded=[
            Discarded(where=d.what.where, reason=f"decision {d.id} by {d.who}: {d.why}")
            for d in decisions
            if isinstance(d.what, Discarding)
        ],
    )


def _with_expression(
    rows: duckdb.DuckDBPyRelation, correction: Correction, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    view = _view(rows)
    column, kind = _quoted(correction.column), _type(rows, correction.column)
    where = f"{READABLE} AND ({correction.where or 'true'})"
    value = f"CASE WHEN {where} THEN CAST(({correction.expression}) AS {kind}) ELSE {column} END"
    return engine.sql(f"SELECT * REPLACE ({value} AS {column}) FROM {view}")


def _with_cells(
    rows: duckdb.DuckDBPyRelation, correction: CellCorrection, engine: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    for name, cells in correction.cells.items():
        view, values = _view(rows), f"cells_{uuid4().hex[:12]}"
        column, kind = _quoted(name), _type(rows, name)
        numbers = pa.array([int(row) for row in cells], pa.int64())
        engine.register(values, pa.table({"_row": numbers, "value": pa.array(list(cells.values()), pa.string())}))
        value = f"CASE WHEN c._row IS NULL THEN r.{column} ELSE CAST(c.value AS {kind}) END"
        rows = engine.sql(
            f"SELECT r.* REPLACE ({value} AS {column}) FROM {view} r LEFT JOIN {values} c ON r._row = c._row"
        )
    return rows


def _view(rows: duckdb.DuckDBPyRelation) -> str:
    name = f"decided_{uuid4().hex[:12]}"
    rows.create_view(name)
    return name


def _type(rows: duckdb.DuckDBPyRelation, column: str) -> str:
    return str(dict(zip(rows.columns, rows.types, strict=True))[column])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
