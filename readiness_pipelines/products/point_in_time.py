"""Features as they were known at a label's time: of each entity's rows the newest that was known, and nothing later.

A row is visible from the time at which it was known, and not before what it tells had happened; until it was replaced
or withdrawn. Of the visible rows of an entity the newest counts: by its event time, then by when it was known, by its
batch, and by its place in that. Rows that come late and tell of something older than what was known already change
nothing: they are left out before the join, which is then one ``ASOF`` over what is left. Only where the row found was
withdrawn by the label's time, all rows of the entity are looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import duckdb

from readiness_pipelines.columns import KNOWN_COLUMNS
from readiness_pipelines.sql import identifier, literal

_KNOWN_AT, _KNOWN_UNTIL = KNOWN_COLUMNS.names
LABEL = "__label"
"""The column of labels that tells them apart."""
AT = "__at"
"""The column of labels with their time."""


class Mode(StrEnum):
    """Which values of features a label sees.

    ``AS_KNOWN_THEN``: those that were published at its time, also where they were corrected since: what a model would
    have been given. ``AS_CORRECTED``: those of today, of the rows that were known at its time in whatever version.
    """

    AS_KNOWN_THEN = "as_known_then"
    AS_CORRECTED = "as_corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureHistory:
    """A feature view's history, and how it is read.

    Attributes:
        rows: The name of a table in DuckDB: the rows, with ``_batch``, ``_row``, ``_known_at`` and ``_known_until``.
        entity: The columns that say whom a row is about.
        columns: The features, by the names they are given.
        event_time: The column that says when what a row tells happened; ``None`` where a later batch is newer.
        known_at: The column that says since when a row was known; ``None`` for when it was published.
        batches: The batches, from old to new.
    """

    rows: str
    entity: tuple[str, ...]
    columns: Mapping[str, str]
    event_time: str | None
    known_at: str | None
    batches: Sequence[str]


def visible_query(facts: FeatureHistory, *, mode: Mode, as_of: datetime) -> str:
    """SQL for a history's rows, and when they were visible: ``__visible``, ``__until``, and ``__rank`` by newness."""
    entity = ", ".join(map(identifier, facts.entity))
    timed, visible, among = _timed(facts, mode=mode, as_of=as_of)
    names = ", ".join(map(identifier, dict.fromkeys((*facts.entity, *facts.columns))))
    return f"""
        WITH timed AS ({timed})
        SELECT {names}, {visible} AS __visible, __until,
            row_number() OVER (PARTITION BY {entity} ORDER BY __event, {_KNOWN_AT}, __order, _row) AS __rank
        FROM timed
        WHERE {among} AND __event IS NOT NULL AND __known IS NOT NULL
    """


def latest_query(facts: FeatureHistory, *, as_of: datetime) -> str:
    """SQL for the newest row of each entity that was visible at a time, as a label at that time would be given it.

    Beside the entity's columns and the features: ``_batch``, ``_row``, and as microseconds since 1970 ``__event_us``,
    null where the view has no event time, ``__published_us`` and ``__known_us``. Rows without an entity have none.
    """
    entity = ", ".join(map(identifier, facts.entity))
    named = " AND ".join(f"{identifier(one)} IS NOT NULL" for one in facts.entity)
    event = _micros("__event") if facts.event_time else "NULL::BIGINT"
    return f"""
        WITH visible AS ({_still_visible(facts, as_of)})
        SELECT {", ".join(map(identifier, dict.fromkeys((*facts.entity, *facts.columns))))}, _batch, _row,
            {event} AS __event_us, {_micros(_KNOWN_AT)} AS __published_us, {_micros("__known")} AS __known_us
        FROM visible
        WHERE __visible <= {_moment(as_of)} AND {named}
        QUALIFY row_number() OVER (
            PARTITION BY {entity} ORDER BY __event DESC, {_KNOWN_AT} DESC, __order DESC, _row DESC
        ) = 1
    """


def next_query(facts: FeatureHistory, *, as_of: datetime) -> str:
    """SQL for when the first row becomes visible that was not yet at a time, as microseconds; null where none does."""
    return f"""
        WITH visible AS ({_still_visible(facts, as_of)})
        SELECT min({_micros("__visible")}) FROM visible WHERE __visible > {_moment(as_of)} AND isfinite(__visible)
    """


def _still_visible(facts: FeatureHistory, as_of: datetime) -> str:
    timed, visible, _ = _timed(facts, mode=Mode.AS_KNOWN_THEN, as_of=as_of)
    return f"""
        SELECT *, {visible} AS __visible FROM ({timed})
        WHERE __event IS NOT NULL AND __known IS NOT NULL AND (__until IS NULL OR __until > {_moment(as_of)})
    """


