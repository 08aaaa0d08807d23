"""Rules that look at other published tables, which no schema of one table can express."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.contracts.texts import SomeTexts, Texts
from readiness_pipelines.durations import Duration, format_duration
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.frozen import checked

_CONFIG = ConfigDict(extra="forbid")
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


def _duration_text(value: object) -> str:
    """A duration as text, the same for the same duration: rules are written, compared and fingerprinted by it."""
    return format_duration(_DURATION.validate_python(value))


DurationText = Annotated[str, BeforeValidator(_duration_text)]


@checked
@dataclass(frozen=True, config=_CONFIG)
class ExistsIn:
    """The values of some columns exist together in another published table. Rows with a null among them pass.

    Attributes:
        columns: Columns of the judged rows.
        table: A table, what of it is read (``rates.in_force()``), or the name of a table of the domain declared before.
            By default the version in force where it has versions, else all its batches.
        keys: Its columns, in the same order; none where they have the same names.

    Example:
        rules = [ExistsIn("country", table="countries", keys="code")]
    """

    columns: SomeTexts
    table: Any
    keys: Texts = ()

    def __post_init__(self) -> None:
        """Refuse keys that do not pair up with columns."""
        if self.keys and len(self.keys) != len(self.columns):
            raise DeclarationError(
                f"ExistsIn compares {len(self.columns)} columns with {len(self.keys)} keys of {self.table}",
                way_out="name one key for each column",
            )

    @property
    def reference_columns(self) -> Sequence[str]:
        """The other table's columns."""
        return self.keys or self.columns


@checked
@dataclass(frozen=True, config=_CONFIG)
class NotInOtherBatches:
    """The values of some columns together are not published by another batch of the same table.

    Rows with a null among them pass. Law 1 holds with the snapshot that was compared with, which is recorded.

    Attributes:
        columns: Columns of the judged rows.
    """

    columns: SomeTexts


@checked
@dataclass(frozen=True, config=_CONFIG)
class WithinUsualRange:
    """The numbers of some columns lie about where earlier published batches had them. Missing ones pass.

    The usual range reaches from the 2nd to the 98th percentile of the batches before, merged, without those that
    somebody complains about; it is widened on both sides by `widened_by` times its width. A column is not decided with
    fewer than `least_batches`, nor where they all had the same number. Law 1 holds with the number of the newest
    profile, which is recorded.

    Attributes:
        columns: Columns of numbers, as the schema names them: a pattern stays a pattern.
        widened_by: How far beyond the usual range is still plausible, in widths of the range.
        least_batches: How many earlier batches have to be there.

    Example:
        rules = [WithinUsualRange(["amount", "pieces"], widened_by=2)]
    """

    columns: SomeTexts
    widened_by: float = Field(default=1.0, ge=0)
    least_batches: int = Field(default=8, ge=1)


@checked
@dataclass(frozen=True, config=_CONFIG)
class MaskingVerified:
    """What a derived table publishes gives no value away that arrived in a source's table. It holds, and is not waived.

    For values that a transform of yours masks; columns that the gate itself protects are verified without being asked.
    No published value of the column equals one that arrived, nor an unkeyed hash of one, whatever its case and the
    blanks around it; each is what the key makes of one, where a key is named; and no other column, nor the name of a
    file, repeats one.

    Attributes:
        column: Column of the judged rows: text, or whole numbers.
        of: The gated table whose raw values it is compared with, what of it is read, or its name.
        source_column: That table's column, as it arrives; `column` where it has the same name.
        key: Name of the key whose HMAC-SHA256 the values are, in 16 or more hexadecimal digits; none where they are
            something else.

    Example:
        rules = [MaskingVerified("patient", of="encounters", source_column="patient_nbr", key="patients")]
    """

    column: str
    of: Any
    source_column: str = ""
    key: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The judged column."""
        return (self.column,)

    @property
    def reference_columns(self) -> tuple[str, ...]:
        """The source's column."""
        return (self.source_column or self.column,)


@checked
@dataclass(frozen=True, config=_CONFIG)
class Late:
    """Events of a stream do not arrive later than some time after events that are newer. Rows without a time pass.

    A row belongs to the window in which it arrived, however old its event is. It is late where its event is more than
    `after` older than the watermark when it arrived: the least of the newest published event times of the partitions
    that are not idle, which never goes back. Raw keeps the watermark with each row (``_watermark``, law 1): a slice,
    its recovery, the seal and each replay say the same of a row. Rows that arrived before the rule was declared pass.

    Attributes:
        event_time: Column with the time of an event: a timestamp or a date.
        after: So much later is late.
        route: What happens to late rows: ``Route.WARN`` publishes and counts them, ``Route.QUARANTINE`` keeps them
            back, ``Route.HOLD`` holds the window back. The table's `routes` go before it.
        idle_after: A partition without a message for so long holds no watermark back.

    Example:
        rules = [Late("paid_at", after="1h", route=Route.WARN)]
    """

    event_time: str
    after: DurationText
    route: Route = Route.QUARANTINE
    idle_after: DurationText = "1m"

    @property
    def columns(self) -> tuple[str, ...]:
        """The judged column."""
        return (self.event_time,)

    @property
    def after_time(self) -> timedelta:
        """How much later is late."""
        return _DURATION.validate_python(self.after)

    @property
    def idle_time(self) -> timedelta:
        """How long a partition may be without a message before it holds nothing back."""
        return _DURATION.validate_python(self.idle_after)


Reference = ExistsIn | NotInOtherBatches | MaskingVerified | Late
