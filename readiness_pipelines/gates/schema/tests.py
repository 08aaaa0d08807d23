"""What a gate tests, as a closed set of small types; each knows its rule, and nothing of any batch."""

from dataclasses import dataclass

from pandera.api.checks import Check

from readiness_pipelines.contracts.disclosure import Disclosure
from readiness_pipelines.contracts.references import Reference, WithinUsualRange
from readiness_pipelines.gates.schema.columns import ColumnSpec, Duplicates
from readiness_pipelines.gates.schema.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """The reader could parse the row."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsPresent:
    """Every required column arrived."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsExpected:
    """No other column arrived."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsOrdered:
    """The columns arrived in the schema's order."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaUnchanged:
    """The source has the columns and types of the schema, no more, no fewer, no wider."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A column's values are, or convert to, its type."""

    rule: Rule
    spec: ColumnSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNull:
    """A column has no null (and no NaN, for floats)."""

    rule: Rule
    spec: ColumnSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """The values of some columns together occur once in the batch. Null counts as a value, as in Pandera."""

    rule: Rule
    columns: tuple[str, ...]
    spec: ColumnSpec | None
    duplicates: Duplicates


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A Pandera check of a column, or of the frame where there is no column.

    Attributes:
        rule: The rule.
        check: The check.
        spec: The column.
        of_rows: Whether it answers for each row, not for the batch.
        nan_fails: What Pandera says of NaN in a float column, where the query's engine would say otherwise.
        nan_settled: Whether NaN in the column is all that can be NaN in it, and with `nan_fails` the query is right.
        null_passes: Whether null in the column passes though the check does not ignore it, as some do in pandas.
    """

    rule: Rule
    check: Check
    spec: ColumnSpec | None
    of_rows: bool
    nan_fails: bool | None = None
    nan_settled: bool = False
    null_passes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Referenced:
    """Values are, or are not, in another published table or batch."""

    rule: Rule
    reference: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinUsual:
    """A column's numbers lie about where earlier batches had them."""

    rule: Rule
    reference: WithinUsualRange
    spec: ColumnSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """What is published of protected columns gives no value of them away."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """The rows to publish give no person away: enough of them share the same values, or have different ones."""

    rule: Rule
    condition: Disclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsClassified:
    """No published column that nobody classified looks personal for sure.

    Attributes:
        rule: The rule.
        classified: The columns and patterns that somebody classified.
    """

    rule: Rule
    classified: tuple[str, ...]


PersonTest = Disclosed | ColumnsClassified | Masked
"""What is about persons and the rows to publish as a whole; decided after all else."""

ShapeTest = ColumnsPresent | ColumnsExpected | ColumnsOrdered | SchemaUnchanged
GateTest = Readable | ShapeTest | Typed | NotNull | Unique | Checked | Referenced | WithinUsual | PersonTest