def _micros(column: str) -> str:
    return f"CASE WHEN isfinite({column}) THEN epoch_us({column}) ELSE -9223372036854775807 END"


def _timed(facts: FeatureHistory, *, mode: Mode, as_of: datetime) -> tuple[str, str, str]:
    """SQL for the rows with their times, for when each is visible, and for which of them count."""
    entity = ", ".join(map(identifier, facts.entity))
    order = _order(facts.batches)
    event = f"{identifier(facts.event_time)}::TIMESTAMPTZ" if facts.event_time else order
    moment = _moment(as_of)
    first = f"min({_KNOWN_AT}) OVER (PARTITION BY {entity}, _batch, {event})"
    declared = f"{identifier(facts.known_at)}::TIMESTAMPTZ" if facts.known_at else None
    match mode:
        case Mode.AS_KNOWN_THEN:
            # What was corrected was known as declared, and the correction since its commit.
            known = (
                f"CASE WHEN {_KNOWN_AT} > {first} AND {_KNOWN_AT} > {declared} THEN {_KNOWN_AT} ELSE {declared} END"
                if declared
                else _KNOWN_AT
            )
            until, among = _KNOWN_UNTIL, "true"
        case Mode.AS_CORRECTED:
            known, until = declared or first, "NULL::TIMESTAMPTZ"
            among = f"({_KNOWN_UNTIL} IS NULL OR {_KNOWN_UNTIL} > {moment})"
    visible = "CASE WHEN __event > __known THEN __event ELSE __known END" if facts.event_time else "__known"
    rows = (
        f"SELECT *, {event} AS __event, {known} AS __known, {until} AS __until, {order} AS __order "
        f"FROM {facts.rows} WHERE {_KNOWN_AT} <= {moment}"
    )
    return rows, visible, among


def join_features(
    engine: duckdb.DuckDBPyConnection, labels: str, facts: FeatureHistory, *, mode: Mode, as_of: datetime, name: str
) -> None:
    """Make a table of the features of each label: `LABEL` and the features; nulls where nothing was known.

    Args:
        engine: Where the tables are.
        labels: The name of the table of labels, with `LABEL`, `AT` and the entity's columns.
        facts: The feature view.
        mode: Which values.
        as_of: What was published later is not looked at.
        name: What the table is called.
    """
    entity = ", ".join(map(identifier, facts.entity))
    same = " AND ".join(f"l.{identifier(one)} = v.{identifier(one)}" for one in facts.entity)
    features = "".join(f", v.{identifier(one)} AS {identifier(shown)}" for one, shown in facts.columns.items())
    engine.execute(f"CREATE TEMP TABLE _visible_rows AS {visible_query(facts, mode=mode, as_of=as_of)}")
    try:
        engine.execute(
            f"""
            CREATE TEMP TABLE _newest AS
            SELECT l.{LABEL}, {", ".join(f"l.{identifier(one)}" for one in facts.entity)}, l.{AT}, v.__rank, v.__until
            FROM {labels} l ASOF LEFT JOIN (
                SELECT {entity}, __visible, __until, __rank FROM _visible_rows
                QUALIFY __rank = max(__rank) OVER (
                    PARTITION BY {entity} ORDER BY __visible RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                )
            ) v ON {same} AND l.{AT} >= v.__visible
            """
        )
        engine.execute(
            f"""
            CREATE TEMP TABLE {name} AS
            WITH withdrawn AS (
                SELECT l.{LABEL}, max(v.__rank) AS __rank
                FROM _newest l JOIN _visible_rows v
                    ON {same} AND v.__visible <= l.{AT} AND (v.__until IS NULL OR v.__until > l.{AT})
                WHERE l.__until <= l.{AT}
                GROUP BY l.{LABEL}
            ), chosen AS (
                SELECT l.* REPLACE (CASE WHEN l.__until <= l.{AT} THEN w.__rank ELSE l.__rank END AS __rank)
                FROM _newest l LEFT JOIN withdrawn w ON l.{LABEL} = w.{LABEL}
            )
            SELECT l.{LABEL}{features}
            FROM chosen l LEFT JOIN _visible_rows v ON {same} AND l.__rank = v.__rank
            """
        )
    finally:
        engine.execute("DROP TABLE IF EXISTS _newest; DROP TABLE IF EXISTS _visible_rows")


def _order(batches: Sequence[str]) -> str:
    """SQL for the place of a row's batch among all."""
    if not batches:
        return "0"
    return f"list_position([{', '.join(map(literal, batches))}], _batch)"


def _moment(at: datetime) -> str:
    return f"TIMESTAMPTZ {literal(at.isoformat())}"
