"""Rules that compare a batch with other published rows."""

from collections.abc import Mapping
from datetime import timedelta

import pyarrow as pa

from readiness_pipelines.contracts.protections import describe_protection
from readiness_pipelines.contracts.references import ExistsIn, Late, MaskingVerified, NotInOtherBatches
from readiness_pipelines.errors import GateBuildError, UnknownNameError
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.bits import Bit
from readiness_pipelines.gates.judge.others import OtherRows
from readiness_pipelines.gates.judge.violations import Violations
from readiness_pipelines.gates.schema.protecting import TELLS_APART
from readiness_pipelines.gates.schema.tests import Referenced
from readiness_pipelines.masking import quoted


def find_unreferenced(view: BatchView, bit: Bit, test: Referenced, violations: Violations, others: OtherRows) -> None:
    """Find the rows whose values are not where they should be, or are where they should not.

    Values that were protected before they were published are found by the protected ones.

    Raises:
        UnknownNameError: A table that was not given, or a column that it does not have.
        GateBuildError: Columns of types that do not compare without losing something.
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
        case Late():
            _find_late(view, bit, reference, violations, others)
            return
        case MaskingVerified():
            return  # `find_unmasked` looks at the whole batch
    name = f"other_{view.tag}_{bit.place}"
    view.engine.view(name, other)
    known = view.engine.schema(name)
    if isinstance(reference, NotInOtherBatches) and not set(keys) <= set(known.names):
        return  # the column is new: no other batch publishes a value of it
    for key in keys:
        if key not in known.names:
            raise UnknownNameError(f"column in the reference of rule {test.rule.name}", key, known.names)
    _check_types(view, test, dict(zip(reference.columns, (known.field(key) for key in keys), strict=True)))
    identifier = view.engine.sql.identifier
    if view.protections.missing:
        return  # the batch is held for want of a key
    pairs = list(zip(reference.columns, keys, strict=True))
    same = " AND ".join(f"{_compared(view, test, others, c, k)} = o.{identifier(k)}" for c, k in pairs)
    valued = " AND ".join(f"t.{identifier(column)} IS NOT NULL" for column in reference.columns)
    query = (
        f"SELECT t._row FROM (SELECT * FROM {view.rows} t WHERE {valued} AND {view.judgeable(reference.columns)}) t "
    )
    try:
        violations.add(bit, f"{query} {join} {name} o ON {same}")
    except view.engine.refusals as error:
        raise _cannot_compare(test, quoted(error)) from error


def _find_late(view: BatchView, bit: Bit, late: Late, violations: Violations, others: OtherRows) -> None:
    """Find the rows whose event is too much older than the watermark was when they arrived."""
    if others.watermarks is None:
        return
    name = f"other_{view.tag}_{bit.place}"
    view.engine.view(name, others.watermarks)
    column, after = f"t.{view.engine.sql.identifier(late.event_time)}", late.after_time // timedelta(microseconds=1)
    rows = f"SELECT * FROM {view.rows} t WHERE {column} IS NOT NULL AND {view.judgeable(late.columns)}"
    violations.add(
        bit,
        f"SELECT t._row FROM ({rows}) t JOIN {name} o ON t._row = o._row "
        f"WHERE isfinite({column}) AND epoch_us({column}) < o.watermark - {after}",
    )


def _compared(view: BatchView, test: Referenced, others: OtherRows, column: str, key: str) -> str:
    """SQL of what a column is compared by: its protected value, where the other is protected alike."""
    own = view.protections.columns.get(column)
    if not isinstance(test.reference, ExistsIn):
        return own.value if own else f"t.{view.engine.sql.identifier(column)}"
    theirs = others.protected.get((test.reference.table, key))
    if theirs is None:
        return f"t.{view.engine.sql.identifier(column)}"
    if own is None or own.protection != theirs or not isinstance(theirs, TELLS_APART):
        raise GateBuildError(
            f"the rule {test.rule.name!r} compares {column} with {key} of {test.reference.table}, which is published "
            f"as {describe_protection(theirs)}",
            way_out=f"protect {column} alike, by the same key, or drop the rule",
        )
    return own.value


def _check_types(view: BatchView, test: Referenced, others: Mapping[str, pa.Field]) -> None:
    """Refuse what an engine would compare by changing one side: a whole number made a float, a text made a number."""
    for column in view.layout.columns:
        other = others.get(column.name)
        if other is not None and not types_compare(column.type, other.type):
            raise _cannot_compare(test, f"{column.name} is {column.type}, and {other.name} there is {other.type}")


def types_compare(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether values of two types are compared without changing one side."""
    if one == other or pa.types.is_null(one) or pa.types.is_null(other):
        return True
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other):
        return (one.tz is None) == (other.tz is None)
    return any(kind(one) and kind(other) for kind in (_is_exact, pa.types.is_floating, pa.types.is_time, _is_text))


def _is_exact(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _cannot_compare(test: Referenced, why: str) -> GateBuildError:
    return GateBuildError(
        f"the rule {test.rule.name!r} cannot compare its columns: {why}",
        way_out="give the columns of both tables the same type",
    )
