"""Decisions: what people decided about batches, for ever. What a decision means is not known here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import quarantine_command
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.chain import append_row
from readiness_pipelines.ledger.decision_values import DecisionValue, Sealed, stored_values
from readiness_pipelines.ledger.keys import among_batches, batch_key, batch_of, in_tables, is_batch
from readiness_pipelines.ledger.tables import DECISIONS
from readiness_pipelines.names import TableId

DIGESTS = "digests"
"""Where a decision's content keeps the digests of its values, by part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision about a batch; never changed afterwards.

    Attributes:
        id: Grows with time.
        ref: The batch.
        verb: What is done: ``correct``, ``waive`` …
        content: The decision, as JSON, without its values.
        values: The values that it names, by part; those that were erased are not there.
        erased: When values were erased, by part.
        text: The decision on one line, for people, without values of classified columns.
        at: When, in UTC.
        who: The person.
        why: The reason.
    """

    id: int
    ref: BatchRef
    verb: str
    content: Mapping[str, Any]
    values: Mapping[str, Any]
    erased: Mapping[str, datetime]
    text: str
    at: datetime
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """A decision about a batch, to be kept.

    Attributes:
        ref: The batch.
        verb: What is done: ``correct``, ``waive`` …
        content: The decision, as JSON, without its values; it stays for ever.
        text: The decision on one line, for people; it stays for ever.
        values: The values that it names, by part, as JSON: they can be erased. The decision keeps their digests.
        undoes: The decision about the same batch that this one takes back.
    """

    ref: BatchRef
    verb: str
    content: Mapping[str, Any]
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    undoes: int | None = None


def add_decision(connection: Connection, new: NewDecision, *, who: str, why: str, at: datetime) -> DecisionRecord:
    """Keep a decision, and its values where they can be erased."""
    sealed = Sealed.of(new.values)
    kept = {**new.content, DIGESTS: dict(sealed.digests)} if new.values else dict(new.content)
    row = {"verb": new.verb, "content": kept, "text": new.text, "who": who, "why": why, "at": at}
    number = append_row(connection, DECISIONS, {**batch_key(new.ref), **row})
    sealed.put(connection, new.ref, number)
    return DecisionRecord(
        id=number,
        ref=new.ref,
        verb=new.verb,
        content=dict(new.content),
        values=dict(new.values),
        erased={},
        text=new.text,
        at=at,
        who=who,
        why=why,
    )


def check_decision(connection: Connection, ref: BatchRef, decision: int) -> None:
    """Refuse a number that is not of a decision about a batch.

    Raises:
        LedgerError: The batch has no such decision; names those that it has.
    """
    known = _numbers(connection, ref)
    if decision not in known:
        raise LedgerError(
            f"{ref} has no decision {decision}", way_out=f"its decisions are: {', '.join(map(str, known)) or 'none'}"
        )


def check_last(connection: Connection, ref: BatchRef, last: int) -> None:
    """Refuse what was checked before somebody else decided about the same batch.

    Raises:
        LedgerError: A decision was kept since; names who decided what.
    """
    newer = [number for number in _numbers(connection, ref) if number > last]
    if newer:
        query = select(DECISIONS.c.who, DECISIONS.c.verb, DECISIONS.c.text).where(DECISIONS.c.id == newer[0])
        found = connection.execute(query).one()
        raise LedgerError(
            f"{found.who} decided about {ref} meanwhile: decision {newer[0]}, {found.verb} {found.text}",
            way_out=f"look at the batch again, then decide: {quarantine_command(ref)}",
        )


def _numbers(connection: Connection, ref: BatchRef) -> list[int]:
    query = select(DECISIONS.c.id).where(is_batch(DECISIONS, ref)).order_by(DECISIONS.c.id)
    return list(connection.execute(query).scalars())


def decided_batches(connection: Connection, tables: Collection[TableId]) -> tuple[BatchRef, ...]:
    """The batches of some tables about which something was decided, in order."""
    query = select(DECISIONS.c.table_name, DECISIONS.c.batch).distinct().where(in_tables(DECISIONS, tables))
    return tuple(sorted(map(batch_of, connection.execute(query))))


def decisions_of(connection: Connection, refs: Collection[BatchRef]) -> Mapping[BatchRef, Sequence[DecisionRecord]]:
    """All decisions about each of some batches, oldest first; of those alone about which there are any."""
    queries = (
        select(DECISIONS).where(condition).order_by(DECISIONS.c.id) for condition in among_batches(DECISIONS, refs)
    )
    rows = [row for query in queries for row in connection.execute(query)]
    values = stored_values(connection, {row.id: row.content.get(DIGESTS, {}) for row in rows})
    found: dict[BatchRef, list[DecisionRecord]] = {}
    for row in rows:
        found.setdefault(batch_of(row), []).append(_record(row, values[row.id]))
    return found


def _record(row: Any, values: Mapping[str, DecisionValue]) -> DecisionRecord:
    return DecisionRecord(
        id=row.id,
        ref=batch_of(row),
        verb=row.verb,
        content={name: value for name, value in row.content.items() if name != DIGESTS},
        values={part: one.value for part, one in values.items() if one.erased_at is None},
        erased={part: one.erased_at for part, one in values.items() if one.erased_at is not None},
        text=row.text,
        at=row.at,
        who=row.who,
        why=row.why,
    )
