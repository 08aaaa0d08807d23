"""Erasures: who is to be forgotten, how far that is, and the register of those who were, which knows no value."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts.readers import Origin
from readiness_pipelines.errors import LedgerError, UnknownNameError
from readiness_pipelines.ledger import profiles, trail
from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.keys import new_number
from readiness_pipelines.ledger.records import ALL_BATCHES
from readiness_pipelines.ledger.tables import ERASED_LINES, ERASED_PERSONS, ERASURES, METADATA, TRAIL
from readiness_pipelines.names import TableId

REGISTER = "register"
"""The scope of a request to apply all of the register again, after a backup was restored."""

EVERYWHERE = "*"
"""The scope of a person in all tables that name a subject."""

TABLES_OF_REASONS = frozenset(
    table.name for table in METADATA.sorted_tables if any(column.name.endswith("why") for column in table.columns)
)
"""The ledger's tables that keep for ever what people wrote."""

_SEARCHED = "erasure searched by text"

Found = Mapping[str, Mapping[str, int]]
"""Rows by Iceberg table and batch."""


class ErasureState(StrEnum):
    """How far a request is: under way (or cut off), or done and certified."""

    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPerson:
    """One value of an erased person, as the register knows it.

    Attributes:
        scope: Where it names the person: `EVERYWHERE`, ``domain.table`` or ``domain.table.column``.
        digest: HMAC-SHA256 of the value under the register's key, hexadecimal.
        key_id: Tells the key from other ones.
        at: Since when, in UTC.
        erasure: The request; 0 where it was imported.
    """

    scope: str
    digest: str
    key_id: str
    at: datetime
    erasure: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A request to erase a person.

    Attributes:
        id: Its number.
        state: How far it is.
        scopes: Where the person is erased.
        begun_at: When it was asked for, in UTC.
        who: Who carries it out.
        why: The reason.
        ground: The legal ground (``gdpr-17``).
        found: The rows that were found when it was begun, by Iceberg table and batch.
        ended_at: When it was done.
        certificate: What was done and proved; ``None`` until then.
    """

    id: int
    state: ErasureState
    scopes: tuple[str, ...]
    begun_at: datetime
    who: str
    why: str
    ground: str
    found: Found
    ended_at: datetime | None
    certificate: Mapping[str, Any] | None


class Erasures:
    """The requests, the register, and what was taken out of landed files."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        persons: Sequence[RegisteredPerson],
        *,
        tables: Collection[TableId],
        who: str,
        why: str,
        ground: str,
        at: datetime,
    ) -> Erasure:
        """Put a person into the register, and note the request; one that is open for the same person goes on.

        Args:
            persons: The values, by scope.
            tables: The tables that it is about: their trails say so.
            who: Who carries it out.
            why: The reason.
            ground: The legal ground.
            at: When, in UTC.

        Raises:
            LedgerError: No reason, or nothing to erase.
        """
        if not why.strip() or not persons:
            raise LedgerError("the erasure has no reason" if persons else "no value is to be erased", way_out=_WAY_OUT)
        with self._database.writing() as connection:
            known = _same_request(connection, persons)
            if known is not None:
                return known
            scopes = sorted({one.scope for one in persons})
            values = {"state": ErasureState.OPEN.value, "scopes": scopes, "begun_at": at, "found": {}}
            number = new_number(connection.execute(insert(ERASURES).values(**values, who=who, why=why, ground=ground)))
            _register(connection, persons, erasure=number)
            details = {"erasure": number, "ground": ground, "scopes": scopes, "values": len(persons)}
            for table in sorted(tables):
                ref = BatchRef(table, ALL_BATCHES)
                trail.append_entry(connection, ref, at=at, what="erasure requested", who=who, why=why, details=details)
            return _get(connection, number)

    def begin_applying(self, *, tables: Collection[TableId], who: str, why: str, at: datetime) -> Erasure:
        """Note that all of the register is applied again; a request for that which is open goes on.

        Raises:
            LedgerError: No reason.
        """
        if not why.strip():
            raise LedgerError("the register is applied for no reason", way_out='give one: --reason "restored"')
        with self._database.writing() as connection:
            query = select(ERASURES).where(ERASURES.c.state == ErasureState.OPEN.value).order_by(ERASURES.c.id)
            for row in connection.execute(query):
                if tuple(row.scopes) == (REGISTER,):
                    return _erasure(row)
            values = {"state": ErasureState.OPEN.value, "scopes": [REGISTER], "begun_at": at, "found": {}}
            number = new_number(connection.execute(insert(ERASURES).values(**values, who=who, why=why, ground="")))
            for table in sorted(tables):
                ref = BatchRef(table, ALL_BATCHES)
                details = {"erasure": number, "scopes": [REGISTER]}
                trail.append_entry(connection, ref, at=at, what="register applied", who=who, why=why, details=details)
            return _get(connection, number)

    def note_found(self, erasure: int, found: Found) -> Erasure:
        """Note the rows that a search found; what an earlier one found of the same batch stays, if it was more."""
        with self._database.writing() as connection:
            before = _get(connection, erasure).found
            merged = {table: dict(batches) for table, batches in before.items()}
            for table, batches in found.items():
                kept = merged.setdefault(table, {})
                for batch, rows in batches.items():
                    kept[batch] = max(rows, kept.get(batch, 0))
            connection.execute(update(ERASURES).where(ERASURES.c.id == erasure).values(found=merged))
            return _get(connection, erasure)

    def note_traces(self, erasure: int, places: int, *, tables: Collection[TableId], who: str, at: datetime) -> None:
        """Note in how many places the last search by text found a person: who has no value cannot search them again.

        Which they are is not kept: the name of a file may name the person. Where it found nothing, nothing of other
        open requests about the same values is left, either: of before the declarations, and so the values, were other.
        """
        with self._database.writing() as connection:
            for number in [erasure] if places else [erasure, *_within(connection, erasure)]:
                if places == _traces(connection, number):
                    continue
                why, details = _get(connection, number).why, {"erasure": number, "places": places}
                for table in sorted(tables):
                    ref = BatchRef(table, ALL_BATCHES)
                    trail.append_entry(connection, ref, at=at, what=_SEARCHED, who=who, why=why, details=details)

    def traces(self, erasure: int) -> int:
        """In how many places the last search by text found the person of a request; 0 where none was made."""
        with self._database.reading() as connection:
            return _traces(connection, erasure)

    def end(
        self, erasure: int, certificate: Mapping[str, Any], *, tables: Collection[TableId], who: str, at: datetime
    ) -> Erasure:
        """Note that a request is done, with its certificate, here and in the trail."""
        with self._database.writing() as connection:
            known = _get(connection, erasure)
            values = {"state": ErasureState.DONE.value, "ended_at": at, "certificate": dict(certificate)}
            connection.execute(update(ERASURES).where(ERASURES.c.id == erasure).values(**values))
            for table in sorted(tables):
                ref = BatchRef(table, ALL_BATCHES)
                details = {"erasure": erasure, "certificate": dict(certificate)}
                trail.append_entry(connection, ref, at=at, what="erasure done", who=who, why=known.why, details=details)
            return _get(connection, erasure)

    def get(self, erasure: int) -> Erasure:
        """A request.

        Raises:
            UnknownNameError: No such request.
        """
        with self._database.reading() as connection:
            return _get(connection, erasure)

    def requests(self, *, state: ErasureState | None = None) -> tuple[Erasure, ...]:
        """The requests of a state (all where none is given), oldest first."""
        query = select(ERASURES).order_by(ERASURES.c.id)
        if state is not None:
            query = query.where(ERASURES.c.state == state.value)
        with self._database.reading() as connection:
            return tuple(map(_erasure, connection.execute(query)))

    def register(self) -> tuple[RegisteredPerson, ...]:
        """All that the register knows, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(ERASED_PERSONS).order_by(ERASED_PERSONS.c.id))
            return tuple(map(_person, rows))

    def newest(self) -> int:
        """A number that grows with each value that the register gets; 0 while it is empty."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(ERASED_PERSONS.c.id))).scalar_one() or 0

    def bring(self, persons: Sequence[RegisteredPerson]) -> int:
        """Put what another register knew into this one; how many it did not know."""
        with self._database.writing() as connection:
            return _register(connection, persons, erasure=0)

    def note_lines(self, origin: str, fingerprint: str, lines: Sequence[int], *, at: datetime) -> None:
        """Note which rows a landed file lacks, before it is put in the place of the one that had them.

        Args:
            origin: The file.
            fingerprint: Checksum of what it holds without them.
            lines: Their places among the rows that the sender had sent, from 0.
            at: When, in UTC.
        """
        with self._database.writing() as connection:
            values = {"origin": origin, "fingerprint": fingerprint, "lines": list(lines), "at": at}
            connection.execute(insert(ERASED_LINES).values(**values))

    def lines(self, origins: Collection[Origin]) -> Mapping[str, tuple[int, ...]]:
        """The rows that some landed files lack, by the file's name; those that lack none are left out."""
        # Files of one batch may hold the same, such as their header alone, and lack other rows each.
        there = {(origin.name, origin.fingerprint) for origin in origins}
        prints = {fingerprint for _, fingerprint in there}
        query = select(ERASED_LINES).where(ERASED_LINES.c.fingerprint.in_(prints)).order_by(ERASED_LINES.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {row.origin: tuple(row.lines) for row in rows if (row.origin, row.fingerprint) in there}

    def replace_profile(self, ref: BatchRef, profile: str | None) -> None:
        """Put a profile in place of that of a held batch, of which older rows are published."""
        with self._database.writing() as connection:
            profiles.replace_profile(connection, ref, profile, noted=0)

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """Every row of the ledger as text, with the table's name and what tells the row from others."""
        with self._database.reading() as connection:
            for table in METADATA.sorted_tables:
                keys = [column.name for column in table.primary_key]
                for rows in connection.execute(select(table)).mappings().partitions(_ROWS_AT_ONCE):
                    for row in rows:
                        yield table.name, " ".join(str(row[key]) for key in keys), _text(dict(row))

    def forget_deleted(self) -> None:
        """Let the database's file forget what was deleted from it, where that can be done from here (SQLite)."""
        self._database.vacuum()


_ROWS_AT_ONCE = 1_000


def _text(row: Mapping[str, Any]) -> str:
    return " ".join(
        one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str) for one in row.values()
    )


