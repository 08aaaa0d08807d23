"""What of a view is learned from, and by which times."""

from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.testing import run_domains
from readiness_pipelines.training import build_training_set
from readiness_pipelines_tests.training.reef import features_of, of_corals, reef, table_of

AGE = {"age": pa.Column(arrow.int64())}
ALIVE = {"alive": pa.Column(arrow.int64())}


def test_columns_of_a_pattern_are_learned_from_and_nothing_else_is_no_training_set(installation: Installation) -> None:
    domain = reef()
    sizes = {"size_1": pa.Column(arrow.float64())}
    seen = table_of(domain, "seen", [{"coral": "a", "age": 1, "size_1": 2.0}], AGE | sizes)
    labels = table_of(domain, "labels", [{"coral": "a", "alive": 1}], ALIVE)
    by_pattern = AGE | {r"^[a-z]+_\d$": pa.Column(arrow.float64(), regex=True)}
    learned: dict[str, Any] = {"labels": labels, "label": "alive"}
    every = domain.training_set("every", **learned, features=[features_of(domain, seen, by_pattern)])
    bare = domain.features(entity="coral", schema=of_corals({}), reads={"rows": seen}, name="bare")(lambda rows: rows)
    none = domain.training_set("none", **learned, features=[bare])
    untimed = domain.training_set("untimed", **learned, features=every.views, at="alive")
    run_domains(domain, installation=installation)
    assert build_training_set(installation, every).features == ("age", "size_1")
    with pytest.raises(DeclarationError, match=r"reef\.none has no feature"):
        build_training_set(installation, none)
    with pytest.raises(DeclarationError, match=r"reef\.untimed reads reef\.labels by alive, which is BIGINT and not a"):
        build_training_set(installation, untimed)
