"""What people decide about what waits: to correct it, to waive a rule, to discard it, or to undo such a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, assert_never

from readiness_pipelines.ledger.records import BatchRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A column set by an expression, in the rows that meet a condition. Raw keeps what arrived.

    Attributes:
        column: The column.
        expression: A DuckDB expression over the row's columns.
        where: A DuckDB condition over the row's columns; ``None`` for all rows.
    """

    column: str
    expression: str
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCorrection:
    """Single cells, from a file.

    Attributes:
        cells: Values by ``_row``, by column; text, or null.
        file: The file's name, for people.
    """

    cells: Mapping[str, Mapping[str, str | None]]
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A rule that need not hold.

    Attributes:
        rule: Its name, or ``tolerance``.
        where: A DuckDB condition over the row's columns; ``None`` for the whole batch.
        until: When it ends, in UTC; ``None`` for never.
    """

    rule: str
    where: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarding:
    """Rows, or where there is no condition the batch, that will not be published."""

    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """An earlier decision taken back; undoing an undoing puts it in force again."""

    decision: int


What = Correction | CellCorrection | Waiver | Discarding | Undoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision about a batch; never changed afterwards.

    Attributes:
        id: Grows with time.
        ref: The batch.
        what: What was decided.
        at: When, in UTC.
        who: The person.
        why: The reason.
    """

    id: int
    ref: BatchRef
    what: What
    at: datetime
    who: str
    why: str

    @property
    def kind(self) -> str:
        """The verb: ``correct``, ``waive``, ``discard`` or ``undo``."""
        return kind_of(self.what)


def kind_of(what: What) -> str:
    """The verb of a decision."""
    match what:
        case Correction() | CellCorrection():
            return "correct"
        case Waiver():
            return "waive"
        case Discarding():
            return "discard"
        case Undoing():
            return "undo"
        case _:
            assert_never(what)


def in_force(decisions: Sequence[Decision], *, at: datetime) -> tuple[Decision, ...]:
    """The decisions that hold at a time, in the order they were made: not undone, and not expired."""
    undone: set[int] = set()
    for decision in reversed(decisions):
        if isinstance(decision.what, Undoing) and decision.id not in undone:
            undone.add(decision.what.decision)
    return tuple(d for d in decisions if d.id not in undone and not isinstance(d.what, Undoing) and _lasts(d.what, at))


def _lasts(what: What, at: datetime) -> bool:
    return not (isinstance(what, Waiver) and what.until is not None and what.until <= at)


_KINDS: Mapping[str, type[What]] = {
    kind.__name__: kind for kind in (Correction, CellCorrection, Waiver, Discarding, Undoing)
}


def to_json(what: What) -> dict[str, Any]:
    """A decision's content as JSON."""
    values = asdict(what)
    if isinstance(what, Waiver) and what.until is not None:
        values["until"] = what.until.isoformat()
    return {"is": type(what).__name__, **values}


def from_json(stored: Mapping[str, Any]) -> What:
    """A decision's content as it was stored."""
    values = {name: value for name, value in stored.items() if name != "is"}
    if values.get("until") is not None:
        values["until"] = datetime.fromisoformat(values["until"])
    return _KINDS[stored["is"]](**values)


def describe(what: What) -> str:
    """A decision on one line, for people."""
    match what:
        case Correction(column=column, expression=expression, where=where):
            return f"{column} = {expression}" + (f" where {where}" if where else "")
        case CellCorrection(cells=cells, file=file):
            count = sum(len(values) for values in cells.values())
            return f"{count:,} cells of {', '.join(cells)} from {file}"
        case Waiver(rule=rule, where=where, until=until):
            return rule + (f" where {where}" if where else "") + (f" until {until:%Y-%m-%d %H:%M}" if until else "")
        case Discarding(where=where):
            return f"rows where {where}" if where else "the batch"
        case Undoing(decision=decision):
            return f"decision {decision}"
        case _:
            assert_never(what)
