"""Which batches of an input a computed batch reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from readiness_pipelines.batches import Batches, Keys, Scope, Versions
from readiness_pipelines.errors import DeclarationError

if TYPE_CHECKING:
    from readiness_pipelines.contracts.tables import Table

_INSTANT = timedelta(microseconds=1)


class Present(tuple[str, ...]):
    """The batches of a table that are there, from old to new; whether one is among them is known at once."""

    _known: frozenset[str]

    def __new__(cls, keys: Iterable[str] = ()) -> "Present":
        """Remember the keys, in order and as a set."""
        made = super().__new__(cls, keys)
        made._known = frozenset(made)
        return made

    def __contains__(self, key: object) -> bool:
        return key in self._known


class BatchMapping(Protocol):
    """From a computed batch to the batches of an input.

    Attributes:
        optional: Whether the batch is computed where the input has none: the transform is given no rows of it.
    """

    @property
    def optional(self) -> bool:
        """Whether the batch is computed where the input has none."""
        ...

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """The input's batches that a batch reads, from old to new; none where those it needs are not there.

        Args:
            key: The computed batch.
            own: The computed table's batches.
            theirs: The input's batches.
            there: The input's published batches, from old to new.
        """
        ...

    def made_by(self, key: str, own: Batches, theirs: Batches) -> str | None:
        """The computed batch that a batch of the input makes exist; ``None`` where it makes none."""
        ...


@dataclass(frozen=True, slots=True)
class SameBatch:
    """The batch of the same key: the default where both have batches of one kind."""

    optional: bool = False

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """The key, if it is there."""
        return (key,) if key in there else ()

    def made_by(self, key: str, own: Batches, theirs: Batches) -> str | None:
        """Each makes one."""
        return key if own.has(key) else None


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """The version that was in force when the batch ended: the default for `Versions`.

    Before the first version, the first one is in force. A batch that covers no time reads the newest version.
    """

    optional: bool = False

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """One version, if there is any."""
        if not there:
            return ()
        window = own.window(key)
        if not isinstance(theirs, Versions):
            return (there[-1],)
        if window is not None:
            ended = [one for one in there if theirs.in_force_from(one) < window.end]
        elif isinstance(own, Versions):
            ended = [one for one in there if theirs.in_force_from(one) <= own.in_force_from(key)]
        else:
            ended = list(there)
        return (ended[-1] if ended else there[0],)

    def made_by(self, key: str, own: Batches, theirs: Batches) -> None:
        """A version makes no batch."""
        return


@dataclass(frozen=True, slots=True)
class PreviousBatch:
    """The batch before, by the calendar or the list; no rows where it is not there, and again when it comes."""

    optional: bool = True

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """One batch, if it is there."""
        before = _before(key, theirs, there)
        return (before,) if before in there and before is not None else ()

    def made_by(self, key: str, own: Batches, theirs: Batches) -> None:
        """A batch before makes none."""
        return


@dataclass(frozen=True, slots=True)
class LastBatches:
    """The last so many batches up to the batch's own, as far as they are there; its own must be.

    Attributes:
        count: How many, the batch's own among them.
    """

    count: int
    optional: bool = False

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """From old to new."""
        if key not in there:
            return ()
        found, at = [key], key
        for _ in range(self.count - 1):
            before = _before(at, theirs, there)
            if before is None:
                break
            at = before
            if before in there:
                found.append(before)
        return tuple(reversed(found))

    def made_by(self, key: str, own: Batches, theirs: Batches) -> str | None:
        """Each makes one."""
        return key if own.has(key) else None


@dataclass(frozen=True, slots=True)
class BatchesOfPeriod:
    """All batches that begin in the time that the batch covers, as far as they are there: the days of a month."""

    optional: bool = False

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """From old to new."""
        period = own.window(key)
        if period is None:
            return ()
        windows = ((one, theirs.window(one)) for one in there)
        return tuple(one for one, window in windows if window is not None and period.covers(window.start))

    def made_by(self, key: str, own: Batches, theirs: Batches) -> str | None:
        """Each makes the period that it begins in."""
        window = theirs.window(key)
        made = own.key_at(window.start) if window is not None else None
        return made if made is not None and own.has(made) else None


@dataclass(frozen=True, slots=True)
class RowsOfPeriod:
    """Rows of which the event lies in the time that the batch covers, whichever batch they arrived in.

    Which batches of the input have such rows is looked up where it is kept (`delivery.published`); the calendar alone
    says that any may, and that a batch makes the period in which it begins.

    Attributes:
        event_time: The input's column with the time of an event.
    """

    event_time: str
    optional: bool = False

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """From old to new."""
        return tuple(there) if own.window(key) is not None else ()

    def made_by(self, key: str, own: Batches, theirs: Batches) -> str | None:
        """The period that it begins in, as far as its calendar says."""
        return BatchesOfPeriod().made_by(key, own, theirs)


@dataclass(frozen=True, slots=True)
class ContainingBatch:
    """The batch of a coarser calendar in which the batch begins: the month of a day."""

    optional: bool = False

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """One batch, if it is there."""
        window = own.window(key)
        wanted = theirs.key_at(window.start) if window is not None else None
        return (wanted,) if wanted is not None and wanted in there else ()

    def made_by(self, key: str, own: Batches, theirs: Batches) -> None:
        """A coarser batch makes none."""
        return


@dataclass(frozen=True, slots=True)
class AllBatches:
    """All batches that are there."""

    optional: bool = False

    def keys(self, key: str, own: Batches, theirs: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """From old to new."""
        return tuple(there)

    def made_by(self, key: str, own: Batches, theirs: Batches) -> str | None:
        """Where the computed table has a fixed list, its batches are there as soon as one of these is."""
        grid = own.grid()
        return grid.keys[0] if isinstance(grid, Keys) and len(grid.keys) == 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One input: a table, and which of its batches a batch reads."""

    table: "Table"
    mapping: BatchMapping

    def keys(self, key: str, own: Batches, there: Sequence[str]) -> tuple[str, ...]:
        """The input's batches that a batch reads; see `BatchMapping.keys`."""
        return self.mapping.keys(key, own, self.table.batches, there)

    def made_by(self, key: str, own: Batches) -> str | None:
        """The computed batch that a batch of the input makes exist; see `BatchMapping.made_by`."""
        return self.mapping.made_by(key, own, self.table.batches)


