"""A domain's tables as assets: raw, gated, derived and KPIs."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

import dagster as dg

from readiness_pipelines.contracts import DerivedTable, Domain, GatedTable, Kpi, Read, Table, answers_for
from readiness_pipelines.delivery import Delivery, deliver, engine_of, gate_of, ingest, is_streamed, kpi_values
from readiness_pipelines.gates import Gate
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration.checks import check_results, check_specs, report_unplanned
from readiness_pipelines.orchestration.failures import as_failures
from readiness_pipelines.orchestration.held import refuse_held
from readiness_pipelines.orchestration.keys import AGAIN_TAG, WHO_TAG, asset_key, plain_name
from readiness_pipelines.orchestration.metadata import (
    column_schema,
    delivery_metadata,
    ingested_metadata,
    kpi_metadata,
    lineage_metadata,
    owners_of,
    promise_metadata,
    source_metadata,
    value_metadata,
    without_counts,
)
from readiness_pipelines.orchestration.newest import newest_metadata
from readiness_pipelines.orchestration.partitions import partition_mapping, partitions_of
from readiness_pipelines.orchestration.resources import INSTALLATION, installation_of


def domain_assets(domain: Domain) -> list[dg.AssetsDefinition]:
    """All assets of a domain, in the order rows flow.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
    """
    assets = []
    for table in domain.tables:
        if isinstance(table, GatedTable):
            assets.append(raw_asset(table))
        assets.append(table_asset(table))
    return assets


def raw_asset(table: GatedTable) -> dg.AssetsDefinition:
    """Ingests a source's batches as they come."""
    source = table.source

    @dg.asset(
        key=asset_key(table.id.raw),
        partitions_def=partitions_of(table),
        group_name=table.domain.name,
        description=f"Every row of {source.origin}, as it came, with where it came from.",
        owners=owners_of(answers_for(table)),
        tags={"readiness/step": "raw", "readiness/classification": source.classification.value},
        kinds={"iceberg", "python"},
        metadata={"dagster/table_name": str(table.id.raw), **source_metadata(source)},
        required_resource_keys={INSTALLATION},
        pool=plain_name(table.id.raw),
    )
    def raw(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with as_failures(table):
            ingested = ingest(
                table,
                batch=context.partition_key,
                installation=installation_of(context.resources),
                run=_run(context),
                # A topic is read once, by `readiness stream`.
                again=AGAIN_TAG in context.run.tags and not is_streamed(table),
            )
        return dg.MaterializeResult(metadata=ingested_metadata(ingested))

    return raw


def table_asset(table: Table) -> dg.AssetsDefinition:
    """Judges a table's batches, publishes what passes and keeps back what fails."""
    gate = gate_of(table)
    key = asset_key(table.id)

    @dg.multi_asset(
        name=key.to_python_identifier(),
        specs=[
            dg.AssetSpec(
                key=key,
                deps=_deps(table),
                group_name=table.domain.name,
                description=_description(table),
                owners=owners_of(answers_for(table)),
                tags={"readiness/step": _step(table)},
                kinds={"iceberg", engine_of(table, "duckdb"), "pandera"},
                code_version=gate.version,
                metadata={"dagster/table_name": str(table.id), **_table_metadata(table, gate)},
                skippable=True,
            )
        ],
        partitions_def=partitions_of(table),
        check_specs=check_specs(table, gate),
        can_subset=True,  # so that a run need not plan the checks: see `report_unplanned`
        required_resource_keys={INSTALLATION},
        pool=plain_name(table.id),
    )
    def published(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        installation = installation_of(context.resources)
        with as_failures(table):
            delivery = deliver(table, batch=context.partition_key, installation=installation, run=_run(context))
            metadata = _delivered_metadata(table, delivery, installation)
        metadata = {**metadata, **_lineage(table, delivery, installation, context)}
        yield from _events(context, table, delivery, metadata)

    return published


def _events(
    context: dg.AssetExecutionContext, table: Table, delivery: Delivery, metadata: Mapping[str, Any]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """What Dagster should know of a delivery.

    A published batch's checks come with its materialization: yielded before it, they would lose their partition. A
    batch of which nothing was published has no materialization: a failure that says why fails the partition.
    """
    key, results = asset_key(table.id), list(check_results(table, delivery))
    planned = {one.name for one in context.selected_asset_check_keys if one.asset_key == key}
    of_run = [result for result in results if result.check_name in planned]
    if delivery.state.visible:
        yield dg.MaterializeResult(asset_key=key, metadata=metadata, check_results=of_run)
    else:
        yield from of_run
    report_unplanned(context, table, [result for result in results if result.check_name not in planned])
    refuse_held(context, table, delivery)


def _lineage(
    table: Table, delivery: Delivery, installation: Installation, context: dg.AssetExecutionContext
) -> Mapping[str, Any]:
    """Where the columns come from; whatever goes wrong with that stops no delivery."""
    if not delivery.state.visible:
        return {}
    try:
        return lineage_metadata(table, delivery.columns, installation)
    except Exception as error:  # law 7: nothing that only watches can stop a delivery
        context.log.warning(f"the lineage of {table.id} is not shown: {type(error).__name__}")
        return {}


def _delivered_metadata(table: Table, delivery: Delivery, installation: Installation) -> Mapping[str, Any]:
    """What the asset's page shows, in its order: the newest batch first, then the one that ran."""
    metadata = newest_metadata(table, installation)
    if not isinstance(table, Kpi):
        return metadata | delivery_metadata(delivery, table)
    if delivery.state.visible:
        metadata |= value_metadata(table, kpi_values(table, installation=installation, batches=[delivery.ref.batch]))
    return metadata | without_counts(delivery_metadata(delivery, table))


def _deps(table: Table) -> list[dg.AssetDep]:
    """What a table is made of and compared with, and which partitions of it."""
    deps = []
    if isinstance(table, GatedTable):
        deps.append(dg.AssetDep(asset_key(table.id.raw), partition_mapping=dg.IdentityPartitionMapping()))
    # Dagster takes one dependency a table, however often it is read.
    reads: dict[TableId, list[Read]] = {}
    for read in (*table.reads.values(), *table.references.values()):
        reads.setdefault(read.table.id, []).append(read)
    deps += [
        dg.AssetDep(asset_key(name), partition_mapping=partition_mapping(of_table, table.batches))
        for name, of_table in reads.items()
    ]
    return deps


def _step(table: Table) -> str:
    match table:
        case GatedTable():
            return "gated"
        case DerivedTable():
            return "derived"
        case Kpi():
            return "kpi"
        case _:
            assert_never(table)


def _description(table: Table) -> str:
    if isinstance(table, Kpi) and table.description != table.question:
        return f"{table.question} {table.description}".strip()
    return table.description


def _table_metadata(table: Table, gate: Gate) -> Mapping[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/column_schema": column_schema(gate.schema, table),
        "readiness/gate_version": gate.version,
        "readiness/quarantine": str(table.id.quarantine),
        "readiness/who_answers": answers_for(table),
        **promise_metadata(table),
    }
    if isinstance(table, GatedTable):
        metadata |= source_metadata(table.source)
    if isinstance(table, Kpi):
        metadata |= kpi_metadata(table)
    return metadata


def _run(context: dg.AssetExecutionContext) -> Run:
    tags = context.run.tags
    return Run(run_id=context.run.run_id, who=tags.get(WHO_TAG) or tags.get("user") or "dagster")
