"""One record at a time, from the same schema: the batch gate's verdict on a batch of one, without an engine."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType
from typing import Any

import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.gates.record.plans import Kind, Planner, RecordPlan
from readiness_pipelines.gates.record.references import KnownKeys, breaks_reference
from readiness_pipelines.gates.record.text_times import UNCONVERTED
from readiness_pipelines.gates.record.verdicts import BrokenRule, RecordVerdict
from readiness_pipelines.gates.schema.columns import SchemaSpec
from readiness_pipelines.gates.schema.tests import GateTest, Readable
from readiness_pipelines.recent import Recent
from readiness_pipelines.sql import locked_connection

KNOWN_SHAPES = 256
"""How many combinations of keys and types are remembered, those used last; records of one caller have one or two."""

Known = Mapping[str, KnownKeys]
"""What tables have that rules refer to, by the name that the rules give them."""


class RecordGate:
    """Judges single records by a gate's tests. Compiled once for each combination of keys and types it meets."""

    def __init__(
        self, spec: SchemaSpec, tests: tuple[GateTest, ...], *, missing: tuple[str, ...], change: SchemaChange
    ) -> None:
        self._spec = spec
        self._order = {test.rule.name: place for place, test in enumerate(tests)}
        self._readable = next(test.rule for test in tests if isinstance(test, Readable))
        self._evolves = change is SchemaChange.EVOLVE
        self._connection = locked_connection()
        self._planner = Planner(spec, tests, missing=missing, change=change, connection=self._connection)
        self._plans: Recent[tuple[tuple[str, ...], tuple[Kind, ...]], RecordPlan] = Recent(KNOWN_SHAPES)
        self._usual: Recent[tuple[str, ...], tuple[tuple[Kind, pa.DataType], ...]] = Recent(KNOWN_SHAPES)

    def check(self, record: Mapping[str, Any], known: Known) -> RecordVerdict:
        """Judge a record: column names to plain Python values."""
        wide = False
        for name, value in record.items():
            if isinstance(value, str):
                if not value.isascii():
                    _check_text(name, value)
            elif type(value) is int and not _LEAST <= value <= _MOST:
                wide = True
        names = tuple(record)
        kinds: tuple[Kind, ...] = tuple(map(type, record.values()))
        if wide or not _VARYING.isdisjoint(kinds):
            kinds = tuple(self._kind(name, value) for name, value in record.items())
        if NoneType in kinds:
            kinds = self._with_usual(names, kinds)
        plan = self._plans.find((names, kinds))
        if plan is None:
            plan = self._remember(names, kinds, [self._arrived_type(name, record[name]) for name in names])
        return self._judge(plan, record, known)

    def check_texts(self, record: Mapping[str, str | None], known: Known) -> RecordVerdict:
        """Judge a record of texts without halves of characters, as a file of text has them."""
        names = tuple(record)
        kinds: tuple[Kind, ...] = (str,) * len(names)
        plan = self._plans.find((names, kinds))
        if plan is None:
            plan = self._plans.keep((names, kinds), self._plan(names, kinds, [pa.string()] * len(names)))
        return self._judge(plan, record, known)

    def unreadable(self, reason: str) -> RecordVerdict:
        """What is said of a record that could not be parsed."""
        rule = self._readable
        broken = BrokenRule(rule=rule.name, column=None, reason=reason, route=rule.route)
        return RecordVerdict(
            broken=(broken,), undecided=tuple(name for name in self._order if name != rule.name), record={}
        )

    def _judge(self, plan: RecordPlan, record: Mapping[str, Any], known: Known) -> RecordVerdict:
        if plan.held:
            return RecordVerdict(broken=plan.misshapen, undecided=plan.undecided, record={})
        typed, unconverted = self._typed(plan, record)
        broken = [found for test in plan.tests if (found := test(typed, unconverted)) is not None]
        undecided = plan.undecided
        if known and plan.references:
            decided = set()
            for test in plan.references:
                missing = breaks_reference(test, typed, unconverted, known)
                if missing is not None:
                    decided.add(test.rule.name)
                    broken += missing
            undecided = tuple(name for name in undecided if name not in decided)
            broken.sort(key=lambda one: self._order[one.rule])
        return RecordVerdict(broken=(*plan.misshapen, *broken), undecided=undecided, record=typed)

    def _typed(self, plan: RecordPlan, record: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        typed = {name: record[name] for name in plan.copied}
        typed |= plan.constants
        failed: list[str] = []
        for name, convert in plan.converted:
            value = record[name]
            if value is not None and (value := convert(value)) is UNCONVERTED:
                failed.append(name)
                value = None
            typed[name] = value
        for flag, name in plan.flags:
            typed[flag] = typed[name] is None and name not in failed
        for name, default in plan.fills:
            if typed[name] is None and name not in failed:
                typed[name] = default
        if plan.query:
            given = {f"p{index}": record[name] for index, name in enumerate(plan.parameters)}
            # A cursor for each call: records may come from many threads.
            (values,) = self._connection.cursor().execute(plan.query, given).fetchall()
            answer = iter(values)
            for name, flagged in plan.made:
                typed[name] = next(answer)
                if flagged and next(answer):
                    failed.append(name)
        return typed, frozenset(failed)

    def _remember(self, names: tuple[str, ...], kinds: tuple[Kind, ...], arrived: list[pa.DataType]) -> RecordPlan:
        """Make and keep a plan; and the types of its columns, for records in which they have no value."""
        before = self._usual.find(names)
        if before is not None:
            arrived = [
                earlier[1] if kind == earlier[0] and record_type == pa.string() else record_type
                for kind, earlier, record_type in zip(kinds, before, arrived, strict=True)
            ]
        plan = self._plans.keep((names, kinds), self._plan(names, kinds, arrived))
        if not plan.misshapen and not self._evolves:
            seen = [
                (NoneType if self._wanted(name) is None else kind, at)
                for name, kind, at in zip(names, kinds, arrived, strict=True)
            ]
            if before is not None:
                seen = [old if new[0] is NoneType else new for old, new in zip(before, seen, strict=True)]
            self._usual.keep(names, tuple(seen))
        return plan

    def _with_usual(self, names: tuple[str, ...], kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        """The types of a record's values; for those that are not there, as in the records before.

        Null is null whatever the type: else each combination of columns without a value would need a plan of its own.
        """
        usual = self._usual.find(names)
        if usual is None:
            return kinds
        return tuple(earlier[0] if kind is NoneType else kind for kind, earlier in zip(kinds, usual, strict=True))

    def _plan(self, names: tuple[str, ...], kinds: tuple[Kind, ...], arrived: list[pa.DataType]) -> RecordPlan:
        columns = [(name, kind) for name, kind in zip(names, arrived, strict=True) if name not in RESERVED_COLUMNS]
        return self._planner.plan(pa.schema(columns), dict(zip(names, kinds, strict=True)))

    def _kind(self, name: str, value: Any) -> Kind:
        kind = type(value)
        varies = kind in _VARYING or (kind is int and not _LEAST <= value <= _MOST)
        return (kind, str(self._arrived_type(name, value))) if varies else kind

    def _wanted(self, name: str) -> pa.DataType | None:
        """The type that the schema gives a column; ``None`` where it gives none."""
        return next((c.type for c in self._spec.columns if c.type is not None and c.matches(name)), None)

    def _arrived_type(self, name: str, value: Any) -> pa.DataType:
        """The type a value arrives in: a Python number has no width of its own, and takes the schema's."""
        wanted = self._wanted(name)
        if wanted is not None and not isinstance(value, bool):
            whole = isinstance(value, int) and pa.types.is_integer(wanted)
            if whole or (isinstance(value, float) and pa.types.is_floating(wanted)):
                return wanted
            if isinstance(value, list | dict) and pa.types.is_nested(wanted) and _holds(wanted, value):
                return wanted
        return arrow_type_of(name, value)


_VARYING = frozenset({Decimal, datetime, list, dict})
"""Types of Python that are not one type of Arrow: with or without a zone, of so many digits."""
_LEAST, _MOST = -(2**63), 2**63 - 1
"""Whole numbers beyond these are not of the type of others."""
_LARGEST = 10**38
"""Whole numbers from here on are of no type."""


def arrow_type_of(name: str, value: Any) -> pa.DataType:
    """The Arrow type that a Python value has in a batch of one; text where there is no value.

    Raises:
        DeclarationError: A value that no column can hold.
    """
    match value:
        case None | str():
            return pa.string()
        case bool():
            return pa.bool_()
        case int():
            if abs(value) >= _LARGEST:
                raise _too_many_digits(name)
            return pa.int64() if _LEAST <= value <= _MOST else pa.decimal128(38, 0)
        case float():
            return pa.float64()
        case datetime():
            return pa.timestamp("us", tz="UTC" if value.tzinfo else None)
        case date():
            return pa.date32()
        case time():
            return pa.time64("us")
        case Decimal() | bytes() | list() | dict():
            try:
                kind: pa.DataType = pa.scalar(value).type
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                raise DeclarationError(
                    f"the value of {name!r} is a {type(value).__name__} that no column holds",
                    way_out="give values of one type in a list, and texts as keys",
                ) from error
            if pa.types.is_decimal256(kind):
                raise _too_many_digits(name)
            return kind
        case _:
            raise DeclarationError(
                f"the value of {name!r} is a {type(value).__name__}", way_out="give plain Python values, or text"
            )


def _too_many_digits(name: str) -> DeclarationError:
    return DeclarationError(f"the value of {name!r} has more than 38 digits", way_out="give it as text")


def _check_text(name: str, text: str) -> None:
    """Refuse half of a character, which Python's texts may hold and no column does.

    Raises:
        DeclarationError: The text has one.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DeclarationError(
            f"the value of {name!r} has half of a character at {error.start}", way_out="decode it as it was encoded"
        ) from error


def _holds(kind: pa.DataType, value: Any) -> bool:
    """Whether a list or record, whose own type an empty one does not tell, is of a type."""
    try:
        pa.scalar(value, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True
