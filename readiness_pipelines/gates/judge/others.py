"""What a batch is compared with: other published rows, and where earlier batches had their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from readiness_pipelines.contracts.protections import Protection
from readiness_pipelines.engines.port import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualRange:
    """Where a column's numbers were in some earlier batches: the 2nd and the 98th percentile."""

    low: float
    high: float
    batches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRows:
    """What reference rules compare with.

    Attributes:
        tables: Published rows by table name.
        other_batches: What other batches of the same table publish; ``None`` where there are none.
        protected: How columns of `tables` were protected before they were published, by table and column.
        watermarks: Of a stream's rows, by ``_row``: the time up to which events had arrived, in microseconds
            (``watermark``); ``None`` where nobody kept it.
        ranges: Where the numbers of columns were in earlier batches, by column.
    """

    tables: Mapping[str, Rows] = field(default_factory=dict)
    other_batches: Rows | None = None
    protected: Mapping[tuple[str, str], Protection] = field(default_factory=dict)
    watermarks: Rows | None = None
    ranges: Mapping[str, UsualRange] = field(default_factory=dict)
