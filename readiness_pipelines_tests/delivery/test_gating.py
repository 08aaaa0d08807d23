"""What a gate does beyond its schema, through a real delivery."""

from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from pyarrow import parquet

from readiness_pipelines import (
    Deduplicate,
    Domain,
    ExistsIn,
    FileDrop,
    NotInOtherBatches,
    SchemaChange,
    Source,
    StaticBatches,
    Steward,
    Trim,
    cleanse,
    row_count,
)
from readiness_pipelines.batches import BatchState
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import Delivery, deliver, ingest
from readiness_pipelines.errors import UnknownNameError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId

RUN = Run(run_id="r1", who="me")


class Ward(pa.DataFrameModel):
    """One ward."""

    code: arrow.string()


class Stay(pa.DataFrameModel):
    """One stay; the last line of a stay counts."""

    stay: arrow.int64() = pa.Field(unique=True)
    ward: arrow.string() = pa.Field(nullable=True, metadata=cleanse(Trim()))

    class Config:
        """One row for each stay."""

        metadata = cleanse(Deduplicate("stay"))


def make_domain(schema: Any = Stay, **gating: Any) -> Domain:
    hospital = Domain("hospital", owner="a@b.example")
    for name, one in (("wards", Ward), ("stays_gated", schema)):
        source = Source(
            origin="test", steward=Steward("S", "s@s.example"), reader=FileDrop(f"{name}/{{batch}}.*", missing="?")
        )
        hospital.gated(
            name,
            source=source,
            schema=one,
            batches=StaticBatches(keys=["a", "b", "c"]),
            **(gating if one is schema else {}),
        )
    return hospital


def run(hospital: Domain, installation: Installation, table: str, batch: str, content: str | arrow.Table) -> Delivery:
    folder = Path(installation.landing.path, table)
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        (folder / f"{batch}.csv").write_text(content)
    else:
        parquet.write_table(content, folder / f"{batch}.parquet")
    gated = hospital.table(table)
    assert isinstance(gated, GatedTable)
    ingest(gated, batch=batch, installation=installation, run=RUN)
    return deliver(gated, batch=batch, installation=installation, run=RUN)


def rows(installation: Installation, table: str, **options: Any) -> list[dict[str, Any]]:
    with installation.engine() as engine:
        found = installation.lakehouse.relation(engine, TableId(*table.split(".")), **options).to_arrow_table()
    return sorted(found.to_pylist(), key=lambda row: (row["_batch"], row["_row"]))


def test_repeated_rows_are_discarded_and_accounted_for(installation: Installation) -> None:
    delivery = run(make_domain(), installation, "stays_gated", "a", "stay,ward\n1,A\n2, B \n1,C\n")
    assert delivery.state is BatchState.PUBLISHED
    assert (delivery.counts.ingested, delivery.counts.published, delivery.counts.discarded) == (3, 2, 1)
    assert delivery.counts.accounted
    assert [(r["stay"], r["ward"]) for r in rows(installation, "hospital.stays_gated")] == [(2, "B"), (1, "C")]
    (lost,) = rows(installation, "hospital_quarantine.stays_gated")
    assert (lost["_row"], lost["_discarded"], lost["ward"]) == (0, True, "A")
    assert lost["_errors"][0]["rule"] == "deduplicate"
    trail = installation.ledger.trail()[-1]
    assert trail.details["cleansed"] == {"ward: trim": 1, "stay: deduplicate": 1}


def test_a_batch_that_repeats_nothing_any_more_leaves_nothing_discarded(installation: Installation) -> None:
    hospital = make_domain()
    run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n1,C\n")
    run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n2,C\n")
    assert rows(installation, "hospital_quarantine.stays_gated") == []


def test_a_new_column_is_published_and_the_table_evolves_in_the_same_commit(installation: Installation) -> None:
    hospital = make_domain(schema_change=SchemaChange.EVOLVE)
    run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n")
    before = len(installation.lakehouse.snapshots(TableId("hospital", "stays_gated")))
    delivery = run(hospital, installation, "stays_gated", "b", "stay,ward,doctor\n2,B,Who\n")
    assert [str(finding) for finding in delivery.findings] == ["doctor (string) is new"]
    assert len(installation.lakehouse.snapshots(TableId("hospital", "stays_gated"))) == before + 1
    assert [(r["stay"], r["doctor"]) for r in rows(installation, "hospital.stays_gated")] == [(1, None), (2, "Who")]
    again = run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n3,C\n")
    assert again.findings == ()
    assert [r["doctor"] for r in rows(installation, "hospital.stays_gated")] == [None, None, "Who"]