_WAY_OUT = 'readiness erase --subject-file … --reason "…" --ground gdpr-17'


def _same_request(connection: Connection, persons: Sequence[RegisteredPerson]) -> Erasure | None:
    """The open request about exactly these values and scopes."""
    wanted = {(one.scope, one.digest) for one in persons}
    digests = [digest for _, digest in wanted]
    candidates = connection.execute(
        select(ERASED_PERSONS.c.erasure).where(ERASED_PERSONS.c.digest.in_(digests)).distinct()
    ).scalars()
    for number in sorted(candidates):
        rows = connection.execute(select(ERASED_PERSONS).where(ERASED_PERSONS.c.erasure == number))
        if number and {(row.scope, row.digest) for row in rows} == wanted:
            found = _get(connection, number)
            if found.state is ErasureState.OPEN:
                return found
    return None


def _within(connection: Connection, erasure: int) -> list[int]:
    """Other open requests all of whose values are among those of one."""
    values: dict[int, set[str]] = {}
    for number, digest in connection.execute(select(ERASED_PERSONS.c.erasure, ERASED_PERSONS.c.digest)):
        values.setdefault(number, set()).add(digest)
    own = values.get(erasure, set())
    others = (number for number, digests in values.items() if number not in (0, erasure) and digests <= own)
    return [number for number in others if _get(connection, number).state is ErasureState.OPEN]


