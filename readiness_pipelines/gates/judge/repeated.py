"""Repeated rows that break a uniqueness rule."""

from collections.abc import Sequence

from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.bits import Bit
from readiness_pipelines.gates.judge.duplicates import find_duplicates, same_key
from readiness_pipelines.gates.judge.violations import Violations
from readiness_pipelines.gates.schema.columns import Duplicates


def find_repeated(
    view: BatchView, bit: Bit, columns: Sequence[str], duplicates: Duplicates, violations: Violations
) -> None:
    """Find the rows whose key occurs more than once: all of them, or all but the first or last by ``_row``."""
    sql = view.engine.sql
    where = view.judgeable(columns)
    keys = f"duplicates_{view.tag}_{bit.place}"
    rows = find_duplicates(view.engine, view.rows, columns, where=where, into=keys)
    if rows is None:
        return
    repeated = f"FROM {rows} t SEMI JOIN {keys} d ON {same_key(columns, sql)}"
    if duplicates == "all":
        violations.add(bit, f"SELECT t._row {repeated}")
        return
    order = "_row" if duplicates == "exclude_first" else "_row DESC"
    of_t = ", ".join(f"t.{sql.identifier(name)}" for name in columns)
    place = f"row_number() OVER (PARTITION BY {of_t} ORDER BY t.{order})"
    violations.add(bit, f"SELECT _row FROM (SELECT t._row, {place} AS place {repeated}) WHERE place > 1")
