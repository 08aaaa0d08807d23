"""Refuses protections that a column cannot have."""

import pyarrow as pa

from readiness_pipelines.contracts.protections import (
    Bucket,
    FormatPreserving,
    KeepFirst,
    KeepLast,
    Protection,
    Pseudonym,
    SetNull,
    Token,
    Withhold,
    YearOnly,
    describe_protection,
)
from readiness_pipelines.contracts.references import NotInOtherBatches
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.schema.columns import ColumnSpec, SchemaSpec
from readiness_pipelines.gates.schema.tests import GateTest, Referenced, WithinUsual

TELLS_APART = (Pseudonym, Token, FormatPreserving)
"""Protections under which two values are equal where they were, and unlike where they were not."""


def protected_columns(spec: SchemaSpec) -> tuple[ColumnSpec, ...]:
    """The columns, or patterns of them, that are published protected."""
    return tuple(column for column in spec.columns if column.classified and column.classified.protection)


def refuse_unprotectable(spec: SchemaSpec, tests: tuple[GateTest, ...]) -> None:
    """Refuse a protection that would change a column's type, or that a rule could not look through.

    Raises:
        GateBuildError: Names the column or rule, and what can be done.
    """
    protected = {column.name: _protection(column) for column in protected_columns(spec)}
    for column in protected_columns(spec):
        _refuse_type(column, _protection(column))
    for test in tests:
        name = test.rule.name
        if isinstance(test, WithinUsual) and test.spec.name in protected:
            raise GateBuildError(
                f"the rule {name!r} compares with what was published, which is protected", way_out="drop the rule"
            )
        if isinstance(test, Referenced) and isinstance(test.reference, NotInOtherBatches):
            for one in test.reference.columns:
                if one in protected and not isinstance(protected[one], TELLS_APART):
                    raise GateBuildError(
                        f"the rule {name!r} compares with what was published of {one!r}, which is "
                        f"{describe_protection(protected[one])}: values that differ look alike there",
                        way_out="protect it by Pseudonym(key=…), or drop the rule",
                    )


def _protection(column: ColumnSpec) -> Protection:
    protection = column.classified.protection if column.classified else None
    assert protection is not None  # noqa: S101  # `protected_columns` says so
    return protection


def _refuse_type(column: ColumnSpec, protection: Protection) -> None:
    kind, wanted = column.type, ""
    match protection:
        case SetNull():
            return
        case Pseudonym():
            fits = kind is not None and (_is_text(kind) or kind == pa.int64())
            wanted = "text, or whole numbers of 64 bits (arrow.int64())"
        case Token() | FormatPreserving() | KeepFirst() | KeepLast() | Withhold():
            fits, wanted = kind is not None and _is_text(kind), "text"
        case YearOnly():
            fits = kind is not None and bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))
            wanted = "dates or timestamps"
        case Bucket(width=width):
            fits = kind is not None and any(
                kind_of(kind) for kind_of in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
            )
            wanted = "numbers"
            if kind is not None and pa.types.is_integer(kind) and width != int(width):
                fits, wanted = False, "numbers that have fractions where its width has one"
    if not fits:
        raise GateBuildError(
            f"column {column.label!r} is {kind or 'of any type'}; the protection "
            f"“{describe_protection(protection)}” is for {wanted}",
            way_out="give the column that type, or another protection: SetNull() does for every type",
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