def _traces(connection: Connection, erasure: int) -> int:
    query = select(TRAIL.c.details).where(TRAIL.c.what == _SEARCHED).order_by(TRAIL.c.id.desc())
    noted = (details["places"] for details in connection.execute(query).scalars() if details["erasure"] == erasure)
    return next(noted, 0)


def _register(connection: Connection, persons: Sequence[RegisteredPerson], *, erasure: int) -> int:
    rows = connection.execute(select(ERASED_PERSONS.c.scope, ERASED_PERSONS.c.digest, ERASED_PERSONS.c.erasure))
    known = {(row.scope, row.digest) for row in rows if erasure in (0, row.erasure)}
    new = [one for one in persons if (one.scope, one.digest) not in known]
    for one in new:
        values = {"scope": one.scope, "digest": one.digest, "key_id": one.key_id, "at": one.at}
        connection.execute(insert(ERASED_PERSONS).values(**values, erasure=erasure))
    return len(new)


def _get(connection: Connection, erasure: int) -> Erasure:
    row = connection.execute(select(ERASURES).where(ERASURES.c.id == erasure)).one_or_none()
    if row is None:
        known = connection.execute(select(ERASURES.c.id)).scalars()
        raise UnknownNameError("erasure", str(erasure), list(map(str, known)))
    return _erasure(row)


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(
        id=row.id,
        state=ErasureState(row.state),
        scopes=tuple(row.scopes),
        begun_at=row.begun_at,
        who=row.who,
        why=row.why,
        ground=row.ground,
        found=row.found,
        ended_at=row.ended_at,
        certificate=row.certificate,
    )


def _person(row: Row[Any]) -> RegisteredPerson:
    return RegisteredPerson(scope=row.scope, digest=row.digest, key_id=row.key_id, at=row.at, erasure=row.erasure)
