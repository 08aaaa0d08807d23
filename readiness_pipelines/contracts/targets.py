"""What a KPI should be."""

import operator
import re
from collections.abc import Callable
from decimal import Decimal
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
        # Not divided by 100: 0.7 / 100 is a little less than the 0.007 that people mean.
        return cls(comparison=match[1], bound=float(match[2] + ("e-2" if match[3] else "")))

    def met_by(self, value: float | None) -> bool | None:
        """Whether `value` meets the target; ``None`` for a value that is not there."""
        return None if value is None else _COMPARE[self.comparison](value, self.bound)

    def __str__(self) -> str:
        """All digits of the bound, and no exponent: this text is what is published and compared."""
        digits = f"{Decimal(repr(self.bound)):f}"
        return f"{self.comparison} {digits.rstrip('0').rstrip('.') if '.' in digits else digits}"
