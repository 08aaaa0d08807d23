"""Types that Pandera's engine for Arrow lacks, made known to it: decimals and times of day."""

from typing import Any

import narwhals.stable.v1 as nw
import pyarrow as pa
from pandera.dtypes import immutable
from pandera.engines.narwhals_engine import DataType, Engine


def _kind(arrow: pa.DataType) -> Any:
    return nw.from_native(pa.table({"x": pa.nulls(0, arrow)}), eager_only=True).schema["x"]


DecimalKind: Any = type(_kind(pa.decimal128(1, 0)))
TimeKind: Any = type(_kind(pa.time64("us")))


@immutable(init=True)
class Decimal(DataType):
    """An exact number of so many digits."""

    type: Any = DecimalKind

    def __init__(self, kind: Any = None) -> None:
        object.__setattr__(self, "type", _kind(pa.decimal128(38, 0)) if kind is None else kind)

    @classmethod
    def from_parametrized_dtype(cls, kind: DecimalKind) -> "Decimal":
        """The type with its digits."""
        return cls(kind)


@immutable
class Time(DataType):
    """A time of day."""

    type: Any = TimeKind


if not any(registered.__name__ == "Time" for registered in Engine.get_registered_dtypes()):
    Engine.register_dtype(Decimal, equivalents=[DecimalKind])
    Engine.register_dtype(Time, equivalents=[TimeKind, TimeKind()])


def arrow_type_of(kind: Any) -> pa.DataType | None:
    """Arrow's type of a decimal or time; ``None`` for other types. Times are in microseconds, as tables store them."""
    if isinstance(kind, DecimalKind):
        return pa.decimal128(kind.precision, kind.scale)
    if kind is TimeKind or isinstance(kind, TimeKind):
        return pa.time64("us")
    return None
