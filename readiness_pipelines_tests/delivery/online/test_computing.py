"""The features of one record are those that its batch publishes."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import compute_features
from readiness_pipelines.installation import Installation
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.training.reef import of_corals, reef, table_of


def test_times_that_are_finer_than_a_table_holds_are_rounded_as_a_batchs_are(installation: Installation) -> None:
    domain, rows = reef(), [{"coral": "a", "age": 1999}, {"coral": "b", "age": -1500}]
    seen = table_of(domain, "seen", rows, {"age": pa.Column(arrow.int64())})
    options: dict[str, Any] = {
        "entity": "coral",
        "reads": {"rows": seen},
        "per_record": True,
        "online": True,
    }
    view = domain.features(schema=of_corals({"seen_at": pa.Column()}), name="known", **options)(
        lambda rows: rows.project("coral, make_timestamp_ns(age) AS seen_at")
    )
    run_domains(domain, installation=installation)
    with installation.engine() as engine:
        stored = installation.lakehouse.relation(engine, view.id).project("coral, seen_at").order("coral")
        published = stored.to_arrow_table().to_pylist()
    assert compute_features(installation, view, {"rows": rows}).to_pylist() == published
