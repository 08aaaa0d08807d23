"""OpenLineage events of deliveries: a START when one begins, a COMPLETE or a FAIL of what the trail says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import duckdb

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Domain, GatedTable, Kpi, Table, answers_for
from readiness_pipelines.delivery import gate_of, store_of
from readiness_pipelines.delivery.classes import class_of, classes_of
from readiness_pipelines.domains import tables_of
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.gates import Rule
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import ALL_BATCHES, Attempt, BatchRecord, TrailEntry
from readiness_pipelines.ledger.attempts import SUPERSEDED
from readiness_pipelines.ledger.trail import FAILED
from readiness_pipelines.lineage import known_lineage
from readiness_pipelines.names import TableId
from readiness_pipelines.observability import BatchProfile, redact_profile
from readiness_pipelines.openlineage.facets import (
    PRODUCER,
    SPEC,
    Json,
    column_lineage_facet,
    documentation_facet,
    facet,
    own_facet,
    ownership_facet,
    parent_facet,
    schema_facet,
    statistics_facet,
    tags_facet,
    time_text,
)
from readiness_pipelines.openlineage.metrics import metrics_facet

_MANY = 50
"""Records of more batches are read together with the others of their table."""

_CLEARED = ("published", "empty", "withdrawn", "discarded")
"""After these a table has what was delivered, though that may be no row; a held batch leaves what was there."""

_NO_ENTRY = 0
"""The number of no entry of the trail: what is not in it, or not yet."""

_RUNS = uuid5(NAMESPACE_URL, "urn:readiness-pipelines:runs")


def run_uuid(name: str) -> str:
    """The id of a run or delivery as a UUID: its own where it is one, else always the same for the same name."""
    try:
        return str(UUID(name))
    except ValueError:
        return str(uuid5(_RUNS, name))


class EventMaker:
    """Makes the events of entries of the trail; of the same entry the same ones, as long as the batch stays as it is.

    What is kept only of a batch's last delivery (its columns, inputs, metrics) is in the events of that delivery; an
    older one that is sent later has what the trail says of it, and the inputs that are declared.

    Args:
        domains: The domains in the code; of a table that is none of theirs, only names are known.
        installation: Where the ledger and the tables are.
        namespace: The namespace of jobs and tables.
    """

    def __init__(self, domains: Sequence[Domain], *, installation: Installation, namespace: str) -> None:
        self._tables = tables_of(domains)
        self._installation = installation
        self._namespace = namespace

    def events(self, entry: TrailEntry, *, begun_at: datetime | None) -> tuple[Json, ...]:
        """The events of an entry of the trail: two for a delivery, none for anything else.

        Args:
            entry: The entry.
            begun_at: When the delivery began; ``None`` where that is not kept any more.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        if entry.attempt is None:
            return ()
        made = _Delivery(entry, self._of(entry.ref.table), self._installation, self._namespace)
        named = {"job": made.job(), "inputs": made.named_inputs(), "outputs": []}
        start = _event("START", begun_at or entry.at, {**named, "run": made.run(begun=True)})
        end: Json = {**named, "run": made.run(begun=False)}
        if entry.what == FAILED:
            return start, _event("FAIL", entry.at, end)
        return start, _event("COMPLETE", entry.at, {**end, "inputs": made.inputs(), "outputs": made.outputs()})

    def started(self, attempt: Attempt) -> Json:
        """The beginning of a delivery that is not in the trail yet.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        return _event("START", attempt.begun_at, self._alone(attempt, begun=True))

    def superseded(self, attempt: Attempt, *, at: datetime) -> Json:
        """The end of a delivery that another one of its batch superseded: it was killed, or gave way.

        Args:
            attempt: The delivery.
            at: When that was, in UTC.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        return _event("FAIL", at, self._alone(attempt, begun=False))

    def _alone(self, attempt: Attempt, *, begun: bool) -> Json:
        entry = TrailEntry(
            id=_NO_ENTRY,
            ref=attempt.ref,
            at=attempt.begun_at,
            what=FAILED,
            who=attempt.who,
            why=None if begun else SUPERSEDED,
            run_id=attempt.run_id,
            attempt=attempt.attempt,
            details={},
        )
        made = _Delivery(entry, self._of(attempt.ref.table), self._installation, self._namespace)
        return {"job": made.job(), "inputs": made.named_inputs(), "outputs": [], "run": made.run(begun=begun)}

    def _of(self, ident: TableId) -> Table | None:
        own = TableId(ident.domain.removesuffix("_raw"), ident.name) if ident.is_raw else ident
        table = self._tables.get(own)
        try:
            if table is not None:
                gate_of(table)
        except ReadinessError:
            return None  # its declaration is broken: of what was delivered before, names are still known
        return table


