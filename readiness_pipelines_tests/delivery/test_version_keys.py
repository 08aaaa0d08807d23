"""What is in the landing folder now is in force, also where its files are older than those of the version before."""

import os
from datetime import UTC, datetime, timedelta

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, FileDrop, Source, Steward, Versions
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import Work, do_work, due_work, ingest
from readiness_pipelines.errors import BatchNotLandedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.gallery.running import rows

BEGUN = 1_700_000_000


class Rate(pa.DataFrameModel):
    """One rate."""

    a: arrow.string()


def rates() -> GatedTable:
    shop = Domain("shop", owner="shop@shop.example")
    source = Source(origin="T", steward=Steward("T", "t@t.example"), reader=FileDrop("rates.csv"))
    return shop.gated("rates", schema=Rate, batches=Versions(), source=source)


def put(installation: Installation, content: str, seconds: int) -> None:
    file = installation.landing.path / "rates.csv"
    file.write_text(f"a\n{content}\n")
    os.utime(file, (BEGUN + seconds, BEGUN + seconds))


def due(table: GatedTable, installation: Installation) -> tuple[Work, ...]:
    later = datetime.now(UTC) + timedelta(hours=1)
    return due_work([table.domain], installation=installation, now=later)


def test_a_file_that_is_put_back_is_in_force(installation: Installation) -> None:
    table = rates()
    for content, seconds in (("good", 0), ("bad", 100)):
        put(installation, content, seconds)
        (work,) = due(table, installation)
        do_work(work, installation=installation, run=Run())
    put(installation, "good", 0)
    (work,) = due(table, installation)
    (same,) = due(table, installation)
    assert (same.batch, same.fingerprint) == (work.batch, work.fingerprint), "nobody is asked for it twice"
    with pytest.raises(BatchNotLandedError):
        ingest(table, batch="2023-11-14T221500Z", installation=installation, run=Run())  # the bad one is not there
    do_work(work, installation=installation, run=Run())
    assert rows(installation, table.id, "a", "_batch") == [("good", work.batch)]
    assert due(table, installation) == ()
    assert ingest(table, batch=work.batch, installation=installation, run=Run()).unchanged
    put(installation, "better", 50)
    (work,) = due(table, installation)
    do_work(work, installation=installation, run=Run())
    assert rows(installation, table.id, "a") == [("better",)]
    assert due(table, installation) == ()
