"""Values that decisions name, beside the decisions: those stay as they were written, and a value can be erased.

A decision keeps, in place of each of its values, a digest with a salt of its own. Salt and value lie here. While they
do, the digest proves that the value is the one that was decided; once they are erased, nobody can find the value by
trying.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.ledger.keys import batch_key, batch_of, in_tables
from readiness_pipelines.ledger.tables import DECISION_VALUES
from readiness_pipelines.names import TableId

_ROWS_AT_ONCE = 5_000
_DIGEST_CHARACTERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionValue:
    """A value that a decision names.

    Attributes:
        decision: The decision's number.
        ref: The batch that it is about.
        part: Which value of the decision it is: ``where``, ``expression``, or ``column/row`` for a single cell.
        value: The value, as JSON has it; ``None`` also where it was erased.
        erased_at: When it was erased; ``None`` where it is there.
    """

    decision: int
    ref: BatchRef
    part: str
    value: Any
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """Values with their salts, and the digests that a decision keeps of them.

    Attributes:
        digests: By part, in the order of the values.
    """

    digests: Mapping[str, str]
    _rows: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Sealed":
        """Seal the values of a decision, by part."""
        rows = tuple((part, secrets.token_hex(16), json.dumps(value)) for part, value in values.items())
        return cls({part: _digest(salt, text) for part, salt, text in rows}, rows)

    def put(self, connection: Connection, ref: BatchRef, decision: int) -> None:
        """Keep the values, once the decision has its number."""
        rows = [
            {**batch_key(ref), "decision": decision, "part": part, "salt": salt, "value": text}
            for part, salt, text in self._rows
        ]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            connection.execute(insert(DECISION_VALUES), rows[start : start + _ROWS_AT_ONCE])


def values_of(connection: Connection, digests: Mapping[int, Mapping[str, str]]) -> dict[int, dict[str, DecisionValue]]:
    """The values of some decisions, by decision and part.

    Args:
        connection: A connection to look with.
        digests: What the decisions keep of their values, by decision and part.

    Raises:
        LedgerError: A value is not there, or is not the one that was decided.
    """
    found: dict[int, dict[str, DecisionValue]] = {number: {} for number in digests}
    wanted = [number for number, parts in digests.items() if parts]
    for start in range(0, len(wanted), _ROWS_AT_ONCE):
        numbers = wanted[start : start + _ROWS_AT_ONCE]
        for row in connection.execute(select(DECISION_VALUES).where(DECISION_VALUES.c.decision.in_(numbers))):
            if row.erased_at is None and digests[row.decision].get(row.part) != _digest(row.salt, row.value):
                raise _tampered(row.decision, row.part, "is not the one that was decided")
            found[row.decision][row.part] = _value(row)
    for number, parts in digests.items():
        if missing := [part for part in parts if part not in found[number]]:
            raise _tampered(number, missing[0], "is not there, and was not erased by this program")
    # In the order of the decision, whatever that of the rows.
    return {number: {part: found[number][part] for part in parts} for number, parts in digests.items()}


def values_in(connection: Connection, tables: Collection[TableId]) -> tuple[DecisionValue, ...]:
    """The values that decisions about batches of some tables name, as far as they are not erased, in order."""
    query = select(DECISION_VALUES).where(in_tables(DECISION_VALUES, tables), DECISION_VALUES.c.erased_at.is_(None))
    return tuple(map(_value, connection.execute(query.order_by(DECISION_VALUES.c.decision, DECISION_VALUES.c.part))))


def erase_values(connection: Connection, parts: Iterable[tuple[int, str]], *, at: datetime) -> int:
    """Erase values, with their salts.

    Args:
        connection: A connection in a transaction.
        parts: Each by its decision's number and its part; what is erased or not there is passed over.
        at: The time, in UTC.

    Returns:
        How many were erased.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")  # else the text stays in the file's free pages
    table, erased = DECISION_VALUES, 0
    for decision, part in parts:
        one = (table.c.decision == decision) & (table.c.part == part) & table.c.erased_at.is_(None)
        erased += connection.execute(update(table).where(one).values(salt=None, value=None, erased_at=at)).rowcount
    return erased


def _value(row: Any) -> DecisionValue:
    return DecisionValue(
        decision=row.decision,
        ref=batch_of(row),
        part=row.part,
        value=None if row.value is None else json.loads(row.value),
        erased_at=row.erased_at,
    )


def _digest(salt: str, text: str) -> str:
    """A digest that nobody without the salt can find the value of, also where there are few possible ones."""
    return hmac.new(bytes.fromhex(salt), text.encode(), hashlib.sha256).hexdigest()[:_DIGEST_CHARACTERS]


def _tampered(decision: int, part: str, what: str) -> LedgerError:
    return LedgerError(
        f"the value {part!r} of decision {decision} {what}",
        way_out="the ledger was changed from outside: readiness audit; undo the decision and decide again",
    )
