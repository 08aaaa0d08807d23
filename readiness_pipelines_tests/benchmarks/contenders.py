"""The same ten rules in every tool: read the file, split its rows, write good and bad ones.

Each function takes the input file and an empty folder, imports and declares what it needs, and returns what is
measured: a function that gives the files of the good and of the bad rows. Imports are inside, so that a tool does not
pay for its peers.
"""
# ruff: noqa: PLC0415  # see above

from collections.abc import Callable
from pathlib import Path
from typing import Any

Written = tuple[list[str], list[str]]
Contender = Callable[[str, Path], Callable[[], Written]]

NAMES = [
    "id", "customer", "amount", "currency", "status", "code", "days", "score", "day", "mail", "flag", "note",
    "_batch", "_row", "_file",
]  # fmt: skip
CURRENCIES = ["EUR", "USD", "GBP", "CHF"]
STATES = ["new", "paid", "shipped", "returned"]
CODE = r"^C\d{5}$"


def gate(file: str, folder: Path) -> Callable[[], Written]:
    """This gate, staged and committed to Iceberg as a delivery does it."""
    return _gate(file, folder, profiles=False)


def gate_with_profile(file: str, folder: Path) -> Callable[[], Written]:
    """The same with the profile of what is published, as the ledger keeps it."""
    return _gate(file, folder, profiles=True)


def _gate(file: str, folder: Path, *, profiles: bool) -> Callable[[], Written]:
    from readiness_pipelines.delivery.profiling import profile_of_staged
    from readiness_pipelines.gates import DuckDbEngine, Gate
    from readiness_pipelines.installation import Installation
    from readiness_pipelines.names import TableId
    from readiness_pipelines.settings import Settings
    from readiness_pipelines_tests.benchmarks.schema import Order

    installation = Installation.open(Settings(landing=str(folder), warehouse=str(folder / "warehouse"), settles="0s"))
    lakehouse, orders = installation.lakehouse, Gate(Order)
    # The engine opens no file outside of the warehouse.
    raw = folder / "warehouse" / "orders.parquet"
    raw.hardlink_to(file)

    def run() -> Written:
        written = []
        with installation.engine() as engine:
            verdict = orders.judge(engine.sql(f"SELECT * FROM '{raw}'"), DuckDbEngine(engine))
            waiting = verdict.quarantined.limit(0).to_arrow_table().schema
            for name, rows, schema in (
                (TableId("shop_quarantine", "orders"), verdict.quarantined, waiting),
                (TableId("shop", "orders"), verdict.published, verdict.schema),
            ):
                lakehouse.ensure(name, schema)
                staged = lakehouse.stage(name, rows, batch="bench", schema=schema)
                if profiles and rows is verdict.published:
                    profile_of_staged(staged, installation.lakehouse, engine).to_json()
                lakehouse.replace(name, staged, properties={"readiness.attempt": str(name)})
                written.append(list(staged.files))
        bad, good = written
        return good, bad

    return run


def copy(file: str, folder: Path) -> Callable[[], Written]:
    """No gate: DuckDB copies the rows, with the same memory bound as the gate."""
    import duckdb

    def run() -> Written:
        config: Any = {"memory_limit": "640MB", "temp_directory": str(folder), "preserve_insertion_order": "false"}
        with duckdb.connect(config=config) as connection:
            columns = ", ".join(NAMES)
            connection.execute(
                f"COPY (SELECT {columns} FROM '{file}') TO '{folder}/good.parquet' (FORMAT parquet, COMPRESSION zstd)"
            )
        return [f"{folder}/good.parquet"], []

    return run


def append(file: str, folder: Path) -> Callable[[], Written]:
    """No gate: PyIceberg appends the rows to an unpartitioned table."""
    import pyarrow.parquet as pq
    from pyiceberg.catalog.sql import SqlCatalog

    def run() -> Written:
        catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
        rows = pq.read_table(file, columns=NAMES)
        catalog.create_namespace("shop")
        table = catalog.create_table("shop.orders", rows.schema)
        table.append(rows)
        return [task.file.file_path.removeprefix("file://") for task in table.scan().plan_files()], []

    return run


def pandera_polars(file: str, folder: Path) -> Callable[[], Written]:
    """Pandera on Polars: validate lazily, split by the row numbers of the failure cases."""
    import polars as pl

    return split_by_pandera(lambda: pl.read_parquet(file, columns=NAMES), folder)


def split_by_pandera(read: Callable[[], Any], folder: Path) -> Callable[[], Written]:
    """Read a Polars frame, validate it by Pandera, split and write it."""
    import pandera.polars as pa
    import polars as pl
    from pandera.errors import SchemaErrors

    class Order(pa.DataFrameModel):
        id: pl.Int64 = pa.Field(unique=True)
        customer: pl.Int64 = pa.Field(ge=0)
        amount: pl.Float64 = pa.Field(ge=0)
        currency: pl.String = pa.Field(isin=CURRENCIES)
        status: pl.String = pa.Field(isin=STATES)
        code: pl.String = pa.Field(str_matches=CODE)
        days: pl.Int32 = pa.Field(in_range={"min_value": 1, "max_value": 14})
        score: pl.Float64 = pa.Field(in_range={"min_value": 0, "max_value": 1})
        day: pl.Date
        mail: pl.String = pa.Field(str_contains="@")
        flag: pl.Boolean
        note: pl.String = pa.Field(nullable=True)

    def run() -> Written:
        rows = read()
        failed = pl.Series([], dtype=pl.Int64)
        try:
            Order.validate(rows, lazy=True)
        except SchemaErrors as errors:
            failed = errors.failure_cases["index"].drop_nulls().unique().cast(pl.Int64)
        numbered = rows.with_row_index("_index")
        bad = pl.col("_index").cast(pl.Int64).is_in(failed.implode())
        return _write_polars(numbered.filter(~bad).drop("_index"), numbered.filter(bad).drop("_index"), folder)

    return run


