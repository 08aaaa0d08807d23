"""The features of one record, by the function that computes a batch's; and a comparison of the two."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.columns import PUBLISHED_COLUMNS
from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.decisions import decisions_about
from readiness_pipelines.delivery.classes import handling_rows
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.history import view_of
from readiness_pipelines.delivery.online.encoding import as_text, column_values
from readiness_pipelines.delivery.places import store_of
from readiness_pipelines.delivery.published import Published, without_moving
from readiness_pipelines.delivery.reading import errors_of_transform, input_relations, transformed, with_row_identity
from readiness_pipelines.delivery.transform_facts import transform_facts
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.gates import DuckDbEngine
from readiness_pipelines.installation import Installation
from readiness_pipelines.lakehouse import storage_schema
from readiness_pipelines.sql import identifier

ENTITIES = 20
"""Entities that are computed again one by one."""
_BATCH = "record"
_FINER = "TIMESTAMP_NS"

Relations = Mapping[str, duckdb.DuckDBPyRelation]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerRecord:
    """What a comparison of features per record with a batch's found.

    Attributes:
        batch: The batch; "" where none can be compared.
        entities: How many entities were computed again.
        different: Those for which other rows came out.
        why_not: Why nothing was compared; "" where something was.
    """

    batch: str
    entities: int
    different: int
    why_not: str = ""


def compute_features(
    installation: Installation, view: FeatureView, inputs: Mapping[str, Sequence[Mapping[str, Any]] | pa.Table]
) -> pa.Table:
    """Compute the features of one record, or of a few, by the function and the gate that batches are computed by.

    Args:
        installation: Where the keys of protections are, and what the last comparison with batches found.
        view: The view; it is declared with ``per_record=True``.
        inputs: The rows of the inputs, by the transform's parameters, as those tables publish them: of the entities
            alone, and of inputs that do not name the entity all that the transform needs.

    Returns:
        The rows that pass the view's gate, with its columns; rules over a whole batch are not looked at.

    Raises:
        DeclarationError: The view does not promise it, or a comparison with a batch showed that it does not hold.
        UnknownNameError: An input that is not given, or that the transform does not have.
        GateBuildError: The gate needs other tables, or a check raises.
    """
    if not view.per_record:
        raise DeclarationError(
            f"the features of {view.id} are computed by batch",
            way_out="declare per_record=True where an entity's features follow from its own rows alone",
        )
    state = installation.ledger.online_values.view(view.id)
    last = state.per_record if state is not None else None
    if last and last["different"] and last["code"] == transform_facts(view)["code"]:
        raise DeclarationError(
            f"the features of {view.id} are others per record than by batch: {last['different']} of "
            f"{last['entities']} entities differed",
            way_out=f"compute by entity alone, then: readiness features check {view.id}",
        )
    for name in {*inputs} ^ {*view.reads}:
        raise UnknownNameError(f"input of {view.id}", name, list(view.reads))
    with handling_rows(view), installation.engine(f"features of {view.id}") as engine:
        relations = {name: engine.from_arrow(_as_published(view, name, rows)) for name, rows in inputs.items()}
        return _computed(view, {name: relations[name] for name in view.reads}, engine, installation)


def _as_published(view: FeatureView, name: str, rows: Sequence[Mapping[str, Any]] | pa.Table) -> pa.Table:
    """Rows of an input with the columns and types that it publishes; what is not given is null."""
    schema = gate_of(view.reads[name].table).schema
    if isinstance(rows, pa.Table):
        rows = rows.to_pylist()
    more = sorted({column for row in rows for column in row} - set(schema.names))
    if more:
        raise UnknownNameError(f"column of {view.reads[name].table.id}", more[0], schema.names)
    numbered = [{"_batch": _BATCH, "_row": number, **row} for number, row in enumerate(rows)]
    try:
        return pa.Table.from_pylist(numbered, schema=schema)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise DeclarationError(
            f"rows of {view.reads[name].table.id} have values of another type: {type(error).__name__}",
            way_out="give the values that the table publishes: Gate.check_json(…).record has them",
        ) from None


def _computed(
    view: FeatureView, relations: Relations, engine: duckdb.DuckDBPyConnection, installation: Installation
) -> pa.Table:
    with errors_of_transform(view, _BATCH):
        rows = with_row_identity(transformed(view, relations, engine), view, batch=_BATCH, engine=engine)
    verdict = gate_of(view).of_slices().judge(rows, DuckDbEngine(engine), keys=installation.keys)
    shown: Any = verdict.published
    names = [name for name in shown.columns if name not in PUBLISHED_COLUMNS]
    kinds = dict(zip(shown.columns, map(str, shown.types), strict=True))
    # A table holds microseconds: DuckDB rounds finer times to them for a batch, and Arrow would refuse them.
    columns = [f"{identifier(n)}::TIMESTAMP AS {identifier(n)}" if kinds[n] == _FINER else identifier(n) for n in names]
    made: pa.Table = shown.project(", ".join(columns)).to_arrow_table()
    # As a batch's are read back: a table holds uint64 as decimals.
    return made.cast(storage_schema(made.schema))


def compare_per_record(view: FeatureView, *, installation: Installation, entities: int = ENTITIES) -> PerRecord:
    """Compute sampled entities of the newest batch one by one, and note whether each is as the batch published it.

    Raises:
        DeclarationError: The transform breaks on the rows of one entity.
        LakehouseError: A table cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    published = Published(installation.ledger)
    there = published.batches(view)
    batch = there[-1] if there else ""
    why_not = _why_not(view, batch, published, installation)
    if why_not:
        return PerRecord(batch="", entities=0, different=0, why_not=why_not)
    with handling_rows(view), installation.engine(f"features of {view.id}") as engine:
        inputs, _ = input_relations(view, batch=batch, installation=installation, engine=engine)
        by_entity = [name for name, one in inputs.items() if set(view.entity) <= set(one.columns)]
        if not by_entity:
            raise DeclarationError(
                f"no input of {view.id} has {', '.join(view.entity)}: nothing tells which rows are an entity's",
                way_out="drop per_record=True",
            )
        shown = installation.lakehouse.relation(engine, store_of(view), batch=batch)
        rows = view_of(shown)
        key = ", ".join(map(identifier, view.entity))
        drawn = engine.sql(f"FROM (SELECT DISTINCT {key} FROM {rows}) USING SAMPLE reservoir({entities} ROWS)")
        keys = drawn.to_arrow_table()
        different = 0
        for place in range(len(keys)):
            with _only(view, keys.slice(place, 1), engine) as same:
                mine = {
                    name: engine.sql(f"FROM {view_of(one)} r SEMI JOIN {same[0]} w ON {same[1]}")
                    if name in by_entity
                    else one
                    for name, one in inputs.items()
                }
                wanted = engine.sql(f"FROM {rows} r SEMI JOIN {same[0]} w ON {same[1]}").to_arrow_table()
                made = _computed(view, mine, engine, installation)
                different += _texts(made) != _texts(wanted.select(made.column_names))
    found = PerRecord(batch=batch, entities=len(keys), different=different)
    noted = {**asdict(found), "code": transform_facts(view)["code"]}
    installation.ledger.online_values.note_per_record(view.id, noted)
    return found


def _why_not(view: FeatureView, batch: str, published: Published, installation: Installation) -> str:
    if not batch:
        return "nothing is published"
    record = published.record(view.id, batch)
    inputs = published.inputs(view, batch)
    if record is None or inputs is None or without_moving(record.inputs) != without_moving(inputs):
        return "the newest batch was computed from other inputs"
    if decisions_about(installation.ledger, BatchRef(view.id, batch)):
        return "people decided about rows of the newest batch"
    return ""


@contextmanager
def _only(view: FeatureView, key: pa.Table, engine: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """A table with one key, and the condition that a row `r` is about it."""
    name = view_of(engine.from_arrow(key))
    yield name, " AND ".join(f"r.{identifier(one)} IS NOT DISTINCT FROM w.{identifier(one)}" for one in view.entity)
    engine.execute(f"DROP VIEW {name}")


def _texts(rows: pa.Table) -> list[str]:
    columns = [[value for chunk in rows[name].chunks for value in column_values(chunk)] for name in rows.column_names]
    return sorted(as_text(list(cells)) for cells in zip(*columns, strict=True))
