"""Changes of a Postgres table, from a replication slot of its own: first its rows, then what changes.

The slot is made before the rows are read, so that what changes meanwhile comes after them: a row may come as snapshot
as it is later than the slot, and its change again; the last change of each key is right all the same. After a crash the
rows are read on after the last key that was landed. The slot moves on only over what is landed, and its place is kept
with the position in the raw table: a slot that is further was moved by somebody else.

The driver answers for itself, with what it has received: it takes what holds nothing of the table for done, which is
true, and which raw does not know yet. So its cursor that reads sends nothing by the clock; another one on the same
connection, which reads nothing, says what raw knows, and often enough that the server need not ask. Where it asks all
the same (when it shuts down, or was not heard of for long), the driver's answer is landed at once.
"""

import json
import select
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extras import LogicalReplicationConnection
from sqlalchemy import make_url

from readiness_pipelines.errors import DeclarationError, SlotLostError, StreamError, first_line
from readiness_pipelines.sources import PostgresChanges
from readiness_pipelines.sources.changes.debezium import UNTOUCHED
from readiness_pipelines.sources.messages import TopicMessage
from readiness_pipelines.streaming.messages import Bounds
from readiness_pipelines.streaming.pgoutput import PgChange, PgCommit, PgDecoder, log_text, place_in_log

