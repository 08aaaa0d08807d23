"""Small cells of a KPI are not published, and cannot be worked out from what is."""

from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines import Domain, FileDrop, Ratio, Source, StaticBatches, Steward
from readiness_pipelines.contracts import Kpi
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.delivery.kpis import kpi_values
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.products.suppression import CELL, SUPPRESSED, without_small_cells

BELOW = 10


def cells(*sizes: int) -> list[dict[str, Any]]:
    """A total, and cells of some sizes, each row of which counts."""
    total = {
        "ward": None,
        "is_total": True,
        "value": 1.0,
        "numerator": sum(sizes),
        "denominator": sum(sizes),
        "met": None,
    }
    found = [
        {
            "ward": f"w{place}",
            "is_total": False,
            "value": 1.0,
            "numerator": size,
            "denominator": size,
            "met": None,
            CELL: size,
        }
        for place, size in enumerate(sizes)
    ]
    return [{**total, CELL: sum(sizes)}, *found]


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_the_total_minus_what_is_published_is_never_of_few(sizes: list[int]) -> None:
    total, *rows = without_small_cells(cells(*sizes), below=BELOW, persons=False)
    hidden = [row for row in rows if row[SUPPRESSED]]
    assert all(row["value"] is row["numerator"] is row["denominator"] is None for row in hidden)
    assert all(row[SUPPRESSED] for row in rows if row[CELL] < BELOW)
    if total[SUPPRESSED]:
        assert sum(sizes) < BELOW
        assert len(hidden) == len(rows)
    elif hidden:
        left = total["numerator"] - sum(row["numerator"] or 0 for row in rows)
        assert left >= BELOW
        assert len(hidden) > 1 or len(rows) == 1
    if all(size >= BELOW for size in sizes):
        assert not hidden, "nothing is hidden for no reason"


def test_the_same_persons_in_two_cells_are_not_counted_twice() -> None:
    _, *rows = without_small_cells(cells(6, 6, 20, 30), below=BELOW, persons=True)
    assert [bool(row[SUPPRESSED]) for row in rows] == [True, True, True, False]
    _, *counted = without_small_cells(cells(6, 6, 20, 30), below=BELOW, persons=False)
    assert [bool(row[SUPPRESSED]) for row in counted] == [True, True, False, False]


class Stay(pa.DataFrameModel):
    """A stay."""

    patient: arrow.string()
    ward: arrow.string()
    back: arrow.bool_()


def rate(installation: Installation, **options: Any) -> Kpi:
    hospital = Domain("hospital", owner="o@h.example")
    source = Source(origin="x", steward=Steward("S", "s@h.example"), reader=FileDrop("{batch}.csv"))
    stays = hospital.gated("stays", source=source, schema=Stay, batches=StaticBatches(keys=("a",)))

    @hospital.kpi(question="How many come back?", unit="ratio", target="<= 50 %", by="ward", **options)
    def back_rate(stays):  # type: ignore[no-untyped-def]  # a transform of a user
        return Ratio("count(*) FILTER (back)", "count(*)")

    lines = [f"p{n % 40},{'A' if n < 70 else 'B' if n < 100 else 'C'},{n % 3 == 0}" for n in range(103)]
    Path(installation.landing.path, "a.csv").write_text("\n".join(["patient,ward,back", *lines]))
    ingest(stays, batch="a", installation=installation, run=Run())
    deliver(stays, batch="a", installation=installation, run=Run())
    return back_rate


def test_a_kpi_publishes_small_cells_without_their_numbers_and_with_the_reason(installation: Installation) -> None:
    kpi = rate(installation, suppress_below=BELOW, persons="patient")
    assert deliver(kpi, batch="a", installation=installation, run=Run()).counts.published == 4
    total, *wards = kpi_values(kpi, installation=installation)
    assert total.denominator == 103
    assert [(one.dimensions["ward"], one.denominator, one.suppressed) for one in wards] == [
        ("A", 70, None),
        ("B", None, "hides smaller ones"),
        ("C", None, "fewer than 10 persons"),
    ]
    assert wards[2].met is None


def test_a_suppression_that_cannot_be_meant_is_refused(installation: Installation) -> None:
    with pytest.raises(DeclarationError, match="suppresses cells below 1"):
        rate(installation, suppress_below=1)
    with pytest.raises(DeclarationError, match="counts patient, and suppresses nothing"):
        rate(installation, persons="patient")
    kpi = rate(installation, suppress_below=5, persons="pateint")
    with pytest.raises(UnknownNameError, match="patient"):
        deliver(kpi, batch="a", installation=installation, run=Run())
