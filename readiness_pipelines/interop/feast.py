"""Feature views for Feast: a repository whose files give at each time what was known then.

Feast takes of an entity's rows the newest by event timestamp. So a row is written for each time at which something
else began to be known of an entity: what was known from then on, also where that is what was known before a row was
withdrawn; nulls, where nothing is left.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.delivery.history import history_of, view_of
from readiness_pipelines.delivery.online.columns import kept_features
from readiness_pipelines.delivery.online.keeping import history_facts
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.errors import DeclarationError, UpstreamNotPublishedError, first_line
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.products import AT, LABEL, Mode, join_features, visible_query
from readiness_pipelines.sql import identifier, literal

REPOSITORY = "feature_repo.py"
STORE = "feature_store.yaml"
EVENT, CREATED = "event_timestamp", "created_timestamp"

_ROWS_AT_ONCE = 100_000
_STORE_TEXT = """project: readiness
provider: local
registry: registry.db
online_store:
  type: sqlite
  path: online_store.db
entity_key_serialization_version: 3
"""


def export_to_feast(views: Sequence[FeatureView], folder: Path, *, installation: Installation) -> dict[str, Any]:
    """Write feature views as a Feast repository: `REPOSITORY`, `STORE`, and a Parquet file for each view.

    A column whose values must not be shown outside the lakehouse is written where a protection has changed them, and
    left out otherwise. What Feast has no type for is written as text: decimals, nested values.

    Args:
        views: The views.
        folder: Where to; made where it is not there.
        installation: Where the tables and the ledger are.

    Returns:
        The views by name: file, rows, and the columns that were left out, with their class.

    Raises:
        UpstreamNotPublishedError: Nothing of a view is published.
        GateBuildError: An entity whose values must not leave the lakehouse.
        DeclarationError: A folder that cannot be written to, or no views.
        LakehouseError: A history cannot be read.
    """
    if not views:
        raise DeclarationError("there are no feature views", way_out="declare one: @domain.features(entity=…)")
    written: dict[str, Any] = {}
    texts = [_HEAD]
    entities: dict[str, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for view in views:
            name = f"{view.id.domain}_{view.id.name}"
            rows, schema, left_out = _write(view, folder / f"{name}.parquet", installation)
            texts += _view_text(view, name, schema, entities)
            written[str(view.id)] = {"file": f"{name}.parquet", "rows": rows, "left_out": left_out}
        (folder / REPOSITORY).write_text("\n".join(texts), encoding="utf-8")
        if not (folder / STORE).exists():
            (folder / STORE).write_text(_STORE_TEXT, encoding="utf-8")
    except OSError as error:
        raise DeclarationError(
            f"{folder} cannot be written to: {first_line(error)}", way_out="name a folder that can be written to"
        ) from error
    return {"views": written}


_HEAD = '''"""What is known of each entity, and since when. Written by: readiness features export."""

from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

FOLDER = Path(__file__).parent
'''


def _write(view: FeatureView, file: Path, installation: Installation) -> tuple[int, pa.Schema, dict[str, str]]:
    order = tuple(Published(installation.ledger).batches(view))
    if not order:
        raise UpstreamNotPublishedError(
            f"nothing of {view.id} is published", way_out=f"readiness status {view.domain.name}"
        )
    with handling_rows(view), installation.engine(f"an export of {view.id}") as engine:
        history = history_of(view, order, installation=installation, engine=engine)
        names, left_out = kept_features(view, history.columns)
        if clash := [one for one in (*view.entity, *names) if one in (EVENT, CREATED)]:
            raise DeclarationError(
                f"{view.id} has a column {clash[0]}, which Feast's rows have, too", way_out="rename it in the transform"
            )
        rows, now = view_of(history), utc_now()
        facts = history_facts(view, names, order, rows, order=order)
        visible = visible_query(facts, mode=Mode.AS_KNOWN_THEN, as_of=now)
        entity = ", ".join(map(identifier, view.entity))
        named = " AND ".join(f"{identifier(one)} IS NOT NULL" for one in view.entity)
        engine.execute(
            f"""
            CREATE TEMP TABLE _changes AS
            WITH visible AS ({visible}), times AS (
                SELECT {entity}, __visible AS {AT} FROM visible UNION SELECT {entity}, __until FROM visible
            )
            SELECT row_number() OVER () AS {LABEL}, * FROM times
            WHERE {AT} IS NOT NULL AND isfinite({AT}) AND {AT} <= TIMESTAMPTZ {literal(now.isoformat())} AND {named}
            """
        )
        join_features(engine, "_changes", facts, mode=Mode.AS_KNOWN_THEN, as_of=now, name="_known")
        types = dict(zip(history.columns, map(str, history.types), strict=True))
        columns = [
            *(f"{_stored(f'c.{identifier(one)}', types[one])} AS {identifier(one)}" for one in view.entity),
            *(f"{_stored(f'k.{identifier(one)}', types[one])} AS {identifier(one)}" for one in names),
        ]
        made = engine.sql(
            f"SELECT {', '.join(columns)}, c.{AT} AS {EVENT}, c.{AT} AS {CREATED} "
            f"FROM _changes c JOIN _known k USING ({LABEL}) ORDER BY {AT}, {LABEL}"
        )
        schema = made.limit(0).to_arrow_table().schema
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for part in made.to_arrow_reader(_ROWS_AT_ONCE):
                writer.write_batch(part)
        ((count,),) = engine.sql("SELECT count(*) FROM _changes").fetchall()
    return int(count), schema, left_out


_AS_THEY_ARE = ("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "VARCHAR", "BLOB")


def _stored(column: str, kind: str) -> str:
    """SQL for a column in a type that Feast has."""
    if kind in ("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT"):
        return f"{column}::INTEGER"
    if kind == "UINTEGER":
        return f"{column}::BIGINT"
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"{column}::TIMESTAMPTZ"
    return column if kind in _AS_THEY_ARE else f"{column}::VARCHAR"


def _view_text(view: FeatureView, name: str, schema: pa.Schema, entities: dict[str, str]) -> list[str]:
    lines = []
    variables = []
    for column in view.entity:
        kind = _type(schema.field(column).type)
        entity = column if entities.get(column, kind) == kind else f"{name}_{column}"
        if entity not in entities:
            entities[entity] = kind
            named = f"name={entity!r}, join_keys=[{column!r}], value_type=ValueType.{_VALUE[kind]}"
            lines.append(f"ENTITY_{len(entities)} = Entity({named})")
        variables.append(f"ENTITY_{list(entities).index(entity) + 1}")
    source = f"SOURCE_{name.upper()}"
    fields = [
        f"        Field(name={column.name!r}, dtype={_type(column.type)}),"
        for column in schema
        if column.name not in (*view.entity, EVENT, CREATED)
    ]
    ttl = f"timedelta(seconds={view.ttl.total_seconds()!r})" if view.ttl else "timedelta(0)"
    return [
        *lines,
        f"""
{source} = FileSource(
    name={f"{name}_source"!r},
    path=str(FOLDER / {f"{name}.parquet"!r}),
    timestamp_field={EVENT!r},
    created_timestamp_column={CREATED!r},
)
{name.upper()} = FeatureView(
    name={name!r},
    entities=[{", ".join(variables)}],
    ttl={ttl},
    schema=[""",
        *fields,
        f"""    ],
    source={source},
    online=True,
    description={view.description!r},
    tags={{"table": {str(view.id)!r}, "version": {view.version!r}}},
    owner={view.domain.owner!r},
)
""",
    ]


def _type(kind: pa.DataType) -> str:
    tests = {
        "Bool": pa.types.is_boolean,
        "Int32": pa.types.is_int32,
        "Int64": pa.types.is_int64,
        "Float32": pa.types.is_float32,
        "Float64": pa.types.is_float64,
        "Bytes": pa.types.is_binary,
        "UnixTimestamp": pa.types.is_timestamp,
    }
    return next((name for name, is_one in tests.items() if is_one(kind)), "String")


_VALUE = {
    "Bool": "BOOL",
    "Int32": "INT32",
    "Int64": "INT64",
    "Float32": "FLOAT",
    "Float64": "DOUBLE",
    "Bytes": "BYTES",
    "UnixTimestamp": "UNIX_TIMESTAMP",
    "String": "STRING",
}
