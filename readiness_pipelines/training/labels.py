"""Where each label of a training set goes: to learn from, held out, waiting, or excluded, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from readiness_pipelines.batches import in_order
from readiness_pipelines.columns import KNOWN_COLUMNS
from readiness_pipelines.contracts import FeatureView, Table, TrainingSet
from readiness_pipelines.delivery.event_times import refuse_other_types
from readiness_pipelines.delivery.history import history_of, view_of
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import is_there
from readiness_pipelines.errors import DeclarationError, UnknownNameError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.products import AT, LABEL, SPLIT, SYNTHETIC, LabelCounts, TrainingSplit, is_synthetic
from readiness_pipelines.sql import identifier, literal

LABELS = "_labels"
"""The table of labels in DuckDB, each with where it goes: `_SPLIT` or a reason."""

IN_QUARANTINE = "it waits in quarantine"
DISCARDED = "it was discarded"
NOT_DUE = "its delay is not over"
NOT_PUBLISHED = "no label of the entity is published yet"
IS_NULL = "the label is null"
NO_ENTITY = "it names no entity"
NO_TIME = "it has no time"
NOT_OBSERVED = "it is synthetic: nobody observed it"
DUPLICATE = "a newer label is about the same entity and time"

_KNOWN_AT, _KNOWN_UNTIL = KNOWN_COLUMNS.names
_HASHED = 1 << 60


@dataclass(frozen=True, slots=True)
class LabelSearch:
    """Where labels are looked at.

    Attributes:
        training_set: The training set.
        batches: The batches of each table that were published by the time, from old to new.
        as_of: The time.
        installation: Where the tables and the ledger are.
        engine: Where the table of labels is made.
    """

    training_set: TrainingSet
    batches: dict[Table, tuple[str, ...]]
    as_of: datetime
    installation: Installation
    engine: duckdb.DuckDBPyConnection

    def history(self, table: Table) -> duckdb.DuckDBPyRelation:
        """What was ever published of a table by the time."""
        return history_of(table, self.batches[table], installation=self.installation, engine=self.engine).filter(
            f"{_KNOWN_AT} <= TIMESTAMPTZ {literal(self.as_of.isoformat())}"
        )


def place_labels(place: LabelSearch) -> LabelCounts:
    """Make the table `LABELS` of all labels that are published, and count all there are.

    Raises:
        UpstreamNotPublishedError: The table of labels has nothing published.
        UnknownNameError: A column that a table does not have.
        DeclarationError: A gold set with synthetic rows, an entity of other types in the labels than in a view, or
            times in a column of another type.
    """
    engine, wanted = place.engine, place.training_set
    if not place.batches[wanted.labels]:
        raise UpstreamNotPublishedError(
            f"nothing of the labels of {wanted.id} is published",
            way_out=f"readiness status {wanted.labels.domain.name}",
        )
    _published_labels(place)
    _holdout(place)
    waiting, excluded = dict[str, int](), dict[str, int]()
    for status, why, count in engine.sql(
        f"SELECT __status, __why, count(*) FROM {LABELS} WHERE __status IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        (waiting if status == "waiting" else excluded)[why] = count
    records = _records_not_published(place)
    held_back, discarded = (sum(getattr(one.counts, name) for one in records) for name in ("quarantined", "discarded"))
    if held_back:
        waiting[IN_QUARANTINE] = held_back
    if discarded:
        excluded[DISCARDED] = discarded
    if awaited := _awaited(place, records):
        waiting[NOT_PUBLISHED] = awaited
    splits = dict(engine.sql(f"SELECT {SPLIT}, count(*) FROM {LABELS} WHERE __status IS NULL GROUP BY ALL").fetchall())
    trained, held_out = splits.get(TrainingSplit.TRAIN.value, 0), splits.get(TrainingSplit.HOLDOUT.value, 0)
    return LabelCounts(
        labels=trained + held_out + sum(waiting.values()) + sum(excluded.values()),
        trained=trained,
        held_out=held_out,
        waiting=waiting,
        excluded=excluded,
    )


def _published_labels(place: LabelSearch) -> None:
    wanted, engine = place.training_set, place.engine
    history = place.history(wanted.labels)
    timed = (wanted.at,) if isinstance(wanted.at, str) else ()
    for column in (*wanted.entity, wanted.label, *timed):
        if column not in history.columns:
            raise UnknownNameError(f"column of the labels of {wanted.id}", column, history.columns)
    for column in timed:
        refuse_other_types(history, column, reader=wanted.id, source=wanted.labels.id)
    for view in dict.fromkeys((*wanted.views, *([wanted.at] if isinstance(wanted.at, FeatureView) else []))):
        _check_keys(place, history, view, place.history(view), view.entity)
    history_view = view_of(history)
    moment = f"TIMESTAMPTZ {literal(place.as_of.isoformat())}"
    delay = f"INTERVAL {literal(f'{wanted.label_delay.total_seconds():.6f} seconds')}"
    entity = ", ".join(map(identifier, wanted.entity))
    nobody = " OR ".join(f"{identifier(one)} IS NULL" for one in wanted.entity)
    order = f"list_position([{', '.join(map(literal, place.batches[wanted.labels]))}], _batch)"
    first = f"min({_KNOWN_AT}) OVER (PARTITION BY {entity}, _batch)"
    match wanted.at:
        case None:
            at, no_time, joined = f"h.__first - {delay}", _reason("excluded", NO_TIME), ""
        case str(column):
            at, no_time, joined = f"h.{identifier(column)}::TIMESTAMPTZ", _reason("excluded", NO_TIME), ""
        case FeatureView() as view:
            _first_known(place, view)
            same = " AND ".join(f"h.{identifier(one)} = f.{identifier(one)}" for one in view.entity)
            at, joined = "f.__first_known", f"LEFT JOIN _first_known_of f ON {same}"
            no_time = _reason("waiting", f"{view.id} does not know its entity yet")
    gold = [_in_gold(place, table) for table in wanted.gold]
    engine.execute(
        f"""
        CREATE TEMP TABLE {LABELS} AS
        WITH known AS (
            SELECT *, {first} AS __first, {order} AS __order FROM {history_view}
        ), shown AS (
            SELECT * FROM known WHERE ({_KNOWN_UNTIL} IS NULL OR {_KNOWN_UNTIL} > {moment}) {_newest_only(place)}
        ), timed AS (
            SELECT {", ".join(f"h.{identifier(one)}" for one in (*wanted.entity, wanted.label))},
                {is_synthetic("h.") if SYNTHETIC in history.columns else "false"} AS __made,
                h._batch, h.__order, h._row, h.{_KNOWN_AT}, {at} AS {AT}
            FROM shown h {joined}
        ), numbered AS (
            SELECT *,
                row_number() OVER (ORDER BY __order, {entity}, {AT}, _row) AS {LABEL},
                row_number() OVER (
                    PARTITION BY {entity}, {AT}, __made ORDER BY __order DESC, {_KNOWN_AT} DESC, _row DESC
                ) AS __nth
            FROM timed
        )
        SELECT * EXCLUDE (__nth, __where, __made), __where.status AS __status, __where.why AS __why FROM (
            SELECT *, CASE
                WHEN __made THEN {_reason("excluded", NOT_OBSERVED)}
                WHEN {nobody} THEN {_reason("excluded", NO_ENTITY)}
                WHEN __nth > 1 THEN {_reason("excluded", DUPLICATE)}
                {"".join(gold)}
                WHEN {AT} IS NULL THEN {no_time}
                WHEN {AT} > {moment} - {delay} THEN {_reason("waiting", NOT_DUE)}
                WHEN {_is_missing(history, wanted.label)} THEN {_reason("excluded", IS_NULL)}
            END AS __where FROM numbered
        )
        """
    )


def _is_missing(rows: duckdb.DuckDBPyRelation, label: str) -> str:
    """SQL for a label that is not there: from pandas and in Parquet, "not known" is often NaN."""
    name, kind = identifier(label), str(rows.types[rows.columns.index(label)])
    return f"{name} IS NULL OR isnan({name})" if kind in ("FLOAT", "DOUBLE") else f"{name} IS NULL"


def _check_keys(
    place: LabelSearch,
    labels: duckdb.DuckDBPyRelation,
    table: Table,
    rows: duckdb.DuckDBPyRelation,
    columns: Sequence[str],
) -> None:
    """Refuse that labels are joined by values of another kind: 7 would be "7" and "007", and floats take two for one.

    Raises:
        DeclarationError: A column of the entity that is text in one of the tables and a number in the other, say.
    """
    own, others = (dict(zip(one.columns, map(str, one.types), strict=True)) for one in (labels, rows))
    for column in columns:
        kinds = own.get(column), others.get(column)
        if None not in kinds and len(set(map(_family, kinds))) > 1:
            raise DeclarationError(
                f"{place.training_set.id} joins by {column}, which is {kinds[0]} in the labels and {kinds[1]} in "
                f"{table.id}",
                way_out="publish it as one type in both",
            )


def _family(kind: str | None) -> str:
    """What values of types are equal to each other exactly."""
    name = (kind or "").partition("(")[0]
    if name.startswith("TIMESTAMP"):
        return "time"
    if name.endswith("INT") or name in ("INTEGER", "UINTEGER", "DECIMAL"):
        return "number"
    return "float" if name in ("FLOAT", "DOUBLE") else name


def _first_known(place: LabelSearch, view: FeatureView) -> None:
    """Make a table of when a feature view first knew each entity."""
    place.engine.execute("DROP TABLE IF EXISTS _first_known_of")
    rows = place.history(view)
    if view.known_at in rows.columns:
        refuse_other_types(rows, view.known_at, reader=place.training_set.id, source=view.id)
    history = view_of(rows)
    known = f"{identifier(view.known_at)}::TIMESTAMPTZ" if view.known_at else _KNOWN_AT
    entity = ", ".join(map(identifier, view.entity))
    shown = f"{_KNOWN_UNTIL} IS NULL OR {_KNOWN_UNTIL} > TIMESTAMPTZ {literal(place.as_of.isoformat())}"
    place.engine.execute(
        f"CREATE TEMP TABLE _first_known_of AS "
        f"SELECT {entity}, min({known}) AS __first_known, bool_or({shown}) AS __shown FROM {history} GROUP BY ALL"
    )


def _in_gold(place: LabelSearch, gold: Table) -> str:
    """SQL for the case that a label is about an entity of a gold set."""
    name = f"_gold_{place.training_set.gold.index(gold)}"
    if not place.batches[gold]:
        return ""
    rows = place.installation.lakehouse.relation(place.engine, store_of(gold), batch=place.batches[gold])
    shared = [column for column in place.training_set.entity if column in rows.columns]
    if not shared:
        raise UnknownNameError(
            f"column of the entity of {place.training_set.id} in its gold set {gold.id}",
            ", ".join(place.training_set.entity),
            rows.columns,
        )
    _check_keys(place, place.history(place.training_set.labels), gold, rows, shared)
    if SYNTHETIC in rows.columns:
        made = rows.filter(is_synthetic()).aggregate("_batch, count(*) AS made", "_batch").order("_batch").fetchall()
        for batch, number in made[:1]:
            rows_made = f"{number:,} synthetic {'row' if number == 1 else 'rows'}"
            raise DeclarationError(
                f"the gold set {gold.id} has {rows_made} in batch {batch}: what nobody observed judges no model",
                way_out=f"let its schema quarantine them, {SYNTHETIC}: pa.Field(isin=[False]), then replay it",
            )
    columns = ", ".join(map(identifier, shared))
    place.engine.execute(f"CREATE TEMP TABLE {name} AS SELECT DISTINCT {columns} FROM {view_of(rows)}")
    same = " AND ".join(f"g.{identifier(one)} = numbered.{identifier(one)}" for one in shared)
    where = _reason("excluded", f"its entity is in the gold set {gold.id}")
    return f"WHEN EXISTS (FROM {name} g WHERE {same}) THEN {where}\n"


def _newest_only(place: LabelSearch) -> str:
    """Of a table of which every delivery replaces the whole, the newest version alone has the labels."""
    table, batches = place.training_set.labels, place.batches[place.training_set.labels]
    return f"AND _batch = {literal(batches[-1])}" if store_of(table) != table.id else ""


def _holdout(place: LabelSearch) -> None:
    """Say of each label that is used whether it is held out."""
    holdout = place.training_set.holdout
    if holdout is None:
        held = "false"
    elif holdout.last_batches is not None:
        used = place.engine.sql(f"SELECT DISTINCT _batch FROM {LABELS} WHERE __status IS NULL").fetchall()
        newest = in_order(place.training_set.labels.batches, [batch for (batch,) in used])[-holdout.last_batches :]
        held = f"_batch IN ({', '.join(map(literal, newest))})" if newest else "false"
    else:
        parts = ", ".join(f"{identifier(one)}::VARCHAR" for one in place.training_set.entity)
        number = f"('0x' || substr(md5(concat_ws(chr(31), {parts})), 1, 15))::BIGINT"
        held = f"{number} < {int((holdout.share or 0) * _HASHED)}"
    split = (
        f"CASE WHEN {held} THEN {literal(TrainingSplit.HOLDOUT.value)} ELSE {literal(TrainingSplit.TRAIN.value)} END"
    )
    place.engine.execute(
        f"ALTER TABLE {LABELS} ADD COLUMN {SPLIT} VARCHAR; UPDATE {LABELS} SET {SPLIT} = {split} WHERE __status IS NULL"
    )


def _records_not_published(place: LabelSearch) -> Sequence[BatchRecord]:
    """The batches whose labels in quarantine, waiting or discarded, count: none that shows older rows.

    Of a table of which every delivery replaces the whole, the version that is published last and the newest: what
    others held was replaced.
    """
    table = place.training_set.labels
    records = [one for one in _records(place, table) if not (is_there(one) and one.state.keeps_older)]
    if store_of(table) == table.id:
        return records
    published = place.batches[table][-1]
    newest = in_order(table.batches, {published, *(one.ref.batch for one in records)})[-1]
    return [one for one in records if one.ref.batch in (published, newest)]


def _awaited(place: LabelSearch, not_published: Sequence[BatchRecord]) -> int:
    """How many entities the view that tells the labels' time knows without a label of theirs, published or not.

    In a source's quarantine a protected entity lies as it arrived, so that nobody can tell whose label waits there: it
    is counted among both.
    """
    wanted = place.training_set
    if not isinstance(wanted.at, FeatureView) or set(wanted.at.entity) != set(wanted.entity):
        return 0
    same = " AND ".join(f"f.{identifier(one)} = l.{identifier(one)}" for one in wanted.entity)
    gold = "".join(
        f" AND NOT EXISTS (FROM _gold_{number} g WHERE "
        + " AND ".join(f"g.{identifier(one)} = f.{identifier(one)}" for one in _shared(place, number))
        + ")"
        for number, table in enumerate(wanted.gold)
        if place.batches[table]
    )
    ((count,),) = place.engine.sql(
        f"SELECT count(*) FROM _first_known_of f WHERE __shown AND NOT EXISTS (FROM {LABELS} l WHERE {same}){gold}"
        f"{_and_not_in_quarantine(place, not_published)}"
    ).fetchall()
    return int(count)


def _and_not_in_quarantine(place: LabelSearch, records: Sequence[BatchRecord]) -> str:
    """SQL for an entity without a label in quarantine: that one is counted there."""
    wanted, lakehouse = place.training_set, place.installation.lakehouse
    batches = [one.ref.batch for one in records if one.counts.quarantined or one.counts.discarded]
    if not batches or not lakehouse.exists(wanted.labels.id.quarantine):
        return ""
    rows = lakehouse.relation(place.engine, wanted.labels.id.quarantine, batch=batches)
    if not {*wanted.entity} <= {*rows.columns}:
        return ""
    known = place.engine.sql("FROM _first_known_of")
    kinds = dict(zip(known.columns, map(str, known.types), strict=True))
    same = " AND ".join(f"TRY_CAST(q.{identifier(one)} AS {kinds[one]}) = f.{identifier(one)}" for one in wanted.entity)
    return f" AND NOT EXISTS (FROM {view_of(rows)} q WHERE {same})"


def _shared(place: LabelSearch, gold: int) -> Sequence[str]:
    return place.engine.sql(f"FROM _gold_{gold}").columns


def _records(place: LabelSearch, table: Table) -> Sequence[BatchRecord]:
    return [one for one in place.installation.ledger.batches(tables=[table.id]) if one.updated_at <= place.as_of]


def _reason(status: str, why: str) -> str:
    return f"{{'status': {literal(status)}, 'why': {literal(why)}}}"
