"""Rows as Python values, also where Python has none for a value: an infinite time, a year after 9999."""

from typing import Any

import pyarrow as pa


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as dictionaries; a time that Python cannot hold is given as text.

    Args:
        table: The rows.
    """
    try:
        return table.to_pylist()  # type: ignore[no-any-return]  # pyarrow has no types
    except (OverflowError, ValueError):
        columns = {name: [_value(one) for one in table.column(name)] for name in table.column_names}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        # DuckDB's infinities are the last numbers that a time can have.
        number = getattr(scalar, "value", None)
        if isinstance(number, int) and abs(number) >= (1 << (scalar.type.bit_width - 1)) - 1:
            return "infinity" if number > 0 else "-infinity"
        return f"{number} ({scalar.type})" if number is not None else str(scalar.type)
