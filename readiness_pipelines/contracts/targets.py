"""What a KPI should be."""

import operator
import re
from collections.abc import Callable
from typing import Literal

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.frozen import Frozen

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_TARGET = re.compile(r"\s*(<=|>=|<|>)\s*([+-]?\d+(?:\.\d+)?)\s*(%?)\s*")


class Target(Frozen):
    """A comparison and a bound, in the KPI's unit. Written ``"<= 0.11"`` or ``"<= 11 %"``."""

    comparison: Literal["<=", ">=", "<", ">"]
    bound: float

    @classmethod
    def parse(cls, text: object, *, kpi: str) -> "Target":
        """Read a target as people write it.

        Args:
            text: ``"<= 0.11"``; ``"<= 11 %"`` is the same.
            kpi: The KPI, for the error.

        Raises:
            DeclarationError: Not a comparison.
        """
        match = _TARGET.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise DeclarationError(f"the target {text!r} of {kpi} is not a comparison", way_out='write "<= 0.11"')
        return cls(comparison=match[1], bound=float(match[2]) / (100 if match[3] else 1))

    def met_by(self, value: float | None) -> bool | None:
        """Whether `value` meets the target; ``None`` for a value that is not there."""
        return None if value is None else _COMPARE[self.comparison](value, self.bound)

    def __str__(self) -> str:
        return f"{self.comparison} {self.bound:g}"
