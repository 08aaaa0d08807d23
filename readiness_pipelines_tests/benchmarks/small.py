"""What is not about many rows: a small batch through the whole path, a wide batch, and one record."""

import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandera.polars as pap
import pandera.pyarrow as pa
import polars as pl
import pyarrow as arrow
from pydantic import BaseModel, Field
from rich.console import Console
from rich.table import Table

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.gates import Gate
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.benchmarks.growth import deliver_whole, land_batch
from readiness_pipelines_tests.samples import gated, order_domain

BY = Run(run_id="bench", who="bench")
SMALL_ROWS, SMALL_TIMES = 1_000, 30
WIDE_ROWS = 1_000
RECORD_TIMES = 20_000


class _Order(pa.DataFrameModel):
    """Ten checks over seven columns, and one that is only typed."""

    id: arrow.int64() = pa.Field(ge=0)
    amount: arrow.float64() = pa.Field(ge=0, le=1_000_000)
    currency: arrow.string() = pa.Field(isin=["EUR", "USD", "GBP", "CHF"])
    code: arrow.string() = pa.Field(str_matches=r"^C\d{5}$", str_length={"max_value": 6})
    days: arrow.int32() = pa.Field(ge=1, le=14)
    mail: arrow.string() = pa.Field(str_contains="@")
    score: arrow.float64() = pa.Field(in_range={"min_value": 0, "max_value": 1})
    day: arrow.date32()


class _PolarsOrder(pap.DataFrameModel):
    """The same for Polars."""

    id: pl.Int64 = pap.Field(ge=0)
    amount: pl.Float64 = pap.Field(ge=0, le=1_000_000)
    currency: pl.String = pap.Field(isin=["EUR", "USD", "GBP", "CHF"])
    code: pl.String = pap.Field(str_matches=r"^C\d{5}$", str_length={"max_value": 6})
    days: pl.Int32 = pap.Field(ge=1, le=14)
    mail: pl.String = pap.Field(str_contains="@")
    score: pl.Float64 = pap.Field(in_range={"min_value": 0, "max_value": 1})
    day: pl.Date


class _PydanticOrder(BaseModel):
    id: int = Field(ge=0)
    amount: float = Field(ge=0, le=1_000_000)
    currency: str = Field(pattern="^(EUR|USD|GBP|CHF)$")
    code: str = Field(pattern=r"^C\d{5}$", max_length=6)
    days: int = Field(ge=1, le=14)
    mail: str = Field(pattern="@")
    score: float = Field(ge=0, le=1)
    day: date


RECORD: dict[str, Any] = {
    "id": 7,
    "amount": 12.5,
    "currency": "EUR",
    "code": "C00042",
    "days": 3,
    "mail": "user@example.org",
    "score": 0.5,
    "day": date(2024, 3, 1),
}


def small_figures(folder: Path, out: Console) -> dict[str, float]:
    """Measure all three, and print them.

    Returns:
        Seconds, by what was done; of records microseconds.
    """
    figures = {
        **_small_batch(folder / "small"),
        **{f"wide batch of {count:,} columns, two checks each, s": _wide(folder, count) for count in (50, 500, 2_000)},
        "the same of 2,000 columns, 1,180 of which break a rule in each row, s": _wide(folder, 2_000, most=7),
        **_records(),
    }
    table = Table(title="Small, wide, one record (medians)", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for what, value in figures.items():
        table.add_row(what, f"{value:,.3f}")
    out.print(table)
    return figures


def _small_batch(folder: Path) -> dict[str, float]:
    """A thousand rows through raw, gate, derived table and KPI, again and again."""
    keys = [f"d{number:05d}" for number in range(SMALL_TIMES)]
    shop = order_domain(batches=keys)
    installation = Installation.open(
        Settings(landing=str(folder / "landing"), warehouse=str(folder / "warehouse"), settles="0s")
    )
    wall, processor = [], []
    for key in keys:
        land_batch(folder / "landing", key, SMALL_ROWS)
        started, worked = time.perf_counter(), time.process_time()
        deliver_whole(shop, key, installation)
        wall.append(time.perf_counter() - started)
        processor.append(time.process_time() - worked)
    return {
        "delivery of 1,000 rows through raw, gate, derived table and KPI, s": statistics.median(wall),
        "the same, processor time, s": statistics.median(processor),
    }


def _wide(folder: Path, columns: int, *, most: int = 10) -> float:
    """A thousand rows of so many columns, from CSV to published or quarantine; values are 5.1 to 9.9."""
    names = [f"c{number}" for number in range(columns)]
    place = folder / f"wide_{columns}_{most}"
    (place / "landing").mkdir(parents=True)
    line = ",".join(str((number % 49 + 51) / 10) for number in range(columns))
    (place / "landing" / "day.csv").write_text("\n".join([",".join(names), *[line] * WIDE_ROWS]) + "\n")

    def checks() -> list[pa.Check]:
        return [pa.Check.ge(0), pa.Check.le(most)]

    shop = Domain("shop", owner="shop@shop.example")
    shop.gated(
        "wide",
        source=Source(
            origin="Sensors",
            steward=Steward("Shop team", "shop@shop.example"),
            reader=FileDrop("{batch}.csv"),
        ),
        schema=pa.DataFrameSchema({name: pa.Column(arrow.float64(), checks()) for name in names}),
        batches=StaticBatches(keys=("day",)),
    )
    installation = Installation.open(
        Settings(landing=str(place / "landing"), warehouse=str(place / "warehouse"), settles="0s")
    )
    started = time.perf_counter()
    ingest(gated(shop, "wide"), batch="day", installation=installation, run=BY)
    deliver(gated(shop, "wide"), batch="day", installation=installation, run=BY)
    return time.perf_counter() - started


def _records() -> dict[str, float]:
    gate = Gate(_Order)
    started = time.perf_counter()
    assert gate.check_record(RECORD).passed  # what is measured must be right
    first = time.perf_counter() - started
    row = pl.DataFrame([RECORD]).cast({"days": pl.Int32})
    return {
        "one record, first call, ms": first * 1e3,
        "one record, ten checks, microseconds": _each(lambda: gate.check_record(RECORD), RECORD_TIMES),
        "pydantic, the same, microseconds": _each(lambda: _PydanticOrder(**RECORD), RECORD_TIMES),
        "Pandera on a Polars frame of one row, microseconds": _each(lambda: _PolarsOrder.validate(row), 200),
        "dataframely on one row, microseconds": _dataframely(row),
    }


def _dataframely(row: pl.DataFrame) -> float:
    import dataframely as dy  # noqa: PLC0415  # only the benchmark's own environment has it

    class Order(dy.Schema):
        id = dy.Int64(min=0, nullable=False)
        amount = dy.Float64(min=0, max=1_000_000, nullable=False)
        currency = dy.String(nullable=False, check=lambda column: column.is_in(["EUR", "USD", "GBP", "CHF"]))
        code = dy.String(regex=r"^C\d{5}$", max_length=6, nullable=False)
        days = dy.Int32(min=1, max=14, nullable=False)
        mail = dy.String(regex="@", nullable=False)
        score = dy.Float64(min=0, max=1, nullable=False)
        day = dy.Date(nullable=False)

    return _each(lambda: Order.validate(row), 200)


def _each(work: Callable[[], object], times: int) -> float:
    """Microseconds that a call takes: the median of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - started) / times * 1e6)
    return statistics.median(rounds)
