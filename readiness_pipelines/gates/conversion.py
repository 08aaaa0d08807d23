"""From text to the schema's types, inside the query: a value that does not convert breaks a rule of its row.

DuckDB's own casts are more generous than a gate may be: ``'1.5'`` becomes the integer 2, a timestamp becomes a date by
losing its time. What would change a value does not convert here.
"""

import re

from readiness_pipelines.gates.sql import identifier, literal

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def as_type(column: str, *, arrived: str, wanted: str, missing: tuple[str, ...]) -> str:
    """SQL that reads a column as a type; null where the value is missing or does not convert.

    Args:
        column: The column's name as it arrived.
        arrived: DuckDB type of the column as it arrived.
        wanted: DuckDB type to read it as.
        missing: Text that means "no value"; applied to text only.
    """
    value = present(column, arrived=arrived, missing=missing)
    if arrived == wanted:
        return value
    if arrived != "VARCHAR":
        return f"TRY_CAST({value} AS {wanted})"
    text = f"trim({value})"
    if wanted in _INTEGERS:
        return f"CASE WHEN regexp_full_match({text}, '[+-]?[0-9]+') THEN TRY_CAST({text} AS {wanted}) END"
    if wanted == "DATE":
        return (
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN TRY_CAST({text} AS DATE) END"
        )
    if decimal := _DECIMAL.fullmatch(wanted):
        digits = f"[+-]?[0-9]*([.][0-9]{{0,{decimal[2]}}}0*)?"
        return f"CASE WHEN regexp_full_match({text}, {literal(digits)}) THEN TRY_CAST({text} AS {wanted}) END"
    if wanted == "BOOLEAN":
        return f"CASE WHEN lower({text}) IN ('true', '1') THEN true WHEN lower({text}) IN ('false', '0') THEN false END"
    return f"TRY_CAST({text} AS {wanted})"


def present(column: str, *, arrived: str, missing: tuple[str, ...]) -> str:
    """SQL for a column's value as it arrived, null where it is one of the tokens that mean "no value"."""
    value = identifier(column)
    if arrived != "VARCHAR" or not missing:
        return value
    if len(missing) == 1:
        return f"nullif({value}, {literal(missing[0])})"
    return f"CASE WHEN {value} NOT IN ({', '.join(map(literal, missing))}) THEN {value} END"
