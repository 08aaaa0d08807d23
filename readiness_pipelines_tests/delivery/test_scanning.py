"""New columns of a source are looked at when they arrive: a finding until somebody classifies them, or a batch held."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Classification, Domain, FileDrop, Route, Source, StaticBatches, Steward
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.detection import Certainty, detector
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Finding, FindingKind
from readiness_pipelines.overview import observe
from readiness_pipelines.overview.scanning import open_columns, scan_table

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CUSTOMERS = [f"{n},user{n}@mail.example,{'gold' if n % 3 else 'basic'},Hamburg" for n in range(40)]


class Customer(pa.DataFrameModel):
    """A customer."""

    number: arrow.int64()
    contact: arrow.string()
    plan: arrow.string()


def customers(level: Classification = Classification.INTERNAL, **options: Any) -> GatedTable:
    shop = Domain("shop", owner="shop@shop.example")
    source = Source(
        origin="CRM",
        steward=Steward("S", "s@s.example"),
        reader=FileDrop("{batch}.csv"),
        classification=level,
    )
    batches = StaticBatches(keys=("a", "b", "c"))
    return shop.gated("customers", source=source, schema=Customer, batches=batches, **options)


def bring(
    table: GatedTable, installation: Installation, batch: str, *lines: str, head: str = "number,contact,plan,town"
) -> None:
    Path(installation.landing.path, f"{batch}.csv").write_text("\n".join([head, *lines]))
    ingest(table, batch=batch, installation=installation, run=Run())


def found(table: GatedTable, installation: Installation) -> tuple[Finding, ...]:
    seen = observe(table.domain.tables, installation=installation, now=NOW).findings
    return tuple(one for one in seen if one.kind is FindingKind.UNCLASSIFIED)


def looked_at(table: GatedTable, installation: Installation) -> list[str]:
    return [
        one.ref.batch
        for one in installation.ledger.findings.of(tables=[table.id.raw])
        if "detector" in one.finding.details
    ]


def test_a_column_that_looks_personal_is_a_finding_until_the_code_classifies_it(installation: Installation) -> None:
    table = customers()
    bring(table, installation, "a", *CUSTOMERS)
    (finding,) = found(table, installation)
    looks = "column contact looks like e-mail addresses (100 % of 40 sampled, by their syntax), nobody classified it"
    assert finding.seen == looks
    assert finding.way_out == "readiness scan shop.customers"
    assert "mail.example" not in str(finding), "a finding has no value"
    assert deliver(table, batch="a", installation=installation, run=Run()).state is BatchState.PUBLISHED
    assert found(table, installation) == (finding,), "what a delivery finds does not end it"
    assert not found(customers(classified={"contact": "pii.direct"}), installation)
    assert not found(customers(classified={"contact": "internal"}), installation), "somebody looked, and it is none"


def test_what_is_only_likely_is_a_finding_of_a_source_that_has_personal_data(installation: Installation) -> None:
    table = customers(Classification.PII)
    bring(table, installation, "a", *CUSTOMERS)
    (finding,) = found(table, installation)
    assert [detail.split(" ")[1] for detail in finding.details] == ["contact", "town"]


def test_columns_are_looked_at_once_until_they_change_or_have_values(installation: Installation) -> None:
    table = customers()
    bring(table, installation, "a", "1,,gold,Kiel", "2,,basic,Kiel")
    assert not found(table, installation)
    bring(table, installation, "b", *CUSTOMERS)
    assert [one.batch for one in found(table, installation)] == [None], "it had no values before"
    assert looked_at(table, installation) == ["a", "b"]
    bring(table, installation, "c", *CUSTOMERS)
    assert looked_at(table, installation) == ["a", "b"], "nothing is new"
    bring(table, installation, "c", *(f"{line},x" for line in CUSTOMERS), head="number,contact,plan,town,more")
    assert looked_at(table, installation) == ["a", "b", "c"]
    bring(
        table,
        installation,
        "c",
        *(line.rpartition(",")[0].replace("@", " at ") for line in CUSTOMERS),
        head="number,text,plan",
    )
    assert not found(table, installation), "the column does not arrive any more"


def test_a_fault_in_the_detector_ends_no_delivery_and_tells_no_value(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str) -> bool:
        raise ValueError(f"cannot look at {text}")

    with monkeypatch.context() as faulty:
        faulty.setattr(detector, "is_opaque", broken)
        table, strict = customers(), customers(unclassified=Route.HOLD)
        bring(table, installation, "a", *CUSTOMERS)
        (finding,) = found(table, installation)
        assert finding.seen == "the columns could not be looked at: ValueError"
        assert deliver(table, batch="a", installation=installation, run=Run()).state is BatchState.PUBLISHED
        held = deliver(strict, batch="a", installation=installation, run=Run())
        assert held.reason == "columns_classified: the columns could not be looked at: ValueError"
    bring(table, installation, "b", *CUSTOMERS)
    assert "e-mail addresses" in found(table, installation)[0].seen
    assert len(found(table, installation)[0].details) == 1, "what broke is over"


def test_the_switch_holds_a_batch_with_a_personal_column_that_nobody_classified(installation: Installation) -> None:
    table = customers(unclassified=Route.HOLD)
    bring(table, installation, "a", *CUSTOMERS)
    held = deliver(table, batch="a", installation=installation, run=Run())
    assert held.state is BatchState.HELD
    assert held.reason.startswith("columns_classified: column contact looks like e-mail addresses")
    assert "mail.example" not in held.reason
    classified = customers(unclassified=Route.HOLD, classified={"contact": "internal"})
    assert deliver(classified, batch="a", installation=installation, run=Run()).state is BatchState.PUBLISHED
    with pytest.raises(UnknownNameError, match=r"unclassified of shop\.customers"):
        customers(unclassified=Route.QUARANTINE)


def test_a_scan_looks_at_raw_rows_and_says_what_is_left_to_classify(installation: Installation) -> None:
    table = customers()
    bring(table, installation, "a", *CUSTOMERS)
    bring(table, installation, "b", *CUSTOMERS)
    scan = scan_table(table, batch=None, installation=installation)
    assert (scan.batch, scan.rows, scan.columns) == ("b", 40, 4)
    assert [(one.proposal.column, one.proposal.certainty) for one in scan.seen] == [
        ("contact", Certainty.SURE),
        ("town", Certainty.LIKELY),
    ]
    assert [one.proposal.column for one in open_columns([scan])] == ["contact"]
    assert installation.ledger.get(BatchRef(table.id, "b")) is None, "a scan delivers nothing"
