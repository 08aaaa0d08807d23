"""A function that gives the rows of a batch: the door for whatever has no Reader of its own."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pyarrow as pa
from pydantic import field_validator

from readiness_pipelines.batches import VERSION_KEY, Batches, Keys, Scope, checked_key, in_order
from readiness_pipelines.contracts.readers import CONTENT_UNKNOWN, Arrival, Origin, Places, RawBatch
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError, LandingError, ReadinessError
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.masking import quoted
from readiness_pipelines.sources.names import check_names
from readiness_pipelines.sources.raw_rows import numbered
from readiness_pipelines.sources.records import records_to_table
from readiness_pipelines.sources.spool import Spool, spool

ROWS_PER_BATCH = 50_000
_LONG_SETTLED = datetime.fromtimestamp(0, UTC)


class Function(Frozen):
    """Rows that a function gives.

    Attributes:
        function: Called with the batch's key (and with ``window=``, where it has such a parameter: the time that the
            batch covers). Gives records (dicts), Arrow tables or batches, or anything that streams Arrow.
        listing: What is given as ``arrivals=``: a function that gives the keys that are there now, or pairs of a key
            and a fingerprint. Without it, batches of a calendar are there when they have ended, those of a list always,
            and each call gives one version.
        fingerprint: Called as `function` is; gives a text that changes when the batch's rows do. Without it, rows that
            were changed later are not noticed; of versions the content tells.
        missing: Text that means "no value". Raw keeps it as it came; the gate reads it as null.

    Example:
        def read_rates(batch):
            return [{"currency": "CHF", "rate": 0.93}, {"currency": "USD", "rate": 1.08}]


        Source(origin="Rates API", steward=team, reader=Function(read_rates))
    """

    function: Callable[..., Any]
    listing: Callable[[], Any] | None = None
    fingerprint: Callable[..., Any] | None = None
    missing: tuple[str, ...] = ()

    def __init__(self, function: Callable[..., Any] | None = None, /, **fields: object) -> None:
        """Accept the function as the only positional argument, and ``arrivals=`` as a name for the listing."""
        if function is not None:
            fields["function"] = function
        if "arrivals" in fields:
            fields["listing"] = fields.pop("arrivals")
        super().__init__(**fields)

    @field_validator("missing", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    def check(self, batches: Batches) -> None:
        """Refuse batches that nobody lists.

        Raises:
            DeclarationError: The batches have no calendar, are no list and no versions, and `arrivals` is not given.
        """
        known = batches.scope is Scope.TABLE or batches.first_start() is not None or isinstance(batches.grid(), Keys)
        if self.listing is None and not known:
            raise DeclarationError(
                f"nobody knows which {batches.name} batches {self.describe()} has",
                way_out="declare Function(…, arrivals=…), a function that gives their keys",
            )

    def arrivals(self, places: Places) -> Iterable[Arrival]:
        """The batches that are there now, from old to new.

        Raises:
            LandingError: The function that lists them, or tells their fingerprint, failed.
        """
        batches, now = places.batches, datetime.now(UTC)
        if self.listing is not None:
            return tuple(self._listed(batches, now))
        if batches.scope is Scope.TABLE:
            key = now.strftime(VERSION_KEY)
            fingerprint = self._given(key, batches) or self._read(key, batches).fingerprint
            return (Arrival(batch=key, fingerprint=fingerprint, settled_since=_LONG_SETTLED),)
        keys = grid.keys if isinstance(grid := batches.grid(), Keys) else tuple(_ended(batches, now))
        return tuple(
            Arrival(
                batch=key,
                fingerprint=self._given(key, batches) or CONTENT_UNKNOWN,
                settled_since=window.end if (window := batches.window(key)) else _LONG_SETTLED,
            )
            for key in keys
        )

    def open(self, batch: str, places: Places) -> RawBatch:
        """Call the function for a batch.

        Raises:
            BatchNotLandedError: The key is not of the table's batches, or the function raised it.
            LandingError: The function failed, or gave something that is not rows.
        """
        if not places.batches.has(batch):
            raise BatchNotLandedError(f"{batch!r} is not one of the {places.batches.name} batches")
        found = self._read(batch, places.batches)
        fingerprint = self._given(batch, places.batches) or found.fingerprint
        return RawBatch(
            origins=(Origin(name=self._name, fingerprint=fingerprint),),
            columns=found.columns,
            rows=numbered(found.tables(), found.columns, batch=batch, origin=self._name),
        )

    def describe(self) -> str:
        """The function's name."""
        return f"function {self._name}"

    @property
    def _name(self) -> str:
        function = self.function
        name = getattr(function, "__qualname__", type(function).__qualname__)
        return f"{getattr(function, '__module__', '')}.{name}".lstrip(".")

    def _given(self, batch: str, batches: Batches) -> str | None:
        if self.fingerprint is None:
            return None
        return str(self._call(self.fingerprint, batch, batches))

    def _listed(self, batches: Batches, now: datetime) -> Iterator[Arrival]:
        found: dict[str, str | None] = {}
        for entry in self._safely("its arrivals", self.listing):  # type: ignore[arg-type]  # asked only where given
            key, fingerprint = entry if isinstance(entry, tuple) else (entry, None)
            try:
                found[checked_key(str(key))] = None if fingerprint is None else str(fingerprint)
            except ValueError as error:
                raise LandingError(f"{self.describe()}: {error}") from error
        for key in in_order(batches, found):
            window = batches.window(key)
            yield Arrival(
                batch=key,
                fingerprint=found[key] or self._given(key, batches) or CONTENT_UNKNOWN,
                settled_since=min(window.end, now) if window else _LONG_SETTLED,
            )

    def _read(self, batch: str, batches: Batches) -> Spool:
        found: Spool = self._safely(
            f"batch {batch!r}", lambda: spool(_tables(self._call(self.function, batch, batches), self.describe()))
        )
        check_names(found.columns.names, what=self.describe(), way_out="give the column another name in the function")
        return found

    def _call(self, function: Callable[..., Any], batch: str, batches: Batches) -> Any:
        given: dict[str, Any] = {}
        try:
            parameters = inspect.signature(function).parameters
        except (TypeError, ValueError):
            parameters = {}  # type: ignore[assignment]  # a builtin that tells nothing of its parameters
        if "window" in parameters:
            given["window"] = batches.window(batch)
        takes_key = not parameters or set(parameters) - {"window"}
        arguments = (batch,) if takes_key and not _takes_nothing(function) else ()
        return self._safely(f"batch {batch!r}", lambda: function(*arguments, **given))

    def _safely(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ReadinessError:
            raise
        except Exception as error:
            raise LandingError(
                f"{self.describe()} failed for {what}: {type(error).__name__}: {quoted(error)}",
                way_out="call it by itself to see where, then run the batch again",
            ) from error


def _takes_nothing(function: Callable[..., Any]) -> bool:
    try:
        return not inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _ended(batches: Batches, now: datetime) -> Iterator[str]:
    """The keys of the batches of a calendar that have ended."""
    last, start = batches.last_ended(now), batches.first_start()
    while last is not None and start is not None and start <= last.start:
        key = batches.key_at(start)
        window = batches.window(key) if key else None
        if window is None or key is None:
            return
        yield key
        start = window.end


def _tables(given: Any, what: str) -> Iterator[pa.Table]:
    """Whatever a function gives, as tables."""
    if given is None or isinstance(given, str | bytes | Mapping):
        raise LandingError(
            f"{what} gave {'nothing' if given is None else f'a {type(given).__name__}'}, not rows",
            way_out="give an iterable of dicts, or Arrow tables",
        )
    if isinstance(given, pa.Table | pa.RecordBatch) or hasattr(given, "__arrow_c_stream__"):
        yield from _arrow(given)
        return
    rows = iter(given)
    while chunk := list(islice(rows, ROWS_PER_BATCH)):
        records: list[Mapping[str, Any]] = []
        for one in chunk:
            if isinstance(one, Mapping):
                records.append(one)
            elif isinstance(one, pa.Table | pa.RecordBatch) or hasattr(one, "__arrow_c_stream__"):
                if records:
                    yield records_to_table(records)
                    records = []
                yield from _arrow(one)
            else:
                raise LandingError(
                    f"{what} gave a {type(one).__name__} as a row", way_out="give dicts, or Arrow tables"
                )
        if records:
            yield records_to_table(records)


def _arrow(given: Any) -> Iterator[pa.Table]:
    if isinstance(given, pa.RecordBatch):
        given = pa.Table.from_batches([given])
    reader = given if isinstance(given, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(given)
    empty = True
    for batch in reader:
        empty = False
        yield pa.Table.from_batches([batch])
    if empty:
        yield reader.schema.empty_table()
