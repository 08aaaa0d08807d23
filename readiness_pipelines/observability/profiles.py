"""What a batch's columns look like, in a few numbers each: small enough to keep for ever, enough to compare by.

A column's quantiles are its sketch: equally spaced ones of the batch, so that several batches are merged by giving each
of their quantiles an equal share of the batch's rows. Unlike randomised sketches (KLL, t-digest), the same rows
always give the same profile.
"""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

HUGE = 1e100
"""Numbers beyond are summed in units of the greatest: the square of one would be more than a float holds."""

QUANTILES = 51
"""So many quantiles are kept, the least and the greatest value among them: every second percent."""

TOP_VALUES = 20
"""So many of the most frequent values are kept."""

TOP_CHARACTERS = 200
"""So much is kept of a longer one of them, with a digest that tells it from others that begin alike."""

MOST_CATEGORIES = 200
"""A column with more values than this is text, and not a set of categories."""


class ColumnKind(StrEnum):
    """How a column's values compare: by size, by which there are, by length only, or by time."""

    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """What one column of a batch looks like.

    Attributes:
        kind: How its values compare.
        rows: Rows of the batch.
        nulls: Rows without a value; NaN is none.
        distinct: Different values, estimated where the batch was sampled.
        minimum: The least number, or time in seconds since 1970; ``None`` for others, and without values.
        maximum: The greatest.
        mean: Mean of the numbers, or of the lengths in characters; ``None`` without values.
        deviation: Their standard deviation.
        quantiles: `QUANTILES` equally spaced quantiles of the numbers or lengths, all values of fewer; empty without.
        top: The most frequent values with their rows, most frequent first; none of numbers and times.
    """

    kind: ColumnKind
    rows: int
    nulls: int
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: tuple[float, ...] = ()
    top: Mapping[str, int] = field(default_factory=dict)

    @property
    def null_ratio(self) -> float:
        """Share of the rows without a value; 0 of no rows."""
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def has_distribution(self) -> bool:
        """Whether its values are spread over something: not where none is there, or all are infinite."""
        if self.kind in (ColumnKind.NUMBER, ColumnKind.TEXT):
            return bool(self.quantiles)
        return self.nulls < self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProfile:
    """What a batch looks like.

    Attributes:
        batch: The batch.
        rows: Its published rows.
        columns: Its columns by name.
    """

    batch: str
    rows: int
    columns: Mapping[str, ColumnProfile]

    def to_json(self) -> str:
        """The profile as text; infinite numbers as Python spells them (``Infinity``)."""
        measured = fields(ColumnProfile)
        # Not `asdict`, which copies all that is in a value: of 2,000 columns for half a second.
        columns = {
            name: {one.name: getattr(column, one.name) for one in measured} for name, column in self.columns.items()
        }
        return json.dumps({"batch": self.batch, "rows": self.rows, "columns": columns}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "BatchProfile":
        """Read what `to_json` wrote.

        Raises:
            ValueError: Text that is something else.
        """
        try:
            found = json.loads(text)
            columns = {name: _read_column(column) for name, column in found["columns"].items()}
            return cls(batch=found["batch"], rows=found["rows"], columns=columns)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a profile: {text[:80]}") from error


def _read_column(found: Mapping[str, Any]) -> ColumnProfile:
    return ColumnProfile(**{**found, "kind": ColumnKind(found["kind"]), "quantiles": tuple(found["quantiles"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """What is known of a whole column, where the rest comes from a sample."""

    nulls: int
    minimum: Any
    maximum: Any


def profile_of(
    batch: str, sample: pa.Table, *, rows: int | None = None, exact: Mapping[str, Exact] | None = None
) -> BatchProfile:
    """Profile a batch.

    Args:
        batch: Its key.
        sample: Its rows, or some of them, drawn without regard to what is in them.
        rows: How many rows it has, where the sample is not all of it.
        exact: What is known of all its rows, by column.
    """
    total = sample.num_rows if rows is None else rows
    known = exact or {}
    columns = {
        name: _column(sample.column(name), total, known.get(name))
        for name in sample.column_names
        if not pa.types.is_nested(sample.schema.field(name).type)
    }
    return BatchProfile(batch=batch, rows=total, columns=columns)


def _column(values: pa.ChunkedArray, rows: int, exact: Exact | None) -> ColumnProfile:
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    present = values.drop_null()
    share = rows / len(values) if len(values) else 1.0
    nulls = exact.nulls if exact else round(values.null_count * share)
    counts = pc.value_counts(present)
    frequencies = counts.field("counts").to_numpy(zero_copy_only=False)
    distinct = _distinct(frequencies, rows - nulls, len(present))
    whole: dict[str, Any] = {"rows": rows, "nulls": nulls, "distinct": distinct}
    kind = _kind(values.type, len(frequencies))
    match kind:
        case ColumnKind.NUMBER | ColumnKind.TIME:
            numbers = _numbers(present)
            least, greatest = (_number(exact.minimum), _number(exact.maximum)) if exact else (None, None)
            spread = {} if kind is ColumnKind.TIME else _spread(numbers)
            return ColumnProfile(
                kind=kind,
                minimum=least if least is not None else _least(numbers, np.min),
                maximum=greatest if greatest is not None else _least(numbers, np.max),
                **whole,
                **spread,
            )
        case ColumnKind.CATEGORY | ColumnKind.TEXT:
            lengths = pc.utf8_length(pc.cast(present, pa.string())).to_numpy().astype(float)
            top = _top(counts, frequencies, share) if kind is ColumnKind.CATEGORY else {}
            return ColumnProfile(kind=kind, **whole, **_spread(lengths), top=top)


def _kind(kind: pa.DataType, values: int) -> ColumnKind:
    if pa.types.is_temporal(kind):
        return ColumnKind.TIME
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return ColumnKind.NUMBER
    return ColumnKind.CATEGORY if values <= MOST_CATEGORIES else ColumnKind.TEXT


def _numbers(values: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    if pa.types.is_temporal(values.type):
        unit = pa.timestamp("us", tz=getattr(values.type, "tz", None))
        plain = (
            pc.cast(pc.cast(values, unit), pa.int64())
            if not pa.types.is_time(values.type)
            else pc.cast(values, pa.int64())
        )
        return np.asarray(plain.to_numpy() / 1e6, dtype=float)
    return np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=float)


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, str | bytes):
        return None
    if hasattr(value, "timestamp"):
        return None  # the sample's will do: footers have times in several units
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _least(numbers: np.ndarray[Any, Any], pick: Any) -> float | None:
    return float(pick(numbers)) if numbers.size else None


def _spread(numbers: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return {}
    greatest = float(np.abs(finite).max())
    unit = greatest if greatest > HUGE else 1.0
    scaled = finite / unit
    few = finite.size <= QUANTILES
    quantiles = np.sort(finite) if few else np.quantile(scaled, np.linspace(0, 1, QUANTILES)) * unit
    return {
        "mean": float(scaled.mean()) * unit,
        "deviation": min(float(scaled.std(ddof=1)), sys.float_info.max / unit) * unit if finite.size > 1 else 0.0,
        "quantiles": tuple(map(float, quantiles)),
    }


def _top(counts: pa.StructArray, frequencies: np.ndarray[Any, Any], share: float) -> dict[str, int]:
    """The most frequent values; of equally frequent ones, the first in order."""
    names = pc.cast(counts.field("values"), pa.string()).to_pylist()
    order = sorted(range(len(names)), key=lambda place: (-int(frequencies[place]), names[place]))
    return {_shortened(names[place]): round(int(frequencies[place]) * share) for place in order[:TOP_VALUES]}


def _shortened(value: str) -> str:
    if len(value) <= TOP_CHARACTERS:
        return value
    return f"{value[:TOP_CHARACTERS]}… ({len(value):,} characters, {sha256(value.encode()).hexdigest()[:12]})"


def _distinct(frequencies: np.ndarray[Any, Any], rows: int, sampled: int) -> int:
    """Different values: counted, or estimated from a sample by GEE (Charikar et al., PODS 2000): √(N/n)·f1 + rest."""
    if sampled >= rows or not sampled:
        return len(frequencies)
    once = int((frequencies == 1).sum())
    return min(rows, round(math.sqrt(rows / sampled) * once) + len(frequencies) - once)
