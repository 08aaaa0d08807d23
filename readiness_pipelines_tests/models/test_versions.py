"""Models over tables of which every delivery is a version of the whole."""

from dataclasses import replace
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, Function, Holdout, NotWorse, Source, Steward, Versions
from readiness_pipelines.delivery import deliver
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.models import (
    changes_since,
    changes_under,
    explain_prediction,
    label_tasks,
    promote_model,
    train_model,
)
from readiness_pipelines.models.scored import scored_batch
from readiness_pipelines.testing import run_domains
from readiness_pipelines.training import build_training_set, builds_of
from readiness_pipelines_tests.models.clinic import Score

OLDER, NEWER = "2026-11-01", "2026-11-02"
CORALS = {OLDER: 12, NEWER: 6}
RUN = Run(who="diver")


class Seen(pa.DataFrameModel):
    """A coral, as divers saw it."""

    stay: arrow.int64()
    alive: arrow.int64()
    depth: arrow.float64()


class Depth(pa.DataFrameModel):
    """Where a coral is."""

    stay: arrow.int64()
    depth: arrow.float64()


def rows(version: str) -> list[dict[str, Any]]:
    return [{"stay": number, "alive": number % 2, "depth": float(number)} for number in range(CORALS[version])]


def test_a_version_delivered_again_as_it_was_is_the_same_data_and_older_ones_are_read(
    installation: Installation,
) -> None:
    installation = replace(installation, mlflow_uri="off")
    domain = Domain("reef", owner="diver@reef.example")
    arrived = [OLDER]
    reader = Function(rows, arrivals=lambda: [(version, version) for version in arrived])
    seen = domain.gated(
        "seen",
        schema=Seen,
        batches=Versions(),
        source=Source(origin="Dives", steward=Steward("Divers", "diver@reef.example"), reader=reader),
    )

    @domain.features(entity="stay", schema=Depth)
    def known(seen: Any) -> Any:
        """Where each coral is."""
        return seen.project("stay, depth")

    learned = domain.training_set("learned", labels=seen, label="alive", features=[known], holdout=Holdout(share=0.5))

    @domain.model(training=learned, risk="minimal", promote=NotWorse("auc", by=0.5, samples=100))
    def survival(x: Any, y: Any) -> Any:
        """Half of them."""
        return lambda given: [0.5] * len(given)

    scores = domain.scored("scores", model=survival, rows=seen, schema=Score, key="stay")

    run_domains(domain, installation=installation)
    made = build_training_set(installation, learned)
    for table in (seen, known):
        deliver(table, batch=OLDER, installation=installation, run=RUN)
    version = train_model(survival, made, installation=installation, run=RUN)
    assert changes_under(version, installation=installation) == ()
    deliver(seen, batch=OLDER, installation=installation, run=RUN)
    assert changes_under(version, installation=installation) == ()
    assert changes_since(builds_of(installation, learned)[-1], installation=installation) == ()

    promote_model(survival, version.version, why="the first", installation=installation, run=RUN, despite=True)
    arrived.append(NEWER)
    run_domains(domain, installation=installation)
    assert NEWER in {one.ref.batch for one in installation.ledger.batches(tables=[seen.id])}
    assert len(label_tasks(seen, OLDER, show=["depth"], installation=installation)) == CORALS[OLDER]
    found = scored_batch(scores, OLDER, version=1, outcomes=None, installation=installation)
    assert len(found.predicted) == CORALS[OLDER]
    tables = {table.id: table for table in domain.tables}
    assert explain_prediction(f"reef.scores/{OLDER}/0", tables=tables, installation=installation).version.version == 1
