"""Decisions: what people decided about batches, for ever. What a decision means is not known here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.chain import append_row
from readiness_pipelines.ledger.decision_values import Sealed, values_of
from readiness_pipelines.ledger.keys import batch_key, batch_of, in_tables, is_batch
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


def add_decision(
    connection: Connection,
    ref: BatchRef,
    *,
    verb: str,
    content: Mapping[str, Any],
    values: Mapping[str, Any],
    text: str,
    who: str,
    why: str,
    at: datetime,
) -> DecisionRecord:
    """Keep a decision, and its values where they can be erased."""
    sealed = Sealed.of(values)
    kept = {**content, DIGESTS: dict(sealed.digests)} if values else dict(content)
    row = {"verb": verb, "content": kept, "text": text, "who": who, "why": why, "at": at}
    number = append_row(connection, DECISIONS, {**batch_key(ref), **row})
    sealed.put(connection, ref, number)
    return DecisionRecord(
        id=number,
        ref=ref,
        verb=verb,
        content=dict(content),
        values=dict(values),
        erased={},
        text=text,
        at=at,
        who=who,
        why=why,
    )


def check_decision(connection: Connection, ref: BatchRef, decision: int) -> None:
    """Refuse a number that is not of a decision about a batch.

    Raises:
        LedgerError: The batch has no such decision; names those that it has.
    """
    query = select(DECISIONS.c.id).where(is_batch(DECISIONS, ref)).order_by(DECISIONS.c.id)
    known = list(connection.execute(query).scalars())
    if decision not in known:
        raise LedgerError(
            f"{ref} has no decision {decision}", way_out=f"its decisions are: {', '.join(map(str, known)) or 'none'}"
        )


def decided_batches(connection: Connection, tables: Collection[TableId]) -> tuple[BatchRef, ...]:
    """The batches of some tables about which something was decided, in order."""
    query = select(DECISIONS.c.table_name, DECISIONS.c.batch).distinct().where(in_tables(DECISIONS, tables))
    return tuple(sorted(map(batch_of, connection.execute(query))))


def decisions_about(connection: Connection, ref: BatchRef) -> tuple[DecisionRecord, ...]:
    """All decisions about a batch, oldest first."""
    query = select(DECISIONS).where(is_batch(DECISIONS, ref)).order_by(DECISIONS.c.id)
    rows = connection.execute(query).all()
    values = values_of(connection, {row.id: row.content.get(DIGESTS, {}) for row in rows})
    return tuple(
        DecisionRecord(
            id=row.id,
            ref=batch_of(row),
            verb=row.verb,
            content={name: value for name, value in row.content.items() if name != DIGESTS},
            values={part: one.value for part, one in values[row.id].items() if one.erased_at is None},
            erased={part: one.erased_at for part, one in values[row.id].items() if one.erased_at is not None},
            text=row.text,
            at=row.at,
            who=row.who,
            why=row.why,
        )
        for row in rows
    )