def _event(kind: str, at: datetime, content: Json) -> Json:
    schema = f"{SPEC}#/$defs/RunEvent"
    return {"eventType": kind, "eventTime": time_text(at), "producer": PRODUCER, "schemaURL": schema, **content}


class _Delivery:
    """One delivery that ended, and all that is known of it."""

    def __init__(self, entry: TrailEntry, table: Table | None, installation: Installation, namespace: str) -> None:
        self._entry = entry
        self._table = table
        self._installation = installation
        self._namespace = namespace

    @cached_property
    def _record(self) -> BatchRecord | None:
        """Where the batch stands, as long as this is its last delivery."""
        found = self._installation.ledger.get(self._entry.ref)
        return found if found is not None and found.attempt == self._entry.attempt else None

    @cached_property
    def _is_raw(self) -> bool:
        return self._entry.ref.table.is_raw

    @property
    def _counts(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self._entry.details.get("counts", {})
        return found

    def run(self, *, begun: bool) -> Json:
        """The run: a delivery, as part of what an orchestrator or a command ran."""
        entry = self._entry
        facets: Json = {"readiness_batch": own_facet(**self._batch_facts(begun=begun))}
        if entry.run_id:
            domain = entry.ref.table.domain.removesuffix("_raw")
            facets["parent"] = parent_facet(run_uuid(entry.run_id), self._namespace, domain)
        window = self._table.batches.window(entry.ref.batch) if self._table is not None else None
        if window is not None:
            times = {"nominalStartTime": time_text(window.start), "nominalEndTime": time_text(window.end)}
            facets["nominalTime"] = facet("1-0-1/NominalTimeRunFacet", **times)
        if not begun:
            engine = {"name": "DuckDB", "version": duckdb.__version__}
            facets["processing_engine"] = facet("1-1-1/ProcessingEngineRunFacet", **engine)
        if not begun and entry.what == FAILED:
            # The trail keeps errors without values that may not leave the lakehouse.
            message = {"message": entry.why or "it broke", "programmingLanguage": "python"}
            facets["errorMessage"] = facet("1-0-1/ErrorMessageRunFacet", **message)
        return {"runId": run_uuid(entry.attempt or ""), "facets": facets}

    def _batch_facts(self, *, begun: bool) -> Json:
        entry = self._entry
        known: Json = {"entry": entry.id or None, "table": str(entry.ref.table), "batch": entry.ref.batch}
        if begun:
            return known
        gate = self._record.gate_version if self._record else None
        return {**known, "state": entry.what, "rows": dict(self._counts) or None, "reason": entry.why, "gate": gate}

    def job(self) -> Json:
        """The job: what brings a table's batches."""
        table, ident = self._table, self._entry.ref.table
        facets: Json = {
            "jobType": facet(
                "2-0-4/JobTypeJobFacet", processingType="BATCH", integration="READINESS", jobType=self._kind
            )
        }
        if table is not None:
            facets["ownership"] = ownership_facet(_owners(table), job=True)
            if words := self._words:
                facets["documentation"] = documentation_facet(words, job=True)
        return {"namespace": self._namespace, "name": str(ident), "facets": facets}

    @property
    def _kind(self) -> str:
        if self._is_raw:
            return "INGEST"
        return {GatedTable: "GATE", Kpi: "KPI"}.get(type(self._table), "TRANSFORM") if self._table else "TABLE"

    @property
    def _words(self) -> str:
        table = self._table
        if isinstance(table, GatedTable) and self._is_raw:
            return f"Every row of {table.source.origin}, as it came"
        if isinstance(table, Kpi):
            return table.question
        return table.description if table is not None else ""

    def _dataset(self, ident: TableId | str) -> Json:
        return {"namespace": self._namespace, "name": str(ident)}

    def named_inputs(self) -> list[Json]:
        """The inputs by their names alone."""
        return [self._dataset(name) for name in self._input_names()]

    def _input_names(self) -> list[str]:
        table = self._table
        if self._record is not None and self._record.inputs:
            # What the ranges of earlier batches are called is no table.
            return [str(ident) for ident in self._record.inputs if ident != self._entry.ref.table.profiles]
        if table is None:
            return []
        if self._is_raw:
            return [f"{table.id} (source)"]
        if isinstance(table, GatedTable):
            return [str(table.id.raw)]
        return list(dict.fromkeys(str(read.table.id) for read in table.reads.values()))

    def inputs(self) -> list[Json]:
        """The inputs, with the versions that were read, how much of each, and what its rows were judged by."""
        if self._is_raw:
            return list(self._source())
        recorded = self._record.inputs if self._record is not None else {}
        found = []
        for name in self._input_names():
            ident = TableId.parse(name)
            given: Json = {**self._dataset(name), "facets": {}, "inputFacets": {}}
            snapshots = recorded.get(ident, {})
            batches = {batch for batch in snapshots if batch != ALL_BATCHES}
            records = self._records(ident, batches)
            if batches:
                given["facets"]["version"] = _version(max(snapshots[batch] for batch in batches))
                rows = sum(one.counts.ingested if ident.is_raw else one.counts.published for one in records)
                given["inputFacets"]["inputStatistics"] = statistics_facet(
                    output=False, rows=rows, size=None, files=None
                )
            if records and (columns := records[-1].columns):
                given["facets"]["schema"] = schema_facet((one.name, one.type, "") for one in columns)
            if ident.is_raw and (assertions := self._assertions()):
                given["inputFacets"]["dataQualityAssertions"] = assertions
            found.append(given)
        return found

    def _records(self, ident: TableId, batches: Collection[str]) -> list[BatchRecord]:
        ledger = self._installation.ledger
        if len(batches) > _MANY:
            return [one for one in ledger.batches(tables=[ident]) if one.ref.batch in batches]
        found = [ledger.get(BatchRef(ident, batch)) for batch in sorted(batches)]
        return [one for one in found if one is not None]

    def _source(self) -> Iterator[Json]:
        table, record = self._table, self._record
        if not isinstance(table, GatedTable):
            return
        facets: Json = {
            "documentation": documentation_facet(f"{table.source.origin}: {table.source.reader.describe()}", job=False),
            "ownership": ownership_facet([(str(table.source.steward), "STEWARD")], job=False),
        }
        inner: Json = {}
        if record is not None:
            sizes = [origin.bytes for origin in record.origins]
            size = sum(one for one in sizes if one is not None) if None not in sizes else None
            inner["inputStatistics"] = statistics_facet(
                output=False, rows=record.counts.ingested, size=size, files=len(record.origins)
            )
            facets["schema"] = schema_facet((one.name, one.type, "") for one in record.columns)
        yield {**self._dataset(f"{table.id} (source)"), "facets": facets, "inputFacets": inner}

    def outputs(self) -> list[Json]:
        """What was written: the table where rows of the batch are published, and where rows wait."""
        counts, entry = self._counts, self._entry
        found = []
        if self._is_raw:
            found.append(self._written(entry.ref.table, entry.ref.table, counts.get("ingested"), "raw"))
        elif counts.get("published") or entry.what in _CLEARED:
            store = store_of(self._table) if self._table is not None else entry.ref.table
            found.append(self._written(entry.ref.table, store, counts.get("published"), "published"))
        if not self._is_raw and counts.get("quarantined"):
            quarantine = entry.ref.table.quarantine
            found.append(self._written(quarantine, quarantine, counts["quarantined"], "quarantine"))
        return found

    def _written(self, ident: TableId, store: TableId, rows: int | None, place: str) -> Json:
        facets = dict(self._table_facets(place))
        snapshots: Mapping[str, int | None] = self._entry.details.get("snapshots", {})
        if (snapshot := snapshots.get(place)) is not None:
            facets["version"] = _version(snapshot)
        contents = self._installation.ledger.committed(BatchRef(store, self._entry.ref.batch))
        known = contents if contents is not None and contents.snapshot == snapshot else None
        statistics = statistics_facet(
            output=True,
            rows=rows,
            size=sum(file.size_bytes for file in known.files) if known else None,
            files=len(known.files) if known else None,
        )
        return {**self._dataset(ident), "facets": facets, "outputFacets": {"outputStatistics": statistics}}

    def _table_facets(self, place: str) -> Iterator[tuple[str, Json]]:
        table, record = self._table, self._record
        yield "storage", facet("1-0-1/StorageDatasetFacet", storageLayer="iceberg", fileFormat="parquet")
        if table is None:
            return
        yield "ownership", ownership_facet(_owners(table), job=False)
        if words := self._words:
            yield "documentation", documentation_facet(words, job=False)
        described = {spec.name: spec.description for spec in gate_of(table).spec.columns}
        if record is not None and record.columns and place != "quarantine":
            columns = [(one.name, one.type, described.get(one.name, "")) for one in record.columns]
            yield "schema", schema_facet(columns)
        if place != "published":
            if place == "quarantine" and not isinstance(table, GatedTable) and (found := self._assertions()):
                yield "dataQualityAssertions", found
            return
        names = [one.name for one in record.columns] if record is not None else list(gate_of(table).schema.names)
        names = [name for name in names if not name.startswith("_")]
        yield "tags", tags_facet((name, "classification", str(class_of(table, name))) for name in names)
        lineage = known_lineage(table, self._installation)
        yield "columnLineage", column_lineage_facet(lineage, names, self._namespace)
        if not isinstance(table, GatedTable) and (found := self._assertions()):
            yield "dataQualityAssertions", found
        if record is not None and (metrics := self._metrics(table)):
            yield "dataQualityMetrics", metrics

    def _metrics(self, table: Table) -> Json | None:
        batch = self._entry.ref.batch
        text = self._installation.ledger.profiles(table.id, [batch]).get(batch)
        if text is None or not self._entry.what.endswith("published"):
            return None
        return metrics_facet(redact_profile(BatchProfile.from_json(text), classes_of(table)))

    def _assertions(self) -> Json | None:
        """The rules that the batch was judged by, and how many rows broke each."""
        table = self._table
        broken: Mapping[str, Any] = self._entry.details.get("rules", {})
        if table is None or "rules" not in self._entry.details:
            return None
        gate = gate_of(table, default_engine=self._installation.engine_name)
        same = self._record is not None and self._record.gate_version == gate.version
        known = {rule.name: rule for rule in gate.rules} if same else {}
        names = dict.fromkeys([*known, *broken])
        return facet(
            "1-1-0/DataQualityAssertionsDatasetFacet",
            assertions=[_assertion(name, known.get(name), broken.get(name, 0)) for name in names],
        )


def _assertion(name: str, rule: Rule | None, broken: int) -> Json:
    found: Json = {"assertion": name, "success": not broken, "name": name, "actual": f"{broken} rows break it"}
    if rule is None:
        return found
    found |= {"description": rule.reason, "severity": "warn" if rule.route == "warn" else "error"}
    found["assertion"] = rule.kind.value
    return {**found, "column": rule.columns[0]} if len(rule.columns) == 1 else found


def _version(snapshot: int) -> Json:
    return facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=str(snapshot))


def _owners(table: Table) -> Iterator[tuple[str, str]]:
    kind = {GatedTable: "STEWARD", Kpi: "KPI_OWNER"}.get(type(table), "DOMAIN_OWNER")
    yield answers_for(table), kind
    if kind != "DOMAIN_OWNER":
        yield table.domain.owner, "DOMAIN_OWNER"
