"""Rules that compare a batch with other published rows."""

from readiness_pipelines.contracts.references import ExistsIn, NotInOtherBatches
from readiness_pipelines.errors import GateBuildError, UnknownNameError, first_line
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.bits import Bit
from readiness_pipelines.gates.judge.others import OtherRows
from readiness_pipelines.gates.judge.violations import Violations
from readiness_pipelines.gates.schema.tests import Referenced


def find_unreferenced(view: BatchView, bit: Bit, test: Referenced, violations: Violations, others: OtherRows) -> None:
    """Find the rows whose values are not where they should be, or are where they should not.

    Raises:
        UnknownNameError: A table that was not given, or a column that it does not have.
        GateBuildError: Columns of types that do not compare.
    """
    reference = test.reference
    match reference:
        case ExistsIn(table=table):
            if table not in others.tables:
                raise UnknownNameError(f"table given to rule {test.rule.name}", table, others.tables)
            other, keys, join = others.tables[table], reference.reference_columns, "ANTI JOIN"
        case NotInOtherBatches():
            if others.other_batches is None:
                return
            other, keys, join = others.other_batches, reference.columns, "SEMI JOIN"
    name = f"other_{view.tag}_{bit.place}"
    view.engine.view(name, other)
    known = view.engine.schema(name).names
    for key in keys:
        if key not in known:
            raise UnknownNameError(f"column in the reference of rule {test.rule.name}", key, known)
    identifier = view.engine.sql.identifier
    same = " AND ".join(f"t.{identifier(c)} = o.{identifier(k)}" for c, k in zip(reference.columns, keys, strict=True))
    valued = " AND ".join(f"t.{identifier(column)} IS NOT NULL" for column in reference.columns)
    query = (
        f"SELECT t._row FROM (SELECT * FROM {view.rows} t WHERE {valued} AND {view.judgeable(reference.columns)}) t "
    )
    try:
        violations.add(bit, f"{query} {join} {name} o ON {same}")
    except view.engine.refusals as error:
        raise GateBuildError(
            f"the rule {test.rule.name!r} cannot compare its columns: {first_line(error)}",
            way_out="give the columns of both tables the same type",
        ) from error
