"""From what arrived to the schema's types, inside the query: a value that does not convert breaks a rule of its row.

DuckDB's own casts are more generous than a gate may be: ``'1.5'`` becomes the integer 2, a timestamp becomes a date by
losing its time. What would change a value does not convert here.
"""

import re

from readiness_pipelines.sql import literal

INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)
FLOATS = frozenset({"FLOAT", "DOUBLE"})
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")

INTEGER_TEXT = "[+-]?[0-9]+"
DATE_TEXT = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
FLOAT_TEXT = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:nan|inf|infinity)"
TRUE_TEXTS, FALSE_TEXTS = ("true", "1"), ("false", "0")


def as_type(value: str, *, arrived: str, wanted: str) -> str:
    """SQL that reads a value as a type; null where it is null or does not convert.

    Args:
        value: SQL of the value.
        arrived: DuckDB type of the value.
        wanted: DuckDB type to read it as.
    """
    if arrived == wanted:
        return value
    if arrived != "VARCHAR":
        return _from_typed(value, arrived=arrived, wanted=wanted)
    text = f"trim({value})"
    if wanted in INTEGERS:
        return f"CASE WHEN regexp_full_match({text}, {literal(INTEGER_TEXT)}) THEN TRY_CAST({text} AS {wanted}) END"
    if wanted in FLOATS:
        return f"CASE WHEN regexp_full_match({text}, {literal(FLOAT_TEXT)}) THEN TRY_CAST({text} AS {wanted}) END"
    if wanted == "DATE":
        return f"CASE WHEN regexp_full_match({text}, {literal(DATE_TEXT)}) THEN TRY_CAST({text} AS DATE) END"
    if decimal := _DECIMAL.fullmatch(wanted):
        digits = decimal_text(int(decimal[2]))
        return f"CASE WHEN regexp_full_match({text}, {literal(digits)}) THEN TRY_CAST({text} AS {wanted}) END"
    if wanted == "BOOLEAN":
        true, false = (", ".join(map(literal, texts)) for texts in (TRUE_TEXTS, FALSE_TEXTS))
        return f"CASE WHEN lower({text}) IN ({true}) THEN true WHEN lower({text}) IN ({false}) THEN false END"
    return f"TRY_CAST({text} AS {wanted})"


def decimal_text(scale: int) -> str:
    """The texts that a decimal of a scale holds without loss."""
    return f"[+-]?([0-9]+([.][0-9]{{0,{scale}}}0*)?|[.][0-9]{{1,{scale or 1}}}0*)"


def _from_typed(value: str, *, arrived: str, wanted: str) -> str:
    """A typed value as another type, where it comes back the same; floats may lose digits to a narrower float."""
    cast = f"TRY_CAST({value} AS {wanted})"
    exact = (arrived in INTEGERS and wanted in INTEGERS) or (arrived in FLOATS and wanted in FLOATS)
    if exact or wanted == "VARCHAR" or (arrived.startswith("TIMESTAMP") and wanted.startswith("TIMESTAMP")):
        return cast
    return f"CASE WHEN TRY_CAST({cast} AS {arrived}) IS NOT DISTINCT FROM {value} THEN {cast} END"
