"""A training set built: its labels placed, its features joined, its rows kept in the lakehouse by its id."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts import FeatureView, TrainingSet
from readiness_pipelines.delivery.event_times import refuse_other_types
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.history import view_of
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import NO_ROWS, digest_by_batch
from readiness_pipelines.ledger import KeptTrainingSet
from readiness_pipelines.names import TableId
from readiness_pipelines.products import (
    LABEL,
    SPLIT,
    BuiltTrainingSet,
    FeatureHistory,
    LabelCounts,
    Mode,
    UsedBatch,
    join_features,
)
from readiness_pipelines.sql import identifier, literal
from readiness_pipelines.training.definition import definition_of, id_of, published_batches, used_batches
from readiness_pipelines.training.kept import training_set_of
from readiness_pipelines.training.labels import LABELS, LabelSearch, place_labels

_BUILT = "_built"


def build_training_set(
    installation: Installation,
    training_set: TrainingSet,
    *,
    as_of: datetime | None = None,
    mode: Mode = Mode.AS_KNOWN_THEN,
    run: Run | None = None,
) -> BuiltTrainingSet:
    """Build a training set of what is published, and keep it. What was built already is given as it was.

    Args:
        installation: Where the tables and the ledger are.
        training_set: The training set.
        as_of: Build it of what was published by this time; ``None`` for now.
        mode: Which values of features a label sees: those that were published at its time, or those of today.
        run: Who, and when; the system, now, by default.

    Raises:
        UpstreamNotPublishedError: The table of labels has nothing published.
        UnknownNameError: A column that a table does not have.
        DeclarationError: No feature, or two of one name; an entity of other types in the labels than in a view; times
            in a column of another type; a gold set with synthetic rows; or a time without a zone.
        LakehouseError: A table cannot be read or written.
        LedgerError: The ledger cannot be reached.
    """
    if as_of is not None and as_of.tzinfo is None:
        raise DeclarationError(f"{as_of} has no time zone", way_out="give as_of in UTC: datetime(…, tzinfo=UTC)")
    who = run or Run()
    moment = as_of or who.clock()
    batches = published_batches(training_set, as_of=moment, installation=installation)
    with installation.engine(f"the training set {training_set.id}") as engine:
        place = LabelSearch(training_set, batches, moment, installation, engine)
        counts = place_labels(place)
        features = _join(place, mode)
        _rows(training_set, features, engine)
        columns = (*training_set.entity, training_set.label, *features, SPLIT)
        labels = training_set.labels.id
        origins = {**{one: (labels, one) for one in (*training_set.entity, training_set.label)}, **features}
        digest = digest_by_batch(engine, f"(SELECT *, 'rows' AS _batch FROM {_BUILT})").get("rows", NO_ROWS)
        used = used_batches(batches, installation=installation)
        definition = definition_of(training_set, mode=mode, as_of=as_of)
        ident = id_of(definition, used, batches, rows=digest.text, installation=installation)
        if installation.ledger.training_sets.get(ident) is None:
            _keep(
                _Building(ident, training_set, columns, origins, counts, used, definition, digest.text),
                engine,
                installation=installation,
                run=who,
            )
    return training_set_of(installation, ident)


def _join(place: LabelSearch, mode: Mode) -> dict[str, tuple[TableId, str]]:
    """Join the features of each view, in a table a view; what each of them is, in order."""
    wanted = place.training_set
    place.engine.execute(f"CREATE TEMP TABLE _used AS FROM {LABELS} WHERE __status IS NULL")
    taken: dict[str, tuple[TableId, str]] = {}
    for number, (view, chosen) in enumerate(wanted.features.values()):
        history = place.history(view)
        columns = feature_columns(view, chosen, history.columns)
        for column in (view.event_time, view.known_at):
            if column in history.columns:
                refuse_other_types(history, column, reader=wanted.id, source=view.id)
        names = {one: f"{view.name}_{one}" if _is_ambiguous(one, view, wanted) else one for one in columns}
        there = {one.lower() for one in (*taken, *wanted.entity, wanted.label, SPLIT)}
        if twice := [one for one in names.values() if one.lower() in there]:
            raise DeclarationError(
                f"{wanted.id} has two columns {twice[0]!r}",
                way_out="rename one, or choose others: features={view: […]}",
            )
        taken |= {name: (view.id, column) for column, name in names.items()}
        facts = FeatureHistory(
            rows=view_of(history),
            entity=view.entity,
            columns=names,
            event_time=view.event_time,
            known_at=view.known_at,
            batches=place.batches[view],
        )
        join_features(place.engine, "_used", facts, mode=mode, as_of=place.as_of, name=f"_joined_{number}")
    if not taken:
        raise DeclarationError(
            f"{wanted.id} has no feature: its views have no column beside their entity and times",
            way_out=f"add one to the schema of {wanted.views[0].id}",
        )
    return taken


def feature_columns(view: FeatureView, chosen: tuple[str, ...], there: list[str]) -> tuple[str, ...]:
    """The features of a view: those chosen, or all its columns but the entity's and the times."""
    beside = {*view.entity, view.event_time, view.known_at}
    # In the schema's order; of a pattern all columns that it matches, as look-ups have them.
    specs, shown = gate_of(view).spec.columns, [one for one in there if one not in RESERVED_COLUMNS]
    own = tuple(dict.fromkeys(name for spec in specs for name in shown if spec.matches(name)))
    for column in chosen:
        if column not in own or column in beside:
            raise UnknownNameError(f"feature of {view.id}", column, [one for one in own if one not in beside])
    return chosen or tuple(one for one in own if one not in beside)


