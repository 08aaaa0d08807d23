"""What a training set's rows follow from, as plain values: its definition and the batches that it reads."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import FeatureView, Table, TrainingSet
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.delivery.transform_facts import transform_facts
from readiness_pipelines.installation import Installation
from readiness_pipelines.products import Mode, UsedBatch


def definition_of(training_set: TrainingSet, *, mode: Mode, as_of: datetime | None) -> dict[str, Any]:
    """What was declared, with fingerprints of the code that computes labels and features; JSON-like."""
    at = training_set.at
    return {
        "name": str(training_set.id),
        "version": training_set.version,
        "labels": {"table": str(training_set.labels.id), **transform_facts(training_set.labels)},
        "label": training_set.label,
        "entity": list(training_set.entity),
        "at": str(at.id) if isinstance(at, FeatureView) else at,
        "label_delay": training_set.label_delay.total_seconds(),
        "holdout": str(training_set.holdout) if training_set.holdout else None,
        "gold": [str(table.id) for table in training_set.gold],
        "features": [
            {
                "view": str(view.id),
                "version": view.version,
                "columns": list(columns),
                "entity": list(view.entity),
                "event_time": view.event_time,
                "known_at": view.known_at,
                "gate": gate_of(view).version,
                **transform_facts(view),
            }
            for view, columns in training_set.features.values()
        ],
        "mode": mode.value,
        "as_of": as_of.isoformat() if as_of else None,
    }


def published_batches(
    training_set: TrainingSet, *, as_of: datetime, installation: Installation
) -> dict[Table, tuple[str, ...]]:
    """The batches of each table that consumers see, and saw by a time; from old to new."""
    published = Published(installation.ledger)
    tables = training_set.tables
    found = installation.ledger.publications(tables=[table.id for table in tables])
    by_then = {table.id: {one.batch for one in found.get(table.id, ()) if one.first_at <= as_of} for table in tables}
    return {table: tuple(b for b in published.batches(table) if b in by_then[table.id]) for table in tables}


def used_batches(batches: Mapping[Table, tuple[str, ...]], *, installation: Installation) -> tuple[UsedBatch, ...]:
    """The batches that are read, with the gates and decisions that stand behind them; ascending."""
    published = Published(installation.ledger)
    published.load([table.id for table in batches])
    said = {entry.ref: entry.details for entry in installation.ledger.last_verdicts(tables=[t.id for t in batches])}
    used = []
    for table, keys in batches.items():
        for batch in keys:
            record = published.record(table.id, batch)
            assert record is not None and record.snapshots.published is not None  # noqa: S101, PT018  # it is there
            used.append(
                UsedBatch(
                    table=table.id,
                    batch=batch,
                    snapshot=record.snapshots.published,
                    gate=record.gate_version or "",
                    decisions=tuple(sorted(said[record.ref].get("decisions", ()) if record.ref in said else ())),
                )
            )
    return tuple(sorted(used))


def digests_of(used: tuple[UsedBatch, ...], *, installation: Installation) -> list[str]:
    """What the rows of each batch were, by which the same rows delivered again are told from others.

    Args:
        used: The batches that were read.
        installation: Where the ledger is.

    Returns:
        A digest for each; "" where none is kept, or the batch was delivered again since it was read.
    """
    contents = installation.ledger.contents({store for one in used for store in (one.table.versions, one.table)})

    def digest(one: UsedBatch) -> str:
        # Of a table with versions it is kept where those are: under its own name there is nothing.
        for store in (one.table.versions, one.table):
            kept = contents.get(BatchRef(store, one.batch))
            if kept is not None and kept.snapshot == one.snapshot:
                return kept.digest
        return ""

    return list(map(digest, used))


def id_of(
    definition: Mapping[str, Any],
    used: tuple[UsedBatch, ...],
    batches: Mapping[Table, tuple[str, ...]],
    *,
    rows: str,
    installation: Installation,
) -> str:
    """The id of a training set.

    Batches count by the digest of their rows, not by their snapshot: a snapshot's number is drawn, and the same rows
    have another one on each machine, and after each replay that changes nothing. The digest of the training set's own
    rows is among it: it says what was known when, which the batches' rows do not.

    Args:
        definition: What was declared.
        used: The batches that were read.
        batches: The same, by table.
        rows: The digest of the training set's rows.
        installation: Where the ledger is.
    """
    stores = {store_of(table): table.id for table in batches}
    contents = {
        (stores[ref.table], ref.batch): one.digest for ref, one in installation.ledger.contents(tuple(stores)).items()
    }
    facts = {
        "definition": definition,
        "used": [
            [str(one.table), one.batch, contents.get((one.table, one.batch), ""), one.gate, list(one.decisions)]
            for one in used
        ],
        "rows": rows,
    }
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
