"""Whether what a transform masked gives a value away that arrived: compared with all that arrived, as sets."""

from collections.abc import Iterator

import pyarrow as pa

from readiness_pipelines.contracts.references import MaskingVerified
from readiness_pipelines.errors import ReadinessError, UnknownNameError
from readiness_pipelines.gates.judge.batch_view import READABLE, BatchView
from readiness_pipelines.gates.judge.masking import LEAST_LENGTH, may_repeat
from readiness_pipelines.gates.judge.others import OtherRows
from readiness_pipelines.gates.judge.protecting import hmac_sql
from readiness_pipelines.gates.schema.tests import Referenced

LEAST_DIGITS = 16
"""Fewer hexadecimal digits of a hash would be equal by chance."""


def find_unmasked(view: BatchView, test: Referenced, others: OtherRows) -> str:
    """Why a column gives away what arrived elsewhere; "" where it does not. No value is part of it.

    Raises:
        UnknownNameError: A table that was not given, or a column that it does not have.
    """
    reference = test.reference
    assert isinstance(reference, MaskingVerified)  # noqa: S101  # the caller's
    if reference.of not in others.tables:
        raise UnknownNameError(f"table given to rule {test.rule.name}", reference.of, others.tables)
    arrived = f"arrived_{reference.column.encode().hex()}_{view.tag}"
    view.engine.view(f"{arrived}_rows", others.tables[reference.of])
    known = view.engine.schema(f"{arrived}_rows")
    (source,) = reference.reference_columns
    if source not in known.names:
        raise UnknownNameError(f"column in the reference of rule {test.rule.name}", source, known.names)
    value = view.engine.sql.identifier(source)
    view.engine.keep(
        arrived,
        f"SELECT DISTINCT CAST({value} AS VARCHAR) AS v FROM {arrived}_rows WHERE {value} IS NOT NULL",
    )
    try:
        return "; ".join(_faults(view, reference, arrived))
    except ReadinessError as error:  # its key
        return f"{error.what}: {error.way_out}"


def _faults(view: BatchView, reference: MaskingVerified, arrived: str) -> Iterator[str]:
    engine, own = view.engine, f"CAST(t.{view.engine.sql.identifier(reference.column)} AS VARCHAR)"
    readable = f"{view.rows} t WHERE {READABLE}"

    def count(condition: str) -> int:
        ((rows,),) = engine.fetch(f"SELECT count(*) FROM {readable} AND {condition}")
        return int(rows)

    plain = f"SELECT lower(trim(v)) FROM {arrived}"
    if rows := count(f"lower(trim({own})) IN ({plain})"):
        yield f"{reference.column}: {rows:,} values are published as they arrived"
    spellings = "unnest([v, trim(v), lower(trim(v)), upper(trim(v))])"
    hashes = f"SELECT unnest([md5(s), sha1(s), sha256(s)]) AS h FROM (SELECT {spellings} AS s FROM {arrived})"
    digits = f"least(length({own}), 32)"
    if rows := count(
        f"length({own}) >= {LEAST_DIGITS} AND EXISTS (SELECT 1 FROM ({hashes}) x "
        f"WHERE left(x.h, 16) = lower(left({own}, 16)) AND starts_with(x.h, lower(left({own}, {digits}))))"
    ):
        yield f"{reference.column}: {rows:,} values are hashes without a key"
    if reference.key:
        keyed = hmac_sql("v", view.keys(reference.key), engine, f"unmasked_{view.tag}")
        made = f"SELECT h FROM (SELECT {keyed} AS h FROM {arrived})"
        if rows := count(
            f"{own} IS NOT NULL AND NOT (length({own}) >= {LEAST_DIGITS} AND EXISTS (SELECT 1 FROM ({made}) x "
            f"WHERE left(x.h, 16) = left({own}, 16) AND starts_with(x.h, {own})))"
        ):
            yield f"{reference.column}: {rows:,} values are not made by the key {reference.key!r} of any that arrived"
    long = f"SELECT lower(trim(v)) AS v FROM {arrived} WHERE length(trim(v)) >= {LEAST_LENGTH}"
    for column in view.layout.columns:
        if column.name == reference.column or not may_repeat(pa.field(column.name, column.type)):
            continue
        other = f"lower(trim(CAST(t.{engine.sql.identifier(column.name)} AS VARCHAR)))"
        if rows := count(f"{other} IN ({long})"):
            yield f"{column.name} repeats {reference.column} in {rows:,} rows"
    files = f"SELECT DISTINCT lower(_file) AS f FROM {readable}"
    ((named,),) = engine.fetch(
        f"SELECT count(*) FROM ({files}) f WHERE EXISTS (SELECT 1 FROM ({long}) x WHERE contains(f.f, x.v))"
    )
    if named:
        yield f"_file repeats {reference.column} in {named:,} names of files"
