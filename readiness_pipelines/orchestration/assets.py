"""A path's steps as assets: raw, gated, derived, KPI."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from readiness_pipelines.contracts import DataPath, DerivedTable, ExistsIn, GatedTable
from readiness_pipelines.delivery import (
    Delivery,
    deliver,
    engine_of,
    gate_of,
    ingest,
    kpi_table,
    measure,
    published_table,
    quarantine_table,
    raw_table,
)
from readiness_pipelines.gates import Gate
from readiness_pipelines.installation import Run
from readiness_pipelines.ledger import BatchState
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration.checks import check_results, check_specs
from readiness_pipelines.orchestration.failures import as_failures
from readiness_pipelines.orchestration.keys import WHO_TAG, asset_key
from readiness_pipelines.orchestration.metadata import (
    column_schema,
    delivery_metadata,
    ingested_metadata,
    measured_metadata,
    owners_of,
    promise_metadata,
    source_metadata,
)
from readiness_pipelines.orchestration.partitions import partitions_of
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of

Gated = GatedTable | DerivedTable


def path_assets(path: DataPath) -> list[dg.AssetsDefinition]:
    """All assets of a path, in the order rows flow.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
    """
    assets = []
    for table in path.tables:
        if isinstance(table, GatedTable):
            assets.append(raw_asset(path, table))
        assets.append(gated_asset(path, table))
    if path.kpi_measure is not None:
        assets.append(kpi_asset(path))
    return assets


def raw_asset(path: DataPath, table: GatedTable) -> dg.AssetsDefinition:
    """Ingests a source's batches as they come."""
    source = table.source

    @dg.asset(
        key=asset_key(raw_table(table)),
        partitions_def=partitions_of(path.batches),
        group_name=path.name,
        description=f"Every row of {source.origin}, as it came, with the file and the place it came from.",
        owners=owners_of(str(source.steward)),
        tags={"readiness/step": "raw", "readiness/classification": source.classification.value},
        kinds={"iceberg", "python"},
        metadata={"dagster/table_name": str(raw_table(table)), **source_metadata(source)},
        required_resource_keys={INSTALLATION},
        pool=str(raw_table(table)).replace(".", "_"),
    )
    def raw(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with as_failures():
            ingested = ingest(
                path,
                table,
                batch=context.partition_key,
                installation=installation_of(context.resources),
                run=_run(context),
            )
        return dg.MaterializeResult(metadata=ingested_metadata(ingested))

    return raw


def gated_asset(path: DataPath, table: Gated) -> dg.AssetsDefinition:
    """Judges a table's batches, publishes what passes and keeps back what fails."""
    gate = gate_of(path, table)
    name = published_table(path, table)
    key = asset_key(name)
    partitions = partitions_of(path.batches)

    @dg.asset(
        key=key,
        deps=[asset_key(input_table) for input_table in _inputs(path, table)],
        partitions_def=partitions,
        group_name=path.name,
        description=table.description,
        owners=owners_of(*_answering(path, table)),
        tags={"readiness/step": "gated" if isinstance(table, GatedTable) else "derived"},
        kinds={"iceberg", engine_of(path, table, "duckdb"), "pandera"},
        code_version=gate.version,
        metadata={"dagster/table_name": str(name), **_table_metadata(path, table, gate)},
        check_specs=check_specs(key, gate, partitions),
        output_required=False,
        required_resource_keys={INSTALLATION},
        pool=str(name).replace(".", "_"),
    )
    def gated(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with as_failures():
            delivery = deliver(
                path,
                table,
                batch=context.partition_key,
                installation=installation_of(context.resources),
                run=_run(context),
            )
        yield from _events(path, table, key, delivery)

    return gated


def kpi_asset(path: DataPath) -> dg.AssetsDefinition:
    """Computes the path's KPI for each batch."""
    step = path.kpi_measure
    if step is None:
        raise ValueError(f"path {path.name} has no measure")
    kpi = path.kpi

    @dg.asset(
        key=asset_key(kpi_table(path)),
        deps=[asset_key(published_table(path, path.table(name))) for name in step.inputs],
        partitions_def=partitions_of(path.batches),
        group_name=path.name,
        description=f"{kpi.question} {step.description}".strip(),
        owners=owners_of(kpi.owner),
        tags={"readiness/step": "kpi"},
        kinds={"iceberg", "duckdb"},
        metadata={
            "dagster/table_name": str(kpi_table(path)),
            "readiness/unit": kpi.unit,
            "readiness/target": str(kpi.target) if kpi.target else "none",
            "readiness/owner": kpi.owner,
        },
        required_resource_keys={INSTALLATION},
        pool=str(kpi_table(path)).replace(".", "_"),
    )
    def measured_kpi(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with as_failures():
            measured = measure(
                path, batch=context.partition_key, installation=installation_of(context.resources), run=_run(context)
            )
        return dg.MaterializeResult(metadata=measured_metadata(measured, unit=kpi.unit))

    return measured_kpi


def _events(
    path: DataPath, table: Gated, key: dg.AssetKey, delivery: Delivery
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """What Dagster should know of a delivery.

    A published batch's checks ride on its materialization: yielded before it, they would lose their partition. A batch
    of which nothing was published has no materialization: its failing blocking check fails the partition.
    """
    steward = ", ".join(_answering(path, table))
    results = list(check_results(key, path, delivery, quarantine=str(quarantine_table(table)), steward=steward))
    if delivery.state in (BatchState.PUBLISHED, BatchState.PARTLY_PUBLISHED):
        yield dg.MaterializeResult(asset_key=key, metadata=delivery_metadata(delivery), check_results=results)
    else:
        yield from results


def _inputs(path: DataPath, table: Gated) -> list[TableId]:
    referenced = [rule.table for rule in table.gating.rules if isinstance(rule, ExistsIn)]
    others = [published_table(path, path.table(name)) for name in referenced]
    if isinstance(table, GatedTable):
        return [raw_table(table), *others]
    inputs = [published_table(path, path.table(name)) for name in table.inputs]
    return list(dict.fromkeys([*inputs, *others]))


def _answering(path: DataPath, table: Gated) -> list[str]:
    """The stewards of the sources that a table comes from."""
    if isinstance(table, GatedTable):
        return [str(table.source.steward)]
    inherited = [who for name in table.inputs for who in _answering(path, path.table(name))]
    return list(dict.fromkeys(inherited))


def _table_metadata(path: DataPath, table: Gated, gate: Gate) -> Mapping[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/column_schema": column_schema(gate.schema),
        "readiness/gate_version": gate.version,
        "readiness/quarantine": str(quarantine_table(table)),
    }
    if isinstance(table, GatedTable):
        metadata |= {**source_metadata(table.source), **promise_metadata(path, table)}
    return metadata


def _run(context: dg.AssetExecutionContext) -> Run:
    tags = context.run.tags
    return Run(run_id=context.run.run_id, who=tags.get(WHO_TAG) or tags.get("user") or "dagster")
