"""A query over a database: the whole of its rows as a version, or those of a batch by a cursor column."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from pydantic import Field, field_validator

from readiness_pipelines.batches import VERSION_KEY, Batches, Scope, Window, in_order
from readiness_pipelines.contracts.readers import Arrival, Origin, Places, RawBatch
from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError, LandingError, suggestion
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.sources.databases import SourceDatabase, bucket_start, open_database
from readiness_pipelines.sources.names import check_names
from readiness_pipelines.sources.raw_rows import numbered
from readiness_pipelines.sources.spool import Spool, spool
from readiness_pipelines.sql import identifier

_SHOWN_CHARACTERS = 100
_EMPTIED = "its rows are gone"
_LEADING = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)


class SqlQuery(Frozen):
    """Rows that a query gives.

    For `Versions`, the whole result is a version. For batches of a calendar, a row is of the batch whose time its
    `cursor` lies in; a row without a cursor is of none. Times without a zone are UTC.

    Attributes:
        query: One SELECT; it is read in a read-only transaction.
        connection: Name of a database in the settings' ``connections``.
        cursor: The column of the query that tells when a row happened: a date or time; in SQLite ISO text, or seconds
            from 1970.
        overlap: How long after a batch has ended its rows are compared by their content, so that a row that is changed
            late is noticed, and so that a batch is emptied that has no rows any more. Whatever is older is compared by
            the count of its rows and the newest cursor, and stays when its rows are gone: databases are purged.
        missing: Text that means "no value". Raw keeps it as it came; the gate reads it as null.

    Example:
        SqlQuery("SELECT payment_id, paid_at FROM payments", connection="billing", cursor="paid_at", overlap="2d")
    """

    query: str
    connection: str = Field(min_length=1)
    cursor: str | None = None
    overlap: Duration | None = None
    missing: tuple[str, ...] = ()

    def __init__(self, query: str | None = None, /, **fields: object) -> None:
        """Accept the query as the only positional argument."""
        if query is not None:
            fields["query"] = query
        super().__init__(**fields)

    @field_validator("missing", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("query")
    @classmethod
    def _selects(cls, value: str) -> str:
        query = value.strip().rstrip(";").rstrip()
        if not re.match(r"(?i)(select|with|from|values)\b", _LEADING.sub("", query, count=1)):
            raise ValueError("only a SELECT can be read from")
        return query

    def check(self, batches: Batches) -> None:
        """Refuse a query that cannot tell batches of a kind from each other.

        Raises:
            DeclarationError: Batches of a calendar without a cursor, versions with one, or batches of a list.
        """
        if batches.scope is Scope.TABLE:
            if self.cursor is not None:
                raise DeclarationError(
                    f"SqlQuery(cursor={self.cursor!r}) has no meaning where each delivery is the whole table",
                    way_out="leave cursor out, or declare batches of a calendar",
                )
        elif batches.first_start() is None:
            raise DeclarationError(
                f"a query cannot tell {batches.name} batches from each other", way_out="read it in a Function(…)"
            )
        elif self.cursor is None:
            raise DeclarationError(
                f"a query over {batches.name} batches needs a cursor",
                way_out="declare SqlQuery(…, cursor=…), the column that tells when a row happened",
            )

    def arrivals(self, places: Places) -> Iterable[Arrival]:
        """What the database has now: of `Versions` one, keyed by the time now; else the batches up to now with rows.

        Of versions, compare the fingerprint with the newest one's: the key is new at each call.

        Raises:
            LandingError: The database cannot be reached, or refuses the query.
        """
        now = datetime.now(UTC)
        with open_database(places.connection(self.connection), name=self.connection) as database:
            if places.batches.scope is Scope.TABLE:
                found = self._read(database, None)
                # A transaction sees nothing that is half written.
                settled = datetime.fromtimestamp(0, UTC)
                return (Arrival(batch=now.strftime(VERSION_KEY), fingerprint=found.fingerprint, settled_since=settled),)
            return tuple(self._windows(database, places, now))

    def open(self, batch: str, places: Places) -> RawBatch:
        """Read a batch; of `Versions` what is there now, under the key given.

        Raises:
            BatchNotLandedError: The batch has no rows, or its key is not of the table's batches.
            LandingError: The database cannot be reached, or refuses the query.
        """
        versions = places.batches.scope is Scope.TABLE
        window = None if versions else places.batches.window(batch)
        if not versions and window is None:
            raise BatchNotLandedError(f"{batch!r} is not one of the {places.batches.name} batches")
        with open_database(places.connection(self.connection), name=self.connection) as database:
            found = self._read(database, window)
            emptied = window is not None and batch in places.ingested and self._compares(window, datetime.now(UTC))
            if window is not None and found.rows == 0 and not emptied:
                known = [arrival.batch for arrival in self._windows(database, places, datetime.now(UTC))]
                raise BatchNotLandedError(
                    f"connection {self.connection!r} has no rows of batch {batch!r}",
                    way_out=suggestion(batch, known) or "check the query and its cursor",
                )
        name = f"{self.connection}:query"
        return RawBatch(
            origins=(Origin(name=name, fingerprint=found.fingerprint),),
            columns=found.columns,
            rows=numbered(found.tables(), found.columns, batch=batch, origin=name),
        )

    def describe(self) -> str:
        """The connection's name and the beginning of the query."""
        query = " ".join(self.query.split())
        shown = query if len(query) <= _SHOWN_CHARACTERS else f"{query[:_SHOWN_CHARACTERS]}…"
        return f"query over {self.connection}: {shown}"

    def _read(self, database: SourceDatabase, window: Window | None) -> Spool:
        found = spool(self._tables(database, window))
        check_names(found.columns.names, what=f"the query over {self.connection}", way_out="name it with AS")
        return found

    def _tables(self, database: SourceDatabase, window: Window | None) -> Iterator[pa.Table]:
        query = self.query
        if window is not None:
            condition = database.between(str(self.cursor), window.start, window.end)
            query = f"SELECT * FROM (\n{self.query}\n) AS q WHERE {condition}"
        for table in database.read(query):
            if len(set(table.column_names)) < table.num_columns:
                check_names(table.column_names, what=f"the query over {self.connection}", way_out="name it with AS")
            yield table

    def _compares(self, window: Window, now: datetime) -> bool:
        """Whether the rows of a window are compared by their content."""
        return self.overlap is not None and window.end + self.overlap >= now

    def _windows(self, database: SourceDatabase, places: Places, now: datetime) -> Iterable[Arrival]:
        """The batches that have rows, or had some: one pass over the query, in quarters of an hour."""
        batches = places.batches
        cursor = identifier(str(self.cursor))
        bucket = database.bucket(str(self.cursor))
        unread = f"max(CASE WHEN {cursor} IS NOT NULL AND {bucket} IS NULL THEN 1 ELSE 0 END)"
        columns = f"{bucket} AS bucket, count(*) AS n, CAST(max({cursor}) AS VARCHAR(99)) AS newest, {unread} AS unread"
        summary = f"SELECT {columns} FROM (\n{self.query}\n) AS q GROUP BY 1"
        counts: dict[str, int] = {}
        newest: dict[str, tuple[int, str]] = {}
        for table in database.read(summary):
            for row in table.to_pylist():
                if row["bucket"] is None:
                    if row["unread"]:
                        raise LandingError(
                            f"the cursor {self.cursor!r} over {self.connection!r} has values that are not times",
                            way_out="write times as ISO text or as seconds from 1970, or CAST them in the query",
                        )
                    continue
                key = batches.key_at(bucket_start(row["bucket"]))
                if key is not None:
                    counts[key] = counts.get(key, 0) + row["n"]
                    newest[key] = max(newest.get(key, (row["bucket"], "")), (row["bucket"], str(row["newest"])))
        for key in in_order(batches, {*counts, *places.ingested}):
            window = batches.window(key)
            if window is None or not batches.has(key) or window.start > now:
                continue
            if key not in counts:
                if self._compares(window, now):
                    settled = min(window.end, now)
                    yield Arrival(batch=key, fingerprint=_EMPTIED, settled_since=settled, settles=timedelta(0))
                continue
            content = ""
            if self._compares(window, now):
                content = self._read(database, window).fingerprint
            content_key = repr((counts[key], newest[key][1], content))
            yield Arrival(
                batch=key,
                fingerprint=hashlib.sha256(content_key.encode()).hexdigest()[:16],
                settled_since=min(bucket_start(newest[key][0]), now),
                settles=timedelta(0),  # what a query reads is committed: nothing of it is half written
            )