def dataframely(file: str, folder: Path) -> Callable[[], Written]:
    """dataframely: `Schema.filter`."""
    import dataframely as dy
    import polars as pl

    class Order(dy.Schema):
        id = dy.Int64(primary_key=True)
        customer = dy.Int64(min=0, nullable=False)
        amount = dy.Float64(min=0, nullable=False)
        currency = dy.String(nullable=False, check=lambda column: column.is_in(CURRENCIES))
        status = dy.String(nullable=False, check=lambda column: column.is_in(STATES))
        code = dy.String(regex=CODE, nullable=False)
        days = dy.Int32(min=1, max=14, nullable=False)
        score = dy.Float64(min=0, max=1, nullable=False)
        day = dy.Date(nullable=False)
        mail = dy.String(regex="@", nullable=False)
        flag = dy.Bool(nullable=False)
        note = dy.String(nullable=True)
        _batch = dy.String(nullable=True)
        _row = dy.Int64(nullable=True)
        _file = dy.String(nullable=True)

    def run() -> Written:
        good, failure = Order.filter(pl.read_parquet(file, columns=NAMES))
        return _write_polars(good, failure.invalid(), folder)

    return run


def pointblank(file: str, folder: Path) -> Callable[[], Written]:
    """Pointblank: interrogate, and take its two halves."""
    import pointblank as pb
    import polars as pl

    required = [name for name in NAMES[:12] if name != "note"]

    def run() -> Written:
        validation = (
            pb.Validate(pl.read_parquet(file, columns=NAMES))
            .col_vals_not_null(required)
            .col_vals_expr(expr=~pl.col("id").is_duplicated())
            .col_vals_ge("customer", 0)
            .col_vals_ge("amount", 0)
            .col_vals_in_set("currency", CURRENCIES)
            .col_vals_in_set("status", STATES)
            .col_vals_regex("code", CODE)
            .col_vals_between("days", 1, 14)
            .col_vals_between("score", 0, 1)
            .col_vals_regex("mail", "@")
            .interrogate(collect_extracts=False)
        )
        return _write_polars(
            validation.get_sundered_data(type="pass"), validation.get_sundered_data(type="fail"), folder
        )

    return run


def great_expectations(file: str, folder: Path) -> Callable[[], Written]:
    """Great Expectations on pandas: complete results with the index of each unexpected row."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import pandas as pd

    def run() -> Written:
        rows = pd.read_parquet(file, columns=NAMES)
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        batch = (
            context.data_sources.add_pandas("bench")
            .add_dataframe_asset("orders")
            .add_batch_definition_whole_dataframe("all")
        )
        suite = context.suites.add(gx.ExpectationSuite(name="orders"))
        for column in [name for name in NAMES[:12] if name != "note"]:
            suite.add_expectation(gxe.ExpectColumnValuesToNotBeNull(column=column))
        for expectation in (
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeBetween(column="customer", min_value=0),
            gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0),
            gxe.ExpectColumnValuesToBeInSet(column="currency", value_set=CURRENCIES),
            gxe.ExpectColumnValuesToBeInSet(column="status", value_set=STATES),
            gxe.ExpectColumnValuesToMatchRegex(column="code", regex=CODE),
            gxe.ExpectColumnValuesToBeBetween(column="days", min_value=1, max_value=14),
            gxe.ExpectColumnValuesToBeBetween(column="score", min_value=0, max_value=1),
            gxe.ExpectColumnValuesToMatchRegex(column="mail", regex="@"),
        ):
            suite.add_expectation(expectation)
        definition = context.validation_definitions.add(gx.ValidationDefinition(name="all", data=batch, suite=suite))
        result = definition.run(batch_parameters={"dataframe": rows}, result_format="COMPLETE")
        failed: set[Any] = set()
        for one in result.results:
            failed.update(one.result.get("unexpected_index_list") or [])
        bad = rows.index.isin(failed)
        rows[~bad].to_parquet(folder / "good.parquet", compression="zstd")
        rows[bad].to_parquet(folder / "bad.parquet", compression="zstd")
        return [str(folder / "good.parquet")], [str(folder / "bad.parquet")]

    return run


def _write_polars(good: Any, bad: Any, folder: Path) -> Written:
    good.write_parquet(folder / "good.parquet", compression="zstd")
    bad.write_parquet(folder / "bad.parquet", compression="zstd")
    return [str(folder / "good.parquet")], [str(folder / "bad.parquet")]


FLOORS = ("DuckDB COPY, no gate", "PyIceberg append, no gate")
CONTENDERS: dict[str, Contender] = {
    "this gate": gate,
    "this gate, with profile": gate_with_profile,
    "DuckDB COPY, no gate": copy,
    "PyIceberg append, no gate": append,
    "Pandera on Polars": pandera_polars,
    "dataframely": dataframely,
    "Pointblank": pointblank,
    "Great Expectations": great_expectations,
}
