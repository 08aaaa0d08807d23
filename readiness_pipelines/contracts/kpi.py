"""The business number a path exists for."""

import operator
import re
from collections.abc import Callable
from typing import Any

from pydantic import Field, model_validator

from readiness_pipelines.names import Identifier
from readiness_pipelines.frozen import Frozen

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_TARGET = re.compile(r"\s*(<=|>=|<|>)\s*([+-]?\d+(?:\.\d+)?)\s*")


class Target(Frozen):
    """What a KPI should be: a comparison and a bound, in the KPI's unit. Written ``"<= 0.11"``."""

    comparison: str
    bound: float

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = _TARGET.fullmatch(value)
        if match is None:
            raise ValueError(f"the target {value!r} is no comparison: write '<= 0.11' or '> 95'")
        return {"comparison": match[1], "bound": float(match[2])}

    def met_by(self, value: float | None) -> bool | None:
        """Whether `value` meets the target; ``None`` for a value that is not there."""
        return None if value is None else _COMPARE[self.comparison](value, self.bound)

    def __str__(self) -> str:
        return f"{self.comparison} {self.bound:g}"


class Kpi(Frozen):
    """A business number with an owner.

    Attributes:
        name: Identifier; the KPI's table is ``kpi.<name>``.
        question: The question it answers, as the business asks it.
        unit: Unit of the value ("ratio", "EUR", "minutes").
        target: What it should be, as ``"<= 0.11"``; ``None`` where none is set.
        owner: Who answers for the number (not a steward, who answers for a source).
    """

    name: Identifier
    question: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    target: Target | None = None
    owner: str = Field(min_length=1)

    def __init__(self, name: str | None = None, /, **fields: object) -> None:
        """Accept the name by position."""
        if name is not None:
            fields["name"] = name
        super().__init__(**fields)