def _is_ambiguous(column: str, view: FeatureView, wanted: TrainingSet) -> bool:
    """Whether another view, or the labels, may have a feature of that name, in whatever case: SQL tells none apart."""
    name = column.lower()
    if name in {one.lower() for one in (*wanted.entity, wanted.label)}:
        return True
    others = [(one, chosen) for one, chosen in wanted.features.values() if one is not view]
    return any(
        (
            name in {one.lower() for one in chosen}
            if chosen
            else any(spec.name.lower() == name or spec.matches(column) for spec in gate_of(other).spec.columns)
        )
        and column not in (*other.entity, other.event_time, other.known_at)
        for other, chosen in others
    )


def _rows(wanted: TrainingSet, features: Iterable[str], engine: duckdb.DuckDBPyConnection) -> None:
    """Make the table of the rows, numbered in their order."""
    shown = ", ".join(f"l.{identifier(one)}" for one in (*wanted.entity, wanted.label))
    joined = " ".join(
        f"JOIN _joined_{number} f{number} ON l.{LABEL} = f{number}.{LABEL}" for number in range(len(wanted.features))
    )
    taken = ", ".join(map(identifier, features))
    engine.execute(
        f"CREATE TEMP TABLE {_BUILT} AS SELECT row_number() OVER (ORDER BY l.{LABEL}) AS _row, {shown}, {taken}, "
        f"l.{SPLIT} FROM _used l {joined}"
    )


@dataclass(frozen=True, slots=True)
class _Building:
    id: str
    training_set: TrainingSet
    columns: tuple[str, ...]
    origins: dict[str, tuple[TableId, str]]
    counts: LabelCounts
    used: tuple[UsedBatch, ...]
    definition: dict[str, Any]
    digest: str


def _keep(building: _Building, engine: duckdb.DuckDBPyConnection, *, installation: Installation, run: Run) -> None:
    """Commit the rows, then record them: a process that dies between has left rows that the next one finds."""
    store, lakehouse = building.training_set.id.training, installation.lakehouse
    chosen = ", ".join(map(identifier, building.columns))
    rows = engine.sql(f"SELECT {literal(building.id)} AS _batch, _row, {chosen} FROM {_BUILT} ORDER BY _row")
    schema = pa.schema(rows.limit(0).to_arrow_table().schema)
    lakehouse.ensure(store, schema)
    staged = lakehouse.stage(store, rows, batch=building.id, schema=schema)
    commit = lakehouse.replace(
        store,
        staged,
        properties={
            "readiness.table": str(building.training_set.id),
            "readiness.batch": building.id,
            "readiness.run": run.run_id,
            "readiness.attempt": building.id,
        },
    )
    installation.ledger.training_sets.keep(
        KeptTrainingSet(
            id=building.id,
            name=building.training_set.id,
            built_at=run.clock(),
            who=run.who,
            run_id=run.run_id,
            facts={
                "columns": list(building.columns),
                "entity": list(building.training_set.entity),
                "label": building.training_set.label,
                "features": list(building.columns[len(building.training_set.entity) + 1 : -1]),
                "origins": {name: [str(table), column] for name, (table, column) in building.origins.items()},
                "counts": asdict(building.counts),
                "used": [
                    [str(one.table), one.batch, one.snapshot, one.gate, list(one.decisions)] for one in building.used
                ],
                "digests": _digests(building.used, installation),
                "definition": building.definition,
                "digest": building.digest,
                "snapshot": commit.snapshot_id,
            },
        )
    )


def _digests(used: tuple[UsedBatch, ...], installation: Installation) -> list[str]:
    """What the rows of each batch were, by which the same rows delivered again are told from others."""
    contents = installation.ledger.contents({one.table for one in used})
    found = (contents.get(BatchRef(one.table, one.batch)) for one in used)
    return [
        kept.digest if kept is not None and kept.snapshot == one.snapshot else ""
        for kept, one in zip(found, used, strict=True)
    ]