def test_a_frozen_gate_holds_a_batch_with_a_new_column(installation: Installation) -> None:
    hospital = make_domain(schema_change=SchemaChange.FREEZE)
    first = run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n")
    assert first.state is BatchState.PUBLISHED
    delivery = run(hospital, installation, "stays_gated", "b", "stay,ward,doctor\n2,B,Who\n")
    assert (delivery.state, delivery.reason) == (BatchState.HELD, "schema_unchanged: doctor (string) is new")
    table, now = hospital.table("stays_gated"), RUN.clock()
    arrived = {"stay": "string", "ward": "string", "doctor": "string"}
    installation.ledger.accept_shape(table.id, arrived, batch="b", who="ana", why="they told us", at=now)
    assert deliver(table, batch="b", installation=installation, run=RUN).state is BatchState.PUBLISHED
    assert deliver(table, batch="a", installation=installation, run=RUN).state is BatchState.PUBLISHED


def test_a_column_that_another_batch_widened_is_judged_as_it_arrived(installation: Installation) -> None:
    hospital = make_domain(schema_change=SchemaChange.FREEZE)
    narrow, wide = (
        arrow.table({"stay": arrow.array([1, 2], kind), "ward": ["A", "B"]}) for kind in (arrow.int32(), arrow.int64())
    )
    assert run(hospital, installation, "stays_gated", "a", narrow).state is BatchState.PUBLISHED
    widened = run(hospital, installation, "stays_gated", "b", wide)
    assert widened.reason == "schema_unchanged: stay is int64, before int32"
    assert run(hospital, installation, "stays_gated", "c", narrow).state is BatchState.PUBLISHED


def test_a_value_must_exist_in_the_other_table(installation: Installation) -> None:
    hospital = make_domain(rules=[ExistsIn("ward", table="wards", keys="code")])
    with pytest.raises(UpstreamNotPublishedError, match=r"nothing is published of hospital\.wards"):
        run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n2,Z\n")
    wards = run(hospital, installation, "wards", "a", "code\nA\nB\n")
    delivery = run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n2,Z\n")
    assert delivery.reason == "1 row waits in quarantine (ward_exists_in_hospital_wards 1)"
    assert delivery.inputs[hospital.table("wards").id] == {"*": wards.snapshots.published}


def test_a_key_must_not_be_published_by_another_batch_and_may_be_by_its_own(installation: Installation) -> None:
    hospital = make_domain(rules=[NotInOtherBatches("stay")])
    text = "stay,ward\n1,A\n2,B\n"
    assert run(hospital, installation, "stays_gated", "a", text).state is BatchState.PUBLISHED
    assert run(hospital, installation, "stays_gated", "a", text).state is BatchState.PUBLISHED
    delivery = run(hospital, installation, "stays_gated", "b", "stay,ward\n2,A\n3,B\n")
    assert delivery.counts.quarantined == 1
    assert "*" in delivery.inputs[hospital.table("stays_gated").id]


def test_a_reference_to_a_table_that_is_not_declared_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'wards'"):
        make_domain(rules=[ExistsIn("ward", table="ward", keys="code")])


def test_a_batch_rule_holds_and_an_allowed_empty_batch_replaces(installation: Installation) -> None:
    hospital = make_domain(rules=[row_count(at_least=2)])
    assert run(hospital, installation, "stays_gated", "a", "stay,ward\n1,A\n").state is BatchState.HELD
    allowed = make_domain(allow_empty=True)
    run(allowed, installation, "stays_gated", "a", "stay,ward\n1,A\n")
    assert run(allowed, installation, "stays_gated", "a", "stay,ward\n").state is BatchState.PUBLISHED
    assert rows(installation, "hospital.stays_gated") == []
    kept = make_domain()
    run(kept, installation, "stays_gated", "a", "stay,ward\n1,A\n")
    assert run(kept, installation, "stays_gated", "a", "stay,ward\n").state is BatchState.EMPTY
    assert len(rows(installation, "hospital.stays_gated")) == 1