_SESSION = (
    "-c datestyle=ISO -c timezone=UTC -c intervalstyle=iso_8601 -c bytea_output=hex -c extra_float_digits=1 "
    "-c client_encoding=UTF8"
)
_WRITTEN = (
    "CASE WHEN {0} IS DISTINCT FROM NULL THEN "
    "CASE pg_typeof({0}) WHEN 'boolean'::regtype THEN {0}::text ELSE concat({0}) END END"
)
"""A value as a change has it. A cast to text is not that: it drops the blanks of char(n), and gives inet a mask."""
_ROWS_AT_ONCE = 10_000
_COMES_BACK_WITHIN_SECONDS = 120.0
_BETWEEN_SECONDS = 2.0
_STATUS_SECONDS = 10.0
"""So often the server hears what raw knows, or more often where it is less patient."""
_NEVER_SECONDS = 1e9
"""The driver keeps seconds in 32 bits."""
_OLDEST = 150_000
_PUBLISHED = ("insert", "update", "delete", "truncate")


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a stream goes on.

    Attributes:
        commit: The last transaction of which something was taken, by its commit's place in the log; the slot's place
            while rows are read.
        taken: How many of its changes were.
        after: The key of the last row that was read as snapshot; ``None`` when all were.
        rows: Whether rows are still read.
    """

    commit: int
    taken: int = 0
    after: Sequence[str] | None = None
    rows: bool = False

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))


@dataclass(slots=True)
class SlotMessages:
    """A table's changes, as `Debezium` would write them, in one partition; offsets count them.

    Args:
        reader: The declaration.
        address: The database's address.

    Raises:
        DeclarationError: The address is not one of Postgres.
    """

    reader: PostgresChanges
    address: str = field(repr=False)
    _plain: Any = field(default=None, repr=False)
    _stream: Any = field(default=None, repr=False)
    _cursor: Any = field(default=None, repr=False)
    _decoder: PgDecoder = field(init=False, repr=False)
    _columns: tuple[str, ...] = ()
    _filter: str = ""
    _relation: int = 0
    _next: int = 0
    _mark: _Mark = field(default=_Mark(0), repr=False)
    _seen: int = 0
    """Changes of the transaction under way, with those that were taken before."""
    _landed: dict[int, int] = field(default_factory=dict)
    """By the offset after a message: up to where the slot may move when it is landed."""
    _gone_at: float | None = None
    _teller: Any = field(default=None, repr=False)
    """A cursor that says how far raw is. What the one that reads would say, it has made up by itself."""
    _known: int = 0
    """Up to where raw knows that nothing is left to be read."""
    _reached: int = 0
    """Up to where everything was read, also where nothing of it was of this table."""
    _asked: bool = False
    """Whether the driver has answered the server with what it has reached, and raw does not know that yet."""
    _answered_at: datetime | None = None
    _tells_every: float = _STATUS_SECONDS
    _tells_at: float = 0.0

    def __post_init__(self) -> None:
        if not self.address.startswith("postgresql"):
            raise DeclarationError(
                f"the connection {self.reader.connection} of {self.reader.describe()} is not a Postgres database",
                way_out="logical replication is Postgres's; for another database: Changes of a topic",
            )
        url = make_url(self.address).set(drivername="postgresql")
        self.address = url.render_as_string(hide_password=False)
        self._decoder = PgDecoder(self.reader.table)

    @property
    def topic_id(self) -> str:
        """The database server's own id, the database and the table."""
        with self._errors(), closing(self._replication()) as connection, connection.cursor() as cursor:
            cursor.execute("IDENTIFY_SYSTEM")
            system, _, _, database = cursor.fetchone()
        return f"{system}/{database}/{self.reader.table}"

    def partitions(self) -> Collection[int]:
        """One.

        Raises:
            DeclarationError: The server, its settings or the publication are not as they must be.
            StreamError: The database does not answer.
        """
        self._examine()
        return (0,)

    def bounds(self, partition: int) -> Bounds:  # noqa: ARG002  # there is one
        """How many changes were taken; nobody knows how many there are before they are sent."""
        return Bounds(0, self._next)

    def begin(self, positions: Mapping[int, int], marks: Mapping[int, str]) -> None:
        """Go on after what was landed.

        Raises:
            SlotLostError: The slot does not have what follows.
            StreamError: The database does not answer.
        """
        self._next = positions[0]
        said = marks.get(0, "")
        with self._errors():
            place = self._slot_place(_Mark(**json.loads(said)) if said else None)
        # Its changes are asked for by the first look, which waits for a slot that one who stood still has not let go.
        self._mark = _Mark(**json.loads(said)) if said else _Mark(place, rows=True)
        self._known = self._mark.commit

    def take(self, most: int, seconds: float) -> Sequence[TopicMessage]:
        """The next changes, in the order in which they were committed.

        Raises:
            StreamError: The database refuses, or does not come back.
        """
        try:
            if self._mark.rows:
                found = self._rows(min(most, _ROWS_AT_ONCE))
                if found:
                    return found
                self._mark = _Mark(self._mark.commit)
            if self._cursor is None:
                self._start()
            found = self._changes(most, seconds)
        except (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.DatabaseError) as error:
            self._lost_connection(error)
            return ()
        self._gone_at = None
        return found

    def acknowledge(self, positions: Mapping[int, int]) -> None:
        """Let the slot move over what is landed and published."""
        done = [offset for offset in self._landed if offset <= positions.get(0, 0)]
        if not done:
            return
        place = max(self._landed[offset] for offset in done)
        for offset in done:
            del self._landed[offset]
        self._known = max(self._known, place)
        self._tell()

    def idle_marks(self, *, due: bool) -> Mapping[int, str]:
        """Where it goes on when nothing of the table changed, and the log went on: else the server would keep all."""
        if not (due or self._asked) or self._mark.rows or self._seen or self._landed:
            return {}
        self._asked = False
        if self._reached <= self._mark.commit:
            self._tell()  # a server that shuts down waits for it
            return {}
        self._mark = _Mark(self._reached)
        self._landed[self._next] = self._reached
        return {0: self._mark.text}

    def close(self) -> None:
        """Stop."""
        for connection in (self._stream, self._plain):
            if connection is not None:
                with suppress(psycopg2.Error):
                    connection.close()
        self._stream = self._plain = self._cursor = self._teller = None

    def _connection(self) -> Any:
        if self._plain is None or self._plain.closed:
            self._plain = psycopg2.connect(
                self.address, options=_SESSION, application_name="readiness", connect_timeout=15
            )
            self._plain.autocommit = True
        return self._plain

    def _replication(self) -> Any:
        return psycopg2.connect(
            self.address,
            connection_factory=LogicalReplicationConnection,
            options=_SESSION,
            application_name="readiness",
            connect_timeout=15,
        )

    def _rows_of(self, query: Any, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """A query's rows. Without values a percent sign in it is one: names of columns and filters have some."""
        with self._connection().cursor() as cursor:
            cursor.execute(query, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def _examine(self) -> None:
        """Refuse a server, a publication or a key that this cannot work with."""
        what = self.reader.describe()
        with self._errors():
            ((version, level),) = self._rows_of(
                "SELECT current_setting('server_version_num')::int, current_setting('wal_level')"
            )
            if version < _OLDEST:
                raise DeclarationError(f"{what} needs Postgres 15 or later, and this is {version // 10_000}")
            if level != "logical":
                raise DeclarationError(
                    f"{what} needs wal_level = logical, and the server has {level}",
                    way_out="ALTER SYSTEM SET wal_level = logical, then restart the server; or Changes of a topic",
                )
            schema, _, table = self.reader.table.partition(".")
            published = self._rows_of(
                "SELECT attnames::text[], rowfilter, pubinsert, pubupdate, pubdelete, pubtruncate "
                "FROM pg_publication_tables JOIN pg_publication USING (pubname) "
                "WHERE pubname = %s AND schemaname = %s AND tablename = %s",
                (self.reader.publication, schema, table),
            )
            if not published:
                raise DeclarationError(
                    f"the publication {self.reader.publication} does not have the table {self.reader.table}",
                    way_out=f"CREATE PUBLICATION {self.reader.publication} FOR TABLE {self.reader.table}",
                )
            ((relation, other_identity),) = self._rows_of(
                "SELECT c.oid::bigint, EXISTS (SELECT 1 FROM pg_index WHERE indrelid = c.oid AND indisreplident "
                "AND NOT indisprimary) FROM pg_class c WHERE c.oid = to_regclass(%s)",
                (f'"{schema}"."{table}"',),
            )
            keys = self._rows_of(
                "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
                "AND a.attnum = ANY(i.indkey) WHERE i.indisprimary AND i.indrelid = to_regclass(%s)",
                (f'"{schema}"."{table}"',),
            )
        ((columns, row_filter, *sent),) = published
        self._relation = relation
        self._columns, self._filter = tuple(columns), f"({row_filter})" if row_filter else "true"
        primary = {name for (name,) in keys}
        named = ", ".join(sorted(primary)) or "not there"
        if primary != set(self.reader.key):
            raise DeclarationError(
                f"the primary key of {self.reader.table} is {named}, and the key of "
                f"{what} {', '.join(self.reader.key)}",
                way_out="declare the primary key as key=…",
            )
        if left_out := [one for one, there in zip(_PUBLISHED, sent, strict=True) if not there]:
            raise DeclarationError(
                f"the publication {self.reader.publication} leaves out {', '.join(left_out)}, and nobody would know",
                way_out=f"ALTER PUBLICATION {self.reader.publication} SET (publish = '{', '.join(_PUBLISHED)}')",
            )
        if other_identity:
            raise DeclarationError(
                f"{self.reader.table} has a replica identity that is not its primary key: of a key that is changed or "
                "deleted, the former value is not sent",
                way_out=f"ALTER TABLE {self.reader.table} REPLICA IDENTITY DEFAULT",
            )

    def _slot_place(self, mark: _Mark | None) -> int:
        """Where the slot stands; it is made where nothing was read yet.

        Raises:
            SlotLostError: It does not have what follows the mark.
        """
        slot = self.reader.slot
        found = self._rows_of(
            "SELECT plugin::text, database::text = current_database(), wal_status, confirmed_flush_lsn::text "
            "FROM pg_replication_slots WHERE slot_name = %s",
            (slot,),
        )
        if not found and mark is None:
            ((place,),) = self._rows_of(
                "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,)
            )
            return place_in_log(place)
        if not found:
            raise self._lost("it is not there any more", mark)
        ((plugin, ours, status, confirmed),) = found
        if plugin != "pgoutput" or not ours:
            raise DeclarationError(
                f"the slot {slot} is of another database or plugin ({plugin})", way_out="declare a slot of its own"
            )
        if status == "lost" or confirmed is None:
            raise self._lost("the server ended it, because it would have had to keep too much", mark)
        place = place_in_log(confirmed)
        if mark is not None and place > max(mark.commit, self._reached):
            raise self._lost(f"it was moved to {confirmed} by somebody else", mark, place)
        return place

    def _lost(self, why: str, mark: _Mark | None, place: int | None = None) -> SlotLostError:
        """The error of a slot that does not have what follows a mark; it has what follows `place`, if that is given."""
        since = f" What changed in {self.reader.table} after {log_text(mark.commit)} is lost." if mark else ""
        first = "" if place is not None else "make the slot anew, and "
        return SlotLostError(
            f"the slot {self.reader.slot} does not have what follows: {why}.{since}",
            way_out="declare another table with a new slot: it begins with a snapshot of all rows; "
            "this one keeps what was read. To go on without what is lost: "
            f"{first}readiness stream --skip-gap --reason …",
            goes_on=replace(mark, commit=place, taken=0).text if mark is not None and place is not None else "",
        )

    def _start(self) -> None:
        """Let the server send what follows the mark."""
        self._stream = self._replication()
        self._cursor, self._teller = self._stream.cursor(), self._stream.cursor()
        self._teller.execute("SELECT setting::int FROM pg_settings WHERE name = 'wal_sender_timeout'")
        ((patience_ms,),) = self._teller.fetchall()
        # Past half of its patience the server asks.
        self._tells_every = min(_STATUS_SECONDS, patience_ms / 4_000) if patience_ms else _STATUS_SECONDS
        self._cursor.start_replication(
            slot_name=self.reader.slot,
            decode=False,
            status_interval=_NEVER_SECONDS,
            options={"proto_version": "1", "publication_names": f'"{self.reader.publication}"'},
        )
        self._cursor.send_feedback(force=True)  # of nothing: the first answer is due at once, and then never
        self._answered_at = self._cursor.feedback_timestamp
        self._decoder = PgDecoder(self.reader.table, self._relation)
        self._seen = 0

    def _lost_connection(self, error: Exception) -> None:
        """Try again for a while: a server that restarts is no reason to end."""
        self.close()
        now = time.monotonic()
        self._gone_at = self._gone_at if self._gone_at is not None else now
        if now - self._gone_at > _COMES_BACK_WITHIN_SECONDS:
            raise self._unreachable(error) from error
        with suppress(psycopg2.Error):
            self._slot_place(self._mark)  # one that is lost is not a reason to wait
        time.sleep(_BETWEEN_SECONDS)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the database says, as an error of a stream."""
        try:
            yield
        except psycopg2.Error as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> StreamError:
        return StreamError(
            f"the database {self.reader.connection} does not give {self.reader.describe()}: {first_line(error)}",
            way_out="check that it runs, and that its user may replicate; then start the stream again: nothing is lost",
        )

    def _rows(self, most: int) -> list[TopicMessage]:
        """The next rows of the table as it is, by its key."""
        schema, _, table = self.reader.table.partition(".")
        keys = sql.SQL(", ").join(map(sql.Identifier, self.reader.key))
        after: Any = sql.SQL("true")
        if self._mark.after is not None:
            after = sql.SQL("({}) > ({})").format(keys, sql.SQL(", ").join(map(sql.Literal, self._mark.after)))
        query = sql.SQL("SELECT {} FROM {} WHERE {} AND {} ORDER BY {} LIMIT {}").format(
            sql.SQL(", ").join(sql.SQL(_WRITTEN).format(sql.Identifier(name)) for name in self._columns),
            sql.Identifier(schema, table),
            sql.SQL(self._filter),
            after,
            # By the columns and not by their text: '10' is before '9'.
            sql.SQL(", ").join(sql.Identifier(schema, table, name) for name in self.reader.key),
            sql.Literal(most),
        )
        found = []
        for row in self._rows_of(query):
            named = dict(zip(self._columns, row, strict=True))
            after_key = [str(named[name]) for name in self.reader.key]
            self._mark = _Mark(self._mark.commit, after=after_key, rows=True)
            position = f"{self._mark.commit:020d}"
            found.append(self._message(PgChange("r", None, named), position, self._mark))
            self._landed[self._next] = self._mark.commit
        return found

    def _changes(self, most: int, seconds: float) -> list[TopicMessage]:
        found: list[TopicMessage] = []
        until = time.monotonic() + max(seconds, 0)
        while len(found) < most:
            if not self._asked and time.monotonic() >= self._tells_at:
                self._tell()
            asked = self._asked
            try:
                sent = self._read()
            except psycopg2.Error:
                if not found:
                    raise
                break  # what was taken before is landed first, for it is not sent again; the next look ends as this one
            if sent is None:
                left = until - time.monotonic()
                if found or left <= 0 or self._asked is not asked:
                    break
                select.select([self._cursor], [], [], left)
                continue
            message = self._change(sent.payload)
            if message is not None:
                found.append(message)
        return found

    def _read(self) -> Any:
        """The next that the server sent, if it is there; what was reached is noted with it."""
        cursor = self._cursor
        try:
            return cursor.read_message()
        finally:
            self._reached = max(self._reached, cursor.wal_end)
            if cursor.feedback_timestamp != self._answered_at:
                self._answered_at, self._asked = cursor.feedback_timestamp, True

    def _tell(self) -> None:
        """Say up to where raw knows that nothing is left, and that this is still here."""
        self._tells_at = time.monotonic() + self._tells_every
        if self._teller is not None:
            with suppress(psycopg2.Error):  # the next look sees it, too; and the position in raw is the one that counts
                self._teller.send_feedback(flush_lsn=self._known, force=True)

    def _change(self, payload: bytes) -> TopicMessage | None:
        """A message of a change that was not taken before."""
        decoder = self._decoder
        change = decoder.decode(payload)
        match change:
            case PgCommit():
                self._seen = 0
                return None
            case PgChange():
                self._seen += 1
                if (decoder.commit, self._seen) <= (self._mark.commit, self._mark.taken):
                    return None
                self._mark = _Mark(decoder.commit, taken=self._seen)
                position = f"{decoder.commit:020d}:{self._seen:010d}"
                made = self._message(change, position, self._mark)
                self._landed[self._next] = decoder.commit
                return made
            case _:
                return None

    def _message(self, change: PgChange, position: str, mark: _Mark) -> TopicMessage:
        schema, _, table = self.reader.table.partition(".")
        source: dict[str, Any] = {"position": position, "schema": schema, "table": table, UNTOUCHED: change.untouched}
        if change.op != "r":
            source |= {"txId": self._decoder.transaction, "ts_ms": self._decoder.committed_ms}
        row = {"op": change.op, "before": change.before, "after": change.after, "source": source}
        value = json.dumps(row).encode()
        offset, self._next = self._next, self._next + 1
        return TopicMessage(0, offset, None, value, mark=mark.text)
