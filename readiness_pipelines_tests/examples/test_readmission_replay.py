"""The on-call story on the real data: a held extract, its lost zeros put back, replayed, proved."""

from pathlib import Path

import duckdb

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.decisions import Correction
from readiness_pipelines.delivery import decide, deliver, ingest, kpi_values, reconcile, replay_batch
from readiness_pipelines.examples.readmissions import encounters, readmission_rate_30d, readmissions
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.conftest import LANDING, settings_in

BATCH = "extract_06"
RUN = Run(run_id="r", who="on-call")
FILE = LANDING / "readmissions" / "encounters" / BATCH / "encounters.csv.gz"


def test_lost_zeros_are_put_back_and_the_kpi_follows(tmp_path: Path) -> None:
    installation = Installation.open(settings_in(tmp_path, landing=LANDING))
    ingest(encounters, batch=BATCH, installation=installation, run=RUN)
    assert deliver(encounters, batch=BATCH, installation=installation, run=RUN).state is BatchState.HELD
    for column in ("diag_1", "diag_2", "diag_3"):
        padded = f"lpad(split_part({column}, '.', 1), 3, '0') || substr({column}, strpos({column} || '.', '.'))"
        short = f"regexp_full_match({column}, '[0-9]{{1,2}}([.][0-9]+)?')"
        correction = Correction(column=column, expression=padded, where=short)
        decide(encounters, correction, batch=BATCH, why="zeros lost", installation=installation, run=RUN)
    replayed = replay_batch(encounters, batch=BATCH, installation=installation, run=RUN)
    counts = replayed.deliveries[replayed.ref].counts
    assert (counts.ingested, counts.published, counts.quarantined) == (10_177, 10_177, 0)
    with duckdb.connect() as connection:
        ((numerator, denominator),) = connection.execute(
            f"""
            SELECT count(*) FILTER (readmitted = '<30'), count(*) FROM read_csv('{FILE}', all_varchar = true)
            WHERE discharge_disposition_id NOT IN ('11', '13', '14', '19', '20', '21')
            """
        ).fetchall()
    (kpi,) = kpi_values(readmission_rate_30d, installation=installation, batches=[BATCH])
    assert (kpi.numerator, kpi.denominator) == (numerator, denominator)
    assert reconcile([readmissions], installation=installation).problems == ()
    record = installation.ledger.get(BatchRef(encounters.id, BATCH))
    assert record is not None
    assert record.state is BatchState.PUBLISHED
