"""One prediction, by where it comes from: model, training set, batches, files, stewards. No value is shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Origin, Table
from readiness_pipelines.contracts.models import model_scoring
from readiness_pipelines.delivery import store_of
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, ModelVersion
from readiness_pipelines.lineage import RowCustody, made_of, row_custody
from readiness_pipelines.models.superseded import SupersededBatch, changes_under, used_batches
from readiness_pipelines.names import TableId

_ID = re.compile(r"(?P<table>[^\[\]/]+)[\[/](?P<batch>[^\[\]/]+)\]?/(?P<row>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedFrom:
    """A batch that a model learned from, back to what arrived.

    Attributes:
        ref: The batch.
        snapshot: The snapshot by which it was read.
        gate: The version of the gate that judged it.
        decisions: The numbers of the decisions that were in force.
        origins: The files, queries or calls that its rows came from.
        stewards: Who answers for these sources.
    """

    ref: BatchRef
    snapshot: int
    gate: str
    decisions: tuple[int, ...]
    origins: tuple[Origin, ...]
    stewards: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPrediction:
    """Where a prediction comes from.

    Attributes:
        id: The prediction: ``domain.table/batch/row``.
        role: Whether the champion or the canary predicted.
        version: The version of the model.
        custody: The row that was scored: its file, gate and decisions.
        learned_from: The batches that the version learned from.
        changed: Those of them that are others now.
    """

    id: str
    role: str
    version: ModelVersion
    custody: RowCustody
    learned_from: tuple[LearnedFrom, ...]
    changed: tuple[SupersededBatch, ...]


def explain_prediction(
    prediction: str, *, tables: Mapping[TableId, Table], installation: Installation
) -> ExplainedPrediction:
    """Say where a prediction comes from.

    Args:
        prediction: Its id, ``domain.table/batch/row``: a scored table, the batch, and the row's ``_row``.
        tables: All declared tables.
        installation: Where the tables and the ledger are.

    Raises:
        DeclarationError: Not an id, or a table that is not scored.
        UnknownNameError: No such table, batch or row.
        LakehouseError: A table cannot be read.
    """
    match = _ID.fullmatch(prediction)
    if match is None:
        raise DeclarationError(f"{prediction!r} is not a prediction", way_out="write domain.table/batch/row")
    ident, batch, row = TableId.parse(match["table"]), match["batch"], int(match["row"])
    if ident not in tables:
        raise UnknownNameError("table", str(ident), map(str, tables))
    table = tables[ident]
    model = model_scoring(table)
    if model is None:
        raise DeclarationError(f"{ident} is not scored by a model", way_out="name a table of domain.scored(…)")
    with installation.engine(f"prediction {prediction}") as engine:
        rows = installation.lakehouse.relation(engine, store_of(table), batch=batch).filter(f"_row = {row}")
        if "model_version" not in rows.columns:
            raise DeclarationError(
                f"no batch of {ident} says which version predicted it: its schema did not keep model_version",
                way_out=f"add what docs/models.md has to the schema, then: readiness plan {ident}",
            )
        found = rows.project("model_version, model_role").fetchall()
    custody = row_custody(table, batch=batch, row=row, tables=tuple(tables.values()), installation=installation)
    if not found:
        raise DeclarationError(f"{prediction} is {custody.place.value}: nobody predicted it", way_out="name another")
    version = installation.ledger.models.get(model.serving.id, int(found[0][0]))
    return ExplainedPrediction(
        id=f"{ident}/{batch}/{row}",
        role=str(found[0][1]),
        version=version,
        custody=custody,
        learned_from=learned_from(version, tables=tables, installation=installation),
        changed=changes_under(version, installation=installation),
    )


def learned_from(
    version: ModelVersion, *, tables: Mapping[TableId, Table], installation: Installation
) -> tuple[LearnedFrom, ...]:
    """The batches that a version learned from, with the files they came from and who answers for those.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    records = {record.ref: record for record in installation.ledger.batches()}
    inputs = {ref: record.inputs for ref, record in records.items()}
    sources = {table.id.raw: table for table in tables.values() if isinstance(table, GatedTable)}
    found = []
    for ref, then in used_batches(version):
        start = [ref, *([BatchRef(ref.table.raw, ref.batch)] if ref.table.raw in sources else [])]
        raws = sorted(one for one in made_of(start, inputs) if one.table.is_raw and one in records)
        found.append(
            LearnedFrom(
                ref=ref,
                snapshot=int(then["snapshot"]),
                gate=str(then["gate"]),
                decisions=tuple(then["decisions"]),
                origins=tuple(_origins(raws, records)),
                stewards=tuple(
                    dict.fromkeys(str(sources[one.table].source.steward) for one in raws if one.table in sources)
                ),
            )
        )
    return tuple(found)


def _origins(raws: Sequence[BatchRef], records: Mapping[BatchRef, BatchRecord]) -> list[Origin]:
    return [origin for ref in raws for origin in records[ref].origins]
