"""Protected columns in deliveries: what is committed, what holds, where raw values lie, and what another key does."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import (
    Domain,
    ExistsIn,
    FileDrop,
    KeepFirst,
    Pseudonym,
    Source,
    StaticBatches,
    Steward,
    Tolerance,
    protect,
)
from readiness_pipelines.batches import BatchState
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import deliver, ingest, replay_batch
from readiness_pipelines.errors import DeclarationError, LakehouseError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.conftest import settings_in

RUN = Run(who="me")
KEY = b"k" * 32


class Visit(pa.DataFrameModel):
    """A visit."""

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="p"), subject=True))
    zip: arrow.string() = pa.Field(metadata=protect("pii.quasi", KeepFirst(3)))
    nights: arrow.int32() = pa.Field(ge=0)


class Bill(pa.DataFrameModel):
    """A bill of a patient."""

    payer: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="p")))


def ward() -> tuple[GatedTable, GatedTable]:
    domain = Domain("ward", owner="o@ward.example")
    desk = Steward("Desk", "desk@ward.example")

    def source(name: str) -> Source:
        return Source(origin="Export", steward=desk, reader=FileDrop(f"{name}/{{batch}}.csv", settles="0s"))

    batches = StaticBatches(keys=["a", "b"])
    visits = domain.gated(
        "visits", source=source("visits"), schema=Visit, batches=batches, tolerance=Tolerance(quarantined_ratio=0.5)
    )
    bills = domain.gated(
        "bills",
        source=source("bills"),
        schema=Bill,
        batches=batches,
        rules=[ExistsIn("payer", table="visits", keys="patient")],
    )
    return visits, bills


def land(installation: Installation, name: str, *rows: str, batch: str = "a") -> None:
    file = installation.landing.path / name / f"{batch}.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(rows) + "\n")


def keyed(installation: Installation, key: bytes = KEY) -> Installation:
    return replace(installation, keys=lambda _: key)


def published(installation: Installation, table: GatedTable) -> list[dict[str, object]]:
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, table.id).order("_batch, _row").to_arrow_table()
    return rows.to_pylist()  # type: ignore[no-any-return]  # Arrow is untyped


ROWS = ("patient,zip,nights", "Person-1,10115,3", "Person-2,10117,-1", "Person-3,20095,0")


def test_what_is_committed_is_protected_and_what_waits_is_not(installation: Installation) -> None:
    visits, _ = ward()
    installation = keyed(installation)
    land(installation, "visits", *ROWS)
    ingest(visits, batch="a", installation=installation, run=RUN)
    assert deliver(visits, batch="a", installation=installation, run=RUN).state is BatchState.PARTLY_PUBLISHED
    rows = published(installation, visits)
    assert [(len(str(row["patient"])), row["zip"], row["nights"]) for row in rows] == [(32, "101*", 3), (32, "200*", 0)]
    with installation.engine() as engine:
        (waiting,) = installation.lakehouse.relation(engine, visits.id.quarantine).to_arrow_table().to_pylist()
    assert waiting["patient"] == "Person-2", "on-call decides about it as it arrived"
    for file in (installation.lakehouse.warehouse.path / "ward").rglob("*"):
        assert not file.is_file() or b"Person-" not in file.read_bytes(), "neither rows, nor bounds in manifests"


def test_a_reference_is_found_by_the_pseudonym_and_a_held_batch_says_which_key_it_lacks(
    installation: Installation,
) -> None:
    visits, bills = ward()
    land(installation, "visits", *ROWS)
    land(installation, "bills", "payer", "Person-1", "Person-9")
    ingest(visits, batch="a", installation=installation, run=RUN)
    held = deliver(visits, batch="a", installation=installation, run=RUN)
    assert held.state is BatchState.HELD
    assert held.reason.startswith("masking_verified: unknown key in [settings.keys] 'p'")
    installation = keyed(installation)
    ingest(bills, batch="a", installation=installation, run=RUN)
    assert replay_batch(visits, batch="a", installation=installation, run=RUN)
    delivery = deliver(bills, batch="a", installation=installation, run=RUN)
    assert (delivery.counts.published, delivery.counts.quarantined) == (1, 1)


def test_another_key_is_a_replay_and_recomputation_proves_each_by_its_own(installation: Installation) -> None:
    visits, _ = ward()
    first, second = keyed(installation), keyed(installation, b"another key, as long as the first")
    land(installation, "visits", *ROWS)
    ingest(visits, batch="a", installation=first, run=RUN)
    deliver(visits, batch="a", installation=first, run=RUN)
    before = published(first, visits)
    replay_batch(visits, batch="a", installation=second, run=RUN)
    after = published(second, visits)
    assert {row["patient"] for row in before}.isdisjoint({row["patient"] for row in after})
    assert [row["nights"] for row in before] == [row["nights"] for row in after]


def test_raw_rows_and_quarantine_lie_where_a_reader_of_published_tables_cannot_open_them(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    settings = settings_in(tmp_path).model_copy(update={"restricted_warehouse": str(tmp_path / "restricted")})
    installation = keyed(Installation.open(settings))
    visits, _ = ward()
    land(installation, "visits", *ROWS)
    ingest(visits, batch="a", installation=installation, run=RUN)
    deliver(visits, batch="a", installation=installation, run=RUN)
    restricted, warehouse = tmp_path / "restricted", installation.lakehouse.warehouse.path
    assert {path.name for path in restricted.iterdir()} == {"ward_raw", "ward_quarantine"}
    assert restricted.stat().st_mode & 0o777 == 0o700
    assert not any(path.name.endswith(("_raw", "_quarantine")) for path in warehouse.iterdir() if path.is_dir())
    for file in warehouse.rglob("*"):
        assert not file.is_file() or b"Person-" not in file.read_bytes()
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
        (one,) = (warehouse / "ward" / "visits" / "data").rglob("*.parquet")
        assert _as_nobody(one) == "2"
        (raw,) = (restricted / "ward_raw" / "visits" / "data").rglob("*.parquet")
        assert "Permission denied" in _as_nobody(raw)


def _as_nobody(file: Path) -> str:
    """How many rows a user without rights reads from a file, or why none."""
    code = (
        "import os, sys, pyarrow.parquet as pq\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: print(pq.read_table(open(sys.argv[1], 'rb')).num_rows)\n"
        "except OSError as error: print(error)\n"
    )
    for folder in file.parents:  # pytest's own folders are for root alone
        if folder.stat().st_mode & 0o005 != 0o005 and "restricted" not in folder.parts:
            folder.chmod(0o755)
    ran = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)  # ours
    return ran.stdout.strip() or ran.stderr


def test_a_table_that_lies_outside_of_the_restricted_warehouse_is_refused(installation: Installation) -> None:
    visits, _ = ward()
    land(installation, "visits", *ROWS)
    ingest(visits, batch="a", installation=installation, run=RUN)
    folder = installation.landing.path.parent
    settings = settings_in(folder).model_copy(update={"restricted_warehouse": str(folder / "restricted")})
    with pytest.raises(LakehouseError, match=r"ward_raw\.visits lies in .*, outside of the restricted warehouse"):
        deliver(visits, batch="a", installation=keyed(Installation.open(settings)), run=RUN)


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("s3cret-in-the-file", "a key is given, and not its place"),
        ("env:READINESS_NO_SUCH_KEY_HERE", "empty or not set"),
        ("file:/no/such/file", "cannot be read"),
        ("tink:/no/such/file?kek=aws-kms://arn:aws:kms:us-east-1:1:key/a", "cannot be read"),
        ("tink:/no/such/file", "names no file or no key that wraps it"),
    ],
)
def test_a_key_that_cannot_be_had_is_named_and_never_shown(tmp_path: Path, where: str, why: str) -> None:
    (tmp_path / "landing").mkdir()
    settings = settings_in(tmp_path).model_copy(update={"keys": {"p": where}})
    with pytest.raises(DeclarationError, match=why) as caught:
        settings.key("p")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(settings)
