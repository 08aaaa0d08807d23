"""An element-wise check of a column, called value by value, with what Pandera makes of a value that is missing."""

from typing import Any

import pyarrow as pa
from pandera.api.checks import Check

from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import failing, failing_value


def failing_element(check: Check, value: Any, *, kind: pa.DataType, flavour: Flavour, rule: str) -> bool:
    """Whether an element-wise check fails a value of a column.

    pandas has one sign for null and NaN: both are ignored, or both are what the function is called with. Polars never
    calls a function with null: it answers null. On Arrow, where Pandera calls no function value by value, null is
    ``None``.

    Args:
        check: The check.
        value: The value; ``None`` for null.
        kind: The column's type.
        flavour: The schema's flavour.
        rule: The rule's name, for the error.

    Raises:
        GateBuildError: The check's function raises.
    """
    missing = value is None or (flavour is Flavour.PANDAS and value != value)  # noqa: PLR0124  # NaN differs from itself
    if not missing:
        return failing_value(check, value, rule=rule)
    if check.ignore_na:
        return False
    match flavour:
        case Flavour.POLARS:
            return True
        case Flavour.PANDAS:
            one = pa.table({"value": pa.array([value], kind)})
            answer = failing(check, "value", one, flavour=flavour, rule=rule)
            return answer if isinstance(answer, bool) else bool(answer[0].as_py())
        case Flavour.PYARROW:
            return failing_value(check, value, rule=rule)
