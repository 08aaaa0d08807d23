"""A small domain about persons: visits of patients, what is derived from them, and a KPI."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines import Domain, FileDrop, Ratio, Source, StaticBatches, Steward, Tolerance
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.contracts.cleansing import Case, cleanse
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId

BATCHES = ("day_1", "day_2")
ANNA = "P-CANARY-00017"
"""Whom the tests erase: nothing else is written so."""


class Visit(pa.DataFrameModel):
    """One visit."""

    visit: arrow.int64() = pa.Field(unique=True)
    patient: arrow.string() = pa.Field(metadata=protect("pii.id", subject=True) | cleanse(Case("upper")))
    days: arrow.int64() = pa.Field(ge=0)
    ward: arrow.string() = pa.Field(isin=["a", "b"])


class Stay(pa.DataFrameModel):
    """One visit of some days."""

    patient: arrow.string()
    days: arrow.int64()


class Load(pa.DataFrameModel):
    """Visits of a ward."""

    ward: arrow.string()
    visits: arrow.int64()
    longest: arrow.string()


def visits(schema: Any, pattern: str, ratio: float = 0.9) -> Domain:
    """The domain, of visits alone."""
    domain = Domain("clinic", owner="clinic@example.org")
    domain.gated(
        "visits",
        source=Source(
            origin="Clinic", steward=Steward("Clinic", "clinic@example.org"), reader=FileDrop(pattern, missing="?")
        ),
        schema=schema,
        batches=StaticBatches(keys=BATCHES),
        tolerance=Tolerance(quarantined_ratio=ratio),
    )
    return domain


def clinic(schema: Any = Visit, pattern: str = "visits/{batch}.csv", ratio: float = 0.5) -> Domain:
    """The domain."""
    domain = visits(schema, pattern, ratio)

    @domain.derived(schema=Stay, allow_empty=True)
    def stays(visits: Any) -> Any:
        """Visits of some days."""
        return visits.filter("days > 0").project("patient, days, _row")

    @domain.derived(schema=Load, key="ward", allow_empty=True)
    def loads(visits: Any) -> Any:
        """Visits by ward, and who stayed longest."""
        return visits.aggregate("ward, count(*) AS visits, arg_max(patient, days) AS longest", "ward")

    @domain.kpi(question="How many visits are in ward a?", unit="ratio")
    def share_of_a(visits: Any) -> Ratio:
        """Share of the visits that are in ward a."""
        return Ratio("count(*) FILTER (ward = 'a')", "count(*)")

    return domain


CLINIC = clinic()

DAY_1 = (
    "1,P-1,3,a",
    f"2,{ANNA},9,a",
    "3,P-2,0,b",
    f"4,{ANNA.lower()},-1,a",
    "5,P-3,-2,b",
    f"6,{ANNA},1,b,too,many",
    "7,P-4,2,a",
    "8,P-6,2,a",
)
DAY_2 = ("1,P-1,1,a", "2,P-5,1,b")


def land(
    folder: Path,
    batches: Mapping[str, tuple[str, ...]] | None = None,
    end: str = "\n",
    header: str = "visit,patient,days,ward",
) -> None:
    """Write the files of some batches."""
    for batch, rows in (batches or {"day_1": DAY_1, "day_2": DAY_2}).items():
        file = folder / "landing" / "visits" / f"{batch}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(end.join((header, *rows)) + end)


def rows_of(installation: Installation, *tables: str) -> dict[str, list[tuple[str, ...]]]:
    """The rows of some tables, without times and snapshots, as text."""
    shown = {}
    for name in tables or (
        "clinic_raw.visits",
        "clinic_quarantine.visits",
        "clinic.visits",
        "clinic.stays",
        "clinic.loads",
        "clinic.share_of_a",
    ):
        with installation.engine() as engine:
            rows = installation.lakehouse.relation(engine, TableId(*name.split("."))).to_arrow_table().to_pylist()
        hidden = {"_quarantined_at", "measured_at", "inputs"}
        shown[name] = sorted(tuple(str(v) for k, v in row.items() if k not in hidden) for row in rows)
    return shown