def agree(one: Batches, other: Batches) -> bool:
    """Whether two tables have batches of one kind, so that equal keys mean the same batch."""
    return type(one) is type(other) and getattr(one, "timezone", None) == getattr(other, "timezone", None)


def check_rows_of_period(own: Batches, read: Read, *, reader: str) -> None:
    """Refuse to read rows by the time of their events where no batch, or more than one, would have them.

    Raises:
        DeclarationError: The batches cover no time, or the input keeps each version as a whole.
    """
    if not isinstance(read.mapping, RowsOfPeriod):
        return
    name, column = read.table.id.name, read.mapping.event_time
    if own.first_start() is None:
        raise DeclarationError(
            f"{reader} reads {read.table.id} by {column}, and its {own.name} batches cover no time",
            way_out='give it batches of a calendar: batches=DailyBatches(start="2026-11-01")',
        )
    if read.table.batches.scope is Scope.TABLE:
        raise DeclarationError(
            f"{reader} reads {read.table.id} by {column}, and each version of that has all of its rows",
            way_out=f"read one version: {name}.in_force()",
        )


def default_mapping(own: Batches, table: "Table", *, reader: str) -> BatchMapping:
    """How an input's batches map to a computed table's where nothing is declared.

    Args:
        own: The computed table's batches.
        table: The input.
        reader: The computed table's name, for the error.

    Raises:
        DeclarationError: Batches of kinds that do not map by themselves; names the ways to say it.
    """
    theirs = table.batches
    if agree(own, theirs):
        return SameBatch()
    if isinstance(theirs, Versions):
        return VersionInForce()
    if _is_coarser(own, theirs):
        return BatchesOfPeriod()
    name = table.id.name
    raise DeclarationError(
        f"{reader} has {own.name} batches and reads {table.id}, which has {theirs.name} ones: nothing says which",
        way_out=f"say it: reads={{{name!r}: {name}.of_period()}}, .containing(), .all_batches(), .before(), .last(7)",
    )


_FINENESS = {"quarter-hourly": -1, "hourly": 0, "daily": 1, "weekly": 2, "monthly": 3}


def _is_coarser(own: Batches, theirs: Batches) -> bool:
    return own.name in _FINENESS and theirs.name in _FINENESS and _FINENESS[own.name] > _FINENESS[theirs.name]


def _before(key: str, batches: Batches, there: Sequence[str]) -> str | None:
    """The key before another: by the calendar, by the list, or among those that are there."""
    window = batches.window(key)
    if window is not None:
        return batches.key_at(window.start - _INSTANT)
    grid = batches.grid()
    known = list(grid.keys) if isinstance(grid, Keys) else list(there)
    place = known.index(key) if key in known else 0
    return known[place - 1] if place else None
