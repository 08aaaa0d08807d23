"""What other tables have, kept in memory for the rules that refer to them, and how old that is."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import Versions
from readiness_pipelines.contracts import Read
from readiness_pipelines.contracts.reads import AllBatches, VersionInForce
from readiness_pipelines.contracts.references import ExistsIn
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.gates import KnownKeys
from readiness_pipelines.gates.judge.references import types_compare
from readiness_pipelines.installation import Installation
from readiness_pipelines.serving.tables import ServedTable
from readiness_pipelines.sql import identifier

_ROWS_AT_ONCE = 1_000
"""Rows that are taken over while requests wait for the interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKeys:
    """What is kept of a table for one rule.

    Attributes:
        of: The table.
        keys: Its keys; ``None`` where they are not known.
        why_not: Why they are not.
        snapshot: The snapshot that they are of, with the batches that are read.
        seen_at: When it was last seen to be the newest, by the monotonic clock.
    """

    of: str = ""
    keys: KnownKeys | None = None
    why_not: str = ""
    snapshot: tuple[int, tuple[str, ...]] | None = None
    seen_at: float = field(default_factory=time.monotonic)

    def shown(self) -> dict[str, Any]:
        """It, for the answer: how old it is at most, or why the rule is not decided."""
        if self.keys is None:
            return {"table": self.of, "undecided": self.why_not}
        snapshot = self.snapshot[0] if self.snapshot else None
        return {"table": self.of, "snapshot": snapshot, "age_seconds": round(time.monotonic() - self.seen_at, 3)}


class References:
    """What the rules of some tables refer to. One thread refreshes it, any number reads it.

    Args:
        tables: The tables whose rules refer.
        most_rows: Distinct keys that are kept for a rule.
    """

    def __init__(self, tables: Iterable[ServedTable], *, most_rows: int) -> None:
        self._tables = [table for table in tables if table.references]
        self._most_rows = most_rows
        self._kept: dict[str, tuple[KeptKeys, ...]] = {}
        self._known: dict[str, Mapping[str, KnownKeys]] = {}

    @property
    def needed(self) -> bool:
        """Whether any rule refers to another table."""
        return bool(self._tables)

    def known(self, table: str) -> Mapping[str, KnownKeys]:
        """What is known of the tables that a table's rules refer to."""
        return self._known.get(table, {})

    def shown(self, table: str) -> list[dict[str, Any]]:
        """How old it is, for the answer."""
        return [one.shown() for one in self._kept.get(table, ())]

    def refresh(self, installation: Installation) -> None:
        """Look whether something newer is published, and read it; what cannot be read stays, and grows older."""
        published = Published(installation.ledger)
        for served in self._tables:
            before = dict(zip(served.references, self._kept.get(served.name, ()), strict=False))
            kept = []
            for reference in served.references:
                rule = _Rule(served, reference, served.table.references[reference.table])
                kept.append(self._refreshed(rule, before.get(reference), published, installation))
            known: dict[str, KnownKeys] = {}
            for reference, one in zip(served.references, kept, strict=True):
                if one.keys is not None:
                    already = known.get(reference.table)
                    known[reference.table] = already.merged(one.keys) if already else one.keys
            self._known[served.name] = known
            self._kept[served.name] = tuple(kept)

    def _refreshed(
        self, rule: "_Rule", before: KeptKeys | None, published: Published, installation: Installation
    ) -> KeptKeys:
        of = str(rule.read.table.id)
        now = time.monotonic()
        try:
            newest = _newest(rule.read, published, installation)
            if newest is None:
                return KeptKeys(of=of, why_not="nothing of it is published")
            if before is not None and before.snapshot == newest:
                return replace(before, seen_at=now)
            with installation.engine(f"the keys of {of}") as engine:
                snapshot, batches = newest
                store = store_of(rule.read.table)
                rows = installation.lakehouse.relation(engine, store, batch=batches or None, snapshot_id=snapshot)
                return replace(self._read(rule, rows), of=of, snapshot=newest, seen_at=now)
        except ReadinessError as error:
            # Watching stops no answer: what was read before stays, and says how old it is.
            return before or KeptKeys(of=of, why_not=f"it cannot be read: {error.what}")

    def _read(self, rule: "_Rule", rows: duckdb.DuckDBPyRelation) -> KeptKeys:
        if why_not := _incomparable(rule, rows):
            return KeptKeys(why_not=why_not)
        columns = tuple(rule.reference.reference_columns)
        distinct = rows.project(", ".join(map(identifier, columns))).distinct().limit(self._most_rows + 1)
        keys = KnownKeys.of(columns, _a_few_at_a_time(distinct))
        if len(keys.rows[columns]) > self._most_rows:
            return KeptKeys(why_not=f"it has more than {self._most_rows:,} keys (serve.most_reference_rows)")
        return KeptKeys(keys=keys)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule that refers to another table, and what of that is read."""

    served: ServedTable
    reference: ExistsIn
    read: Read


def _newest(read: Read, published: Published, installation: Installation) -> tuple[int, tuple[str, ...]] | None:
    """The newest snapshot, and the batches that a record of now would be compared with; none of them stands for all."""
    store = store_of(read.table)
    lakehouse = installation.lakehouse
    snapshots = lakehouse.snapshots(store)[:1] if lakehouse.exists(store) else ()
    if not snapshots:
        return None
    if isinstance(read.mapping, AllBatches):
        return snapshots[0].snapshot_id, ()
    there = published.batches(read.table)
    if not there or not isinstance(read.mapping, VersionInForce):
        return None
    theirs, in_force = read.table.batches, there[-1:]
    if isinstance(theirs, Versions):
        begun = [one for one in there if theirs.in_force_from(one) <= datetime.now(UTC)]
        in_force = tuple((begun or there[:1])[-1:])
    return snapshots[0].snapshot_id, in_force


def _incomparable(rule: _Rule, rows: duckdb.DuckDBPyRelation) -> str:
    """Why a record cannot be compared with a table; "" where it can."""
    there = rows.limit(0).to_arrow_table().schema
    for column, key in zip(rule.reference.columns, rule.reference.reference_columns, strict=True):
        if key not in there.names:
            return f"it has no column {key}"
        if class_of(rule.read.table, key).protection is not None:
            return f"its column {key} is protected"
        spec = next((one for one in rule.served.gate.spec.columns if one.matches(column)), None)
        own = spec.type if spec is not None and spec.type is not None else pa.string()
        theirs = there.field(key).type
        if pa.types.is_nested(theirs) or not types_compare(own, theirs):
            return f"{column} is {own}, and {key} there is {theirs}"
    return ""


def _a_few_at_a_time(rows: duckdb.DuckDBPyRelation) -> Iterator[tuple[Any, ...]]:
    for batch in rows.to_arrow_reader(_ROWS_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
