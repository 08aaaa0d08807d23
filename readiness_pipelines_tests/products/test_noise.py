"""Noisy numbers: one draw a release, paid from a budget, of counts that no person changes by more than a few."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, FileDrop, NoisyCount, NoisyRatio, Source, StaticBatches, Steward
from readiness_pipelines.contracts import GatedTable, Kpi
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.delivery.judging import judged_batch
from readiness_pipelines.delivery.kpis import kpi_values
from readiness_pipelines.errors import DeclarationError, LedgerError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.products.noise import NoisyMeasure, bounded_counts, mechanism


class Stay(pa.DataFrameModel):
    """A stay."""

    patient: arrow.string() = pa.Field(nullable=True)
    back: arrow.bool_()


def hospital(measure: NoisyMeasure, **options: Any) -> tuple[GatedTable, Kpi]:
    domain = Domain("hospital", owner="o@h.example")
    source = Source(origin="x", steward=Steward("S", "s@h.example"), reader=FileDrop("{batch}.csv"))
    table = domain.gated("stays", source=source, schema=Stay, batches=StaticBatches(keys=("a", "b", "c")))

    @domain.kpi(question="How many come back?", unit="ratio", **options)
    def back_rate(stays):  # type: ignore[no-untyped-def]  # a transform of a user
        return measure

    return table, back_rate


def bring(table: GatedTable, installation: Installation, batch: str, persons: int) -> None:
    lines = [f"p{n},{n % 4 == 0}" for n in range(persons)]
    Path(installation.landing.path, f"{batch}.csv").write_text("\n".join(["patient,back", *lines]))
    ingest(table, batch=batch, installation=installation, run=Run())
    deliver(table, batch=batch, installation=installation, run=Run())


def value(kpi: Kpi, installation: Installation, batch: str) -> tuple[float | None, float | None]:
    (found,) = kpi_values(kpi, installation=installation, batches=[batch])
    return found.numerator, found.denominator


def test_a_release_is_drawn_once_and_the_budget_refuses_more(installation: Installation) -> None:
    table, kpi = hospital(NoisyRatio("back", person="patient", epsilon=0.5, budget=1))
    bring(table, installation, "a", 400)
    with judged_batch(kpi, batch="a", decisions=(), installation=installation) as dry:
        assert dry.engine.sql("SELECT 1") is not None
        assert dry.given.rows.project("value").fetchall() == [(None,)], "what is not delivered is not drawn"
    deliver(kpi, batch="a", installation=installation, run=Run())
    first = value(kpi, installation, "a")
    assert first[0] is not None
    assert abs(first[0] - 100) < 60
    deliver(kpi, batch="a", installation=installation, run=Run())
    assert value(kpi, installation, "a") == first, "a replay does not draw again"
    bring(table, installation, "a", 390)
    deliver(kpi, batch="a", installation=installation, run=Run())
    assert value(kpi, installation, "a") == first, "nor with other rows: the difference would tell"
    bring(table, installation, "b", 400)
    deliver(kpi, batch="b", installation=installation, run=Run())
    bring(table, installation, "c", 400)
    with pytest.raises(LedgerError, match="cost 1 of a budget of 1"):
        deliver(kpi, batch="c", installation=installation, run=Run())
    _, finer = hospital(NoisyRatio("back", person="patient", epsilon=1, budget=2))
    deliver(finer, batch="a", installation=installation, run=Run())
    assert [one.details["spent"] for one in installation.ledger.trail() if one.what == "released"] == [0.5, 1.0, 2.0]


def test_a_person_changes_what_is_counted_by_no_more_than_a_few_rows() -> None:
    with duckdb.connect() as engine:
        rows = engine.sql(
            "SELECT 'p' || (n % 10) AS patient, n % 3 = 0 AS back, n AS stay FROM range(100) r(n) "
            "UNION ALL SELECT NULL, true, -1"
        )
        one, three = (NoisyRatio("back", person="patient", epsilon=1, budget=1, per_person=n) for n in (1, 3))
        assert sum(bounded_counts(one, rows)) == 10
        assert sum(bounded_counts(three, rows)) == 30
        for person in range(10):
            without = rows.filter(f"patient IS DISTINCT FROM 'p{person}'")
            before, after = bounded_counts(three, rows), bounded_counts(three, without)
            assert sum(abs(x - y) for x, y in zip(before, after, strict=True)) == 3


@pytest.mark.parametrize("epsilon", [0.5, 1.5])
def test_what_neighbours_release_differs_by_no_more_than_epsilon(epsilon: float) -> None:
    """Of 20,000 draws of neighbouring counts none is likelier by more than e to the epsilon, and some nearly is."""
    draw, draws = mechanism(NoisyCount("true", person="p", epsilon=epsilon, budget=9)), 20_000
    one, other = (Counter(draw((count, 0))[0] for _ in range(draws)) for count in (100, 101))
    common = [n for n in one if one[n] > 400 and other[n] > 400]
    measured = max(abs(math.log(one[n] / other[n])) for n in common)
    # The logarithm of a ratio of counts over 400 is off by 0.07: four times that is chance once in ten thousand.
    assert epsilon - 0.28 < measured < epsilon + 0.28
    draw = mechanism(NoisyRatio("true", person="p", epsilon=epsilon, budget=9))
    mean = sum(draw((100, 50))[0] for _ in range(2_000)) / 2_000
    assert abs(mean - 100) < 0.2 / epsilon


def test_what_no_noise_could_hide_is_refused(installation: Installation) -> None:
    with pytest.raises(DeclarationError, match="looks at other rows"):
        NoisyCount("amount > (SELECT avg(amount) FROM x)", person="p", epsilon=1, budget=1)
    with pytest.raises(DeclarationError, match=r"costs 2 of a budget of 1"):
        NoisyCount("true", person="p", epsilon=2, budget=1)
    table, kpi = hospital(NoisyCount("true", person="patient", epsilon=1, budget=1), by="back")
    bring(table, installation, "a", 9)
    with pytest.raises(DeclarationError, match="has dimensions"):
        deliver(kpi, batch="a", installation=installation, run=Run())
