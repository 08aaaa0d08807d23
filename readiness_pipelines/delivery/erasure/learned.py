"""What models learned from, without persons: histories keep what is published now, training sets lose what told of it.

Which closed rows told of the person, nothing says: a history keeps values, and those of an aggregate name nobody. So a
history forgets its past, as the tables themselves do; each row that is published stays known since it was. Training
sets lose the rows about each entity of which a history forgot something. They are changed first: a process that dies
on the way leaves the histories by which they are found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Table, keeps_history
from readiness_pipelines.delivery.attempts import attempted
from readiness_pipelines.delivery.commit import commit_rows, record_batch
from readiness_pipelines.delivery.history import merged, view_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import is_there
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import KeptTrainingSet
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import identifier

ERASED = "its person was erased"
"""Why a training set does not have a label any more."""


def forget_learned(tables: Sequence[Table], *, why: str, installation: Installation, run: Run) -> tuple[TableId, ...]:
    """Take what is not published any more out of histories, and out of the training sets made of them.

    Safe to do again, and after a crash.

    Args:
        tables: The tables that lost rows, and those computed from them.
        why: For the trail.
        installation: Where the tables and the ledger are.
        run: Who, and when.

    Returns:
        The Iceberg tables that were rewritten or may have been by a call that was cut off.

    Raises:
        CommitConflictError: Another run delivers one of the batches.
        LakehouseError: A table cannot be read or written.
    """
    lakehouse = installation.lakehouse
    touched: dict[TableId, None] = {}
    every = installation.ledger.training_sets.all()
    for table in tables:
        if not keeps_history(table) or not lakehouse.exists(table.id.history):
            continue
        sets = [one for one in every if any(batch[0] == str(table.id) for batch in one.facts["used"])]
        touched |= dict.fromkeys(one.name.training for one in sets)
        for batch in sorted({file.batch for file in lakehouse.files(table.id.history)}):
            _forget_batch(table, batch, sets, why=why, installation=installation, run=run)
    return tuple(touched)


def _forget_batch(
    table: Table, batch: str, sets: Sequence[KeptTrainingSet], *, why: str, installation: Installation, run: Run
) -> None:
    ref, lakehouse, history = BatchRef(table.id, batch), installation.lakehouse, table.id.history
    with installation.engine(f"the history of {ref}") as engine:
        record = installation.ledger.get(ref)
        known = lakehouse.relation(engine, history, batch=batch)
        shown = lakehouse.relation(engine, store_of(table), batch=batch)
        if record is None or not is_there(record):
            shown = shown.filter("false")
        kept = merged(engine, known, shown, at=run.clock(), forgets=True).project(
            ", ".join(map(identifier, known.columns))
        )
        rows = f"forgotten_{uuid4().hex[:12]}"
        engine.execute(
            f"CREATE TEMP TABLE {rows} AS FROM {view_of(_without_places(known))} "
            f"EXCEPT ALL FROM {view_of(_without_places(kept))}"
        )
        if not engine.sql(f"FROM {rows} LIMIT 1").fetchall():
            return
        for one in sets:
            _forget_in_set(one, rows, engine, installation=installation, run=run)
        if record is None:
            return
        schema = lakehouse.schema(history)
        staged = lakehouse.stage(
            history, kept, batch=batch, schema=pa.schema([schema.field(name) for name in known.columns])
        )
        with attempted(table, ref, installation=installation, run=run) as attempt:
            commit_rows(history, staged, ref, attempt=attempt, installation=installation, engine=engine, run=run)
            profile = installation.ledger.profiles(table.id, [batch]).get(batch)
            record_batch(
                replace(record, run_id=run.run_id, attempt=attempt.id, updated_at=run.clock()),
                what="erased",
                why=why,
                details=_said(ref, installation),
                attempt=attempt,
                installation=installation,
                run=run,
                profile=profile if record.state.visible else None,
            )


def _without_places(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Rows without their numbers, which change where a row before them is gone."""
    return rows.project(", ".join(identifier(name) for name in rows.columns if name != "_row"))


def _forget_in_set(
    kept: KeptTrainingSet,
    forgotten: str,
    engine: duckdb.DuckDBPyConnection,
    *,
    installation: Installation,
    run: Run,
) -> None:
    """Take the rows about forgotten entities out of a training set, and count them as excluded."""
    lakehouse, store = installation.lakehouse, kept.name.training
    if not lakehouse.exists(store):
        return
    rows = lakehouse.relation(engine, store, batch=kept.id)
    columns = engine.sql(f"FROM {forgotten}").columns
    same = " AND ".join(
        f"r.{identifier(one)} IS NOT DISTINCT FROM f.{identifier(one)}"
        for one in kept.facts["entity"]
        if one in columns
    )
    left = engine.sql(f"FROM {view_of(rows)} r WHERE NOT EXISTS (FROM {forgotten} f WHERE {same or 'true'})")
    before = sum(kept.facts["counts"][name] for name in ("trained", "held_out"))
    ((remaining,),) = left.aggregate("count(*)").fetchall()
    if remaining < len(rows):
        schema = lakehouse.schema(store)
        staged = lakehouse.stage(
            store, left, batch=kept.id, schema=pa.schema([schema.field(name) for name in left.columns])
        )
        attempt = {"readiness.table": str(kept.name), "readiness.attempt": uuid4().hex, "readiness.run": run.run_id}
        lakehouse.replace(store, staged, properties=attempt)
    if remaining < before:
        installation.ledger.training_sets.replace_facts(
            kept.id, _recounted(kept, engine, lakehouse.relation(engine, store, batch=kept.id))
        )


def _recounted(
    kept: KeptTrainingSet, engine: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation
) -> Mapping[str, Any]:
    """What is kept of a training set, with the labels that were erased counted as such."""
    by_split = dict(engine.sql(f"SELECT _split, count(*) FROM {view_of(rows)} GROUP BY ALL").fetchall())
    counts = dict(kept.facts["counts"])
    counts["trained"], counts["held_out"] = by_split.get("train", 0), by_split.get("holdout", 0)
    others = {why: number for why, number in counts["excluded"].items() if why != ERASED}
    gone = counts["labels"] - counts["trained"] - counts["held_out"] - sum(counts["waiting"].values())
    counts["excluded"] = {**others, ERASED: gone - sum(others.values())}
    return {**kept.facts, "counts": counts}


def _said(ref: BatchRef, installation: Installation) -> dict[str, Any]:
    """What the trail said of the last verdict and still holds."""
    entries = [one for one in installation.ledger.trail(ref=ref) if "decisions" in one.details]
    kept = ("transform", "decisions", "waived")
    return {name: entries[-1].details[name] for name in kept if name in entries[-1].details} if entries else {}
