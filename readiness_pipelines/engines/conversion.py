"""From what arrived to the schema's types, inside the query: a value that does not convert breaks a rule of its row.

DuckDB's own casts are more generous than a gate may be: ``'1.5'`` becomes the integer 2, a timestamp becomes a date by
losing its time, an offset in a text is dropped, ``24:00:00`` is the next day, ``1e400`` is infinity. What would change
a value does not convert here, and neither does a time outside the years 1 to 9999, which no table keeps.
"""

import re

from readiness_pipelines.sql import literal

INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)
FLOATS = frozenset({"FLOAT", "DOUBLE"})
TIME_DIGITS = {
    "TIME": 6,
    "TIMESTAMP_S": 0,
    "TIMESTAMP_MS": 3,
    "TIMESTAMP": 6,
    "TIMESTAMP WITH TIME ZONE": 6,
}
"""DuckDB's types of times that tables keep, with the digits below a second that each holds."""
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")

BLANK = " "
"""What may stand around a value: DuckDB's ``trim`` alone would take sixteen more for blanks, and Spark's would not."""

INTEGER_TEXT = "[+-]?[0-9]+"
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_CLOCK = "(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]"
_OFFSET = "(?:Z| ?(?:UTC|GMT)|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?)?"
DATE_TEXT = f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
FLOAT_TEXT = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:nan|inf|infinity)"
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
    if wanted in INTEGERS:
        return _if_like(value, INTEGER_TEXT, wanted)
    if wanted in FLOATS:
        return _float_of(value, wanted)
    if wanted == "DATE":
        return _if_like(value, DATE_TEXT, wanted)
    if decimal := _DECIMAL.fullmatch(wanted):
        return _if_like(value, decimal_text(int(decimal[2])), wanted)
    if wanted == "BOOLEAN":
        true, false = (", ".join(map(literal, texts)) for texts in (TRUE_TEXTS, FALSE_TEXTS))
        # As it is first: nearly all texts are read so, and to trim takes seven times as long as to compare.
        texts = (value, f"lower(trim({value}, {literal(BLANK)}))")
        cases = (f"WHEN {text} IN ({true}) THEN true WHEN {text} IN ({false}) THEN false" for text in texts)
        return f"CASE {' '.join(cases)} END"
    if wanted in TIME_DIGITS:
        return _time_of(value, wanted)
    # Lists, records and bytes: a text that looks like one may have been meant otherwise.
    return f"CAST(NULL AS {wanted})"


def as_known_type(value: str, *, arrived: str, wanted: str) -> str:
    """The same for values that are known to convert: to look at each text again takes longer than to cast it.

    Args:
        value: SQL of the value.
        arrived: DuckDB type of the value.
        wanted: DuckDB type to read it as.
    """
    cast_alone = wanted in INTEGERS | FLOATS | {"DATE"} or wanted in TIME_DIGITS or _DECIMAL.fullmatch(wanted)
    if arrived == wanted or (arrived == "VARCHAR" and not cast_alone):
        return as_type(value, arrived=arrived, wanted=wanted)
    return f"TRY_CAST({_castable(value, wanted) if arrived == 'VARCHAR' else value} AS {wanted})"


def _castable(text: str, wanted: str) -> str:
    """A text without the blanks that the one cast to a time of day stumbles over."""
    return f"trim({text}, {literal(BLANK)})" if wanted == "TIME" else text


def _if_like(value: str, pattern: str, wanted: str) -> str:
    """A text that matches a pattern, cast: the casts pass over the blanks around it."""
    return f"CASE WHEN {_is_like(value, pattern)} THEN TRY_CAST({value} AS {wanted}) END"


def _float_of(value: str, wanted: str) -> str:
    """A text as a float: of digits beyond the largest one the cast would make infinity."""
    cast = f"TRY_CAST({value} AS {wanted})"
    kept = f"isfinite({cast}) OR NOT regexp_matches({value}, '[0-9]')"
    return f"CASE WHEN {_is_like(value, FLOAT_TEXT)} AND ({kept}) THEN {cast} END"


def _is_like(value: str, pattern: str) -> str:
    return f"regexp_full_match({value}, {literal(f'{BLANK}*(?:{pattern}){BLANK}*')})"


def time_text(wanted: str) -> str:
    """The texts of a time of day, a time, or an instant: with an offset only where it is kept."""
    clock = f"{_CLOCK}(?::[0-5]?[0-9](?:[.][0-9]{{0,{TIME_DIGITS[wanted]}}}0*)?)?"
    if wanted == "TIME":
        return clock
    day = f"{_YEAR}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}"
    offset = _OFFSET if wanted.endswith("WITH TIME ZONE") else ""
    return f"{day}(?:[ T]{clock}{offset})?"


def _time_of(value: str, wanted: str) -> str:
    """A text as a time of day, a time, or an instant."""
    if wanted == "TIME":
        return _if_like(_castable(value, wanted), time_text(wanted), wanted)
    if not wanted.endswith("WITH TIME ZONE"):
        return _if_like(value, time_text(wanted), wanted)
    # An offset may carry the first or the last year beyond what a table keeps.
    cast = f"TRY_CAST({value} AS {wanted})"
    kept = f"{cast} BETWEEN {wanted} '0001-01-01 00:00:00+00' AND {wanted} '9999-12-31 23:59:59.999999+00'"
    at_an_end = _is_like(value, "(?:0001|9999).*")
    like = _is_like(value, time_text(wanted))
    return f"CASE WHEN {like} AND (NOT {at_an_end} OR {kept}) THEN {cast} END"


def decimal_text(scale: int) -> str:
    """The texts that a decimal of a scale holds without loss."""
    after = f"[0-9]{{1,{scale}}}0*" if scale else "0+"  # .5 would be rounded to a whole number
    return f"[+-]?([0-9]+([.][0-9]{{0,{scale}}}0*)?|[.]{after})"


def _from_typed(value: str, *, arrived: str, wanted: str) -> str:
    """A typed value as another type, where it comes back the same; floats may lose digits to a narrower float."""
    cast = f"TRY_CAST({value} AS {wanted})"
    exact = (arrived in INTEGERS and wanted in INTEGERS) or (arrived in FLOATS and wanted in FLOATS)
    if exact or wanted == "VARCHAR" or (arrived == "TIMESTAMP_S" and wanted == "TIMESTAMP"):
        return cast
    return f"CASE WHEN TRY_CAST({cast} AS {arrived}) IS NOT DISTINCT FROM {value} THEN {cast} END"
