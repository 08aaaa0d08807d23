"""Lineage of declared tables, and of what was delivered: trees, impact, one row, and the command line."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import (
    DailyBatches,
    Domain,
    ExistsIn,
    FileDrop,
    FlagMissing,
    MonthlyBatches,
    NoisyRatio,
    Pseudonym,
    Ratio,
    Source,
    Steward,
    Sum,
    Tolerance,
    Trim,
    Value,
    cleanse,
    protect,
)
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Computed, Table
from readiness_pipelines.decisions import Correction, Waiver, keep_decision
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.delivery.classes import classes_of
from readiness_pipelines.domains import tables_of
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lineage import (
    ROWS,
    How,
    Influences,
    LineageGraph,
    RowPlace,
    column_lineage,
    known_lineage,
    row_custody,
    table_links,
    table_tree,
    verify_lineage,
)
from readiness_pipelines.names import TableId

DAY = "2026-03-01"


class Order(pa.DataFrameModel):
    """One order."""

    order_id: arrow.int64() = pa.Field(unique=True)
    email: arrow.string() = pa.Field(
        nullable=True,
        metadata=protect("pii.direct", Pseudonym(key="patients")) | cleanse(Trim(), FlagMissing("anonymous")),
    )
    amount: arrow.float64() = pa.Field(ge=0)
    currency: arrow.string()
    status: arrow.string() = pa.Field(isin=["paid", "refunded"])


class Rate(pa.DataFrameModel):
    """What a currency is worth."""

    code: arrow.string()
    rate: arrow.float64()


class Sales(pa.DataFrameModel):
    """Sales of a currency."""

    currency: arrow.string()
    amount: arrow.float64()


class Month(pa.DataFrameModel):
    """Sales of a month."""

    total: arrow.float64()


def source(pattern: str) -> Source:
    return Source(origin="Desk", steward=Steward("Desk", "desk@shop.example"), reader=FileDrop(pattern))


def shop() -> Domain:
    domain = Domain("shop", owner="shop@shop.example")
    days = DailyBatches(start="2026-01-01")
    domain.gated("rates", source=source("rates/{batch}.csv"), schema=Rate, batches=days)
    domain.gated(
        "orders",
        source=source("orders/{batch}/*.csv"),
        schema=Order,
        batches=days,
        rules=[ExistsIn("currency", table="rates", keys="code")],
        tolerance=Tolerance(quarantined_ratio=0.9),
    )

    @domain.derived(schema=Sales, key=["currency"])
    def sales(orders: Relation, rates: Relation) -> Relation:
        """Sales by currency."""
        joined = orders.set_alias("o").join(rates.set_alias("r"), "o.currency = r.code")
        return joined.filter("o.status = 'paid'").aggregate(
            "o.currency AS currency, sum(o.amount * r.rate) AS amount", "o.currency"
        )

    @domain.derived(schema=Sales, key=["currency"], language="arrow")
    def checked(sales: Any) -> Any:
        """The same, by Python."""
        return sales.select(["currency", "amount"])

    @domain.derived(schema=Month, batches=MonthlyBatches(start="2026-01-01"), reads={"sales": sales}, language="sql")
    def month(sales: str) -> str:
        """Sales of a month."""
        return f"SELECT sum(amount) AS total FROM {sales}"

    @domain.kpi(question="How much was sold?", unit="EUR", by=["currency"])
    def sold(sales: Relation) -> Sum:
        """Sales of a day."""
        return Sum("amount")

    @domain.kpi(question="How many orders?", unit="orders", by=["currency"], suppress_below=3, persons="email")
    def orders_kept(orders: Relation) -> Value:
        """Orders by currency, without small cells."""
        return Value("count(order_id)")

    @domain.kpi(question="How many refunds, with noise?", unit="ratio")
    def noisy(orders: Relation) -> NoisyRatio:
        """Refunds, with noise."""
        return NoisyRatio("status = 'refunded'", person="email", epsilon=1, budget=9)

    @domain.kpi(question="How many orders are refunded?", unit="ratio", target="<= 0.5")
    def refund_rate(orders: Relation) -> Ratio:
        """Share of the orders that were refunded."""
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    return domain


def parts(found: Influences) -> set[tuple[str, str]]:
    return {(f"{one.table}.{one.column}", one.how.value) for one in found}


def table(domain: Domain, name: str) -> Table:
    return domain.table(name)


def graph_of(domain: Domain) -> LineageGraph:
    return LineageGraph(tables_of([domain]).values(), column_lineage)


def test_columns_of_declared_tables_are_made_of_what_cleansing_protection_transform_and_measure_make_of_them() -> None:
    domain = shop()
    orders = column_lineage(table(domain, "orders"))
    assert parts(orders.columns["order_id"]) == {("shop_raw.orders.order_id", "identity")}
    (email,) = orders.columns["email"]
    assert (email.how, email.masking) == (How.TRANSFORMATION, True)
    assert parts(orders.columns["anonymous"]) == {("shop_raw.orders.email", "transformation")}
    assert {("shop.rates.code", "filter"), ("shop_raw.orders.status", "filter")} <= parts(orders.rows)

    sales = column_lineage(table(domain, "sales"))
    assert parts(sales.columns["amount"]) == {("shop.orders.amount", "aggregation"), ("shop.rates.rate", "aggregation")}
    assert {("shop.orders.status", "filter"), ("shop.rates.code", "join")} <= parts(sales.rows)
    assert not sales.unresolved
    checked = column_lineage(table(domain, "checked"))
    assert parts(checked.columns["amount"]) == {("shop.sales.*", "aggregation")}
    assert "not SQL" in checked.unresolved[0]
    assert parts(column_lineage(table(domain, "month")).columns["total"]) == {("shop.sales.amount", "aggregation")}
    sold = column_lineage(table(domain, "sold"))
    assert parts(sold.columns["value"]) == {("shop.sales.amount", "aggregation")}
    assert parts(sold.columns["currency"]) == {("shop.sales.currency", "transformation")}
    refunds = column_lineage(table(domain, "refund_rate"))
    assert parts(refunds.columns["met"]) == {("shop.orders.status", "conditional")}
    assert refunds.columns["unit"] == frozenset()
    kept = column_lineage(table(domain, "orders_kept"))
    assert parts(kept.columns["value"]) == {
        ("shop.orders.order_id", "aggregation"),
        ("shop.orders.email", "conditional"),
    }
    assert parts(kept.columns["suppressed"]) == {("shop.orders.email", "conditional")}
    noisy = column_lineage(table(domain, "noisy"))
    assert ("shop.orders.status", "conditional") in parts(noisy.columns["value"])
    assert ("shop.orders.email", "filter") in parts(noisy.rows)
    assert [one.name for one in domain.tables if column_lineage(one).unresolved] == ["checked"]


def test_an_impact_names_the_columns_tables_and_kpis_that_a_column_reaches_and_nothing_else() -> None:
    domain = shop()
    domain.consumer("finance", table=table(domain, "sales"), columns=["amount"], contact="finance@shop.example")
    domain.consumer("desk", table=table(domain, "sales"), columns=["currency"], contact="desk@shop.example")
    graph = graph_of(domain)
    rate = graph.impact(graph.node("shop.rates.RATE"))
    assert list(map(str, rate.tables)) == ["shop.sales", "shop.checked", "shop.month", "shop.sold"]
    assert list(map(str, rate.kpis)) == ["shop.sold"]
    assert "shop.checked" in map(str, rate.unresolved)
    # The desk reads no amount, but a rate that is missing takes a row from it.
    assert rate.consumers == ("finance <finance@shop.example>", "desk <desk@shop.example>")
    assert graph.impact(graph.node("shop_raw.orders.email")).consumers == ()
    status = graph.impact(graph.node("shop_raw.orders.status"))
    assert set(map(str, status.kpis)) == {"shop.sold", "shop.refund_rate", "shop.noisy", "shop.orders_kept"}
    assert TableId("shop", "orders") in status.rows  # whose other values are quarantined
    tree = graph.upstream(graph.node("shop.sold.value"), direct=True)
    (sales,) = tree.branches
    assert {str(one.node) for one in sales.branches} == {"shop.orders.amount", "shop.rates.rate"}
    assert all(one.branches[0].node.table.is_raw for one in sales.branches)
    with pytest.raises(UnknownNameError, match="did you mean 'amount'"):
        graph.node("shop.orders.amont")


def land(landing: Path, name: str, header: str, rows: Sequence[str]) -> None:
    file = landing / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n")


def bring(domain: Domain, installation: Installation) -> None:
    landing = installation.landing.path
    land(landing, f"rates/{DAY}.csv", "code,rate", ["EUR,1", "USD,0.9"])
    header = "order_id,email,amount,currency,status"
    land(landing, f"orders/{DAY}/a.csv", header, ["1, ann@x.example,10,EUR,paid", "2,,20,USD,refunded"])
    land(landing, f"orders/{DAY}/b.csv", header, ["3,ben@x.example,-30,EUR,refunded", "4,cleo@x.example,40,GBP,paid"])
    run = Run(who="me")
    for name in ("rates", "orders"):
        ingest(table(domain, name), batch=DAY, installation=installation, run=run)  # type: ignore[arg-type]  # gated
    deliver_all(domain, installation)


def deliver_all(domain: Domain, installation: Installation) -> None:
    for name in ("rates", "orders", "sales", "checked", "sold", "refund_rate"):
        deliver(table(domain, name), batch=DAY, installation=installation, run=Run(who="me"))
    deliver(table(domain, "month"), batch="2026-03", installation=installation, run=Run(who="me"))


def test_one_row_is_followed_from_its_record_in_a_file_through_decisions_to_kpis(
    installation: Installation,
) -> None:
    domain = shop()
    bring(domain, installation)
    orders, tables = table(domain, "orders"), tuple(tables_of([domain]).values())

    def follow(name: str, row: int, batch: str = DAY) -> Any:
        return row_custody(table(domain, name), batch=batch, row=row, tables=tables, installation=installation)

    waiting = follow("orders", 2)
    assert (waiting.place, waiting.broken) == (RowPlace.WAITING, ("amount_greater_than_or_equal_to",))
    assert (waiting.file.origin.name, waiting.file.record) == (f"orders/{DAY}/b.csv", 1)
    assert waiting.used_by == ()

    ref = BatchRef(orders.id, DAY)
    for what in (
        Correction(column="amount", expression="'30'", where="order_id = '3'"),
        Waiver(rule="exists_in_rates"),
    ):
        if isinstance(what, Waiver):
            what = Waiver(rule=follow("orders", 3).broken[0])  # noqa: PLW2901  # as the gate calls it
        keep_decision(
            installation.ledger, ref, what, who="me", why="sure", at=Run().clock(), classes=classes_of(orders)
        )
    deliver_all(domain, installation)
    found = follow("orders", 2)
    record = installation.ledger.get(ref)
    assert record is not None
    assert (found.place, found.judged.snapshot) == (RowPlace.PUBLISHED, record.snapshots.published)
    assert [one.touches for one in found.decisions] == [True, True]
    assert [one.touches for one in follow("orders", 1).decisions] == [False, True]
    raw = next(stage for stage in found.made_of if stage.ref.table.is_raw and stage.ref.table.name == "orders")
    assert raw.snapshot == record.inputs[orders.id.raw][DAY]
    assert len(raw.origins[0].fingerprint) >= 32
    kpis = {str(stage.ref) for stage in found.used_by if stage.kpi}
    assert kpis == {f"shop.sold[{DAY}]", f"shop.refund_rate[{DAY}]"}
    total = follow("sold", 0)
    assert total.file is None
    assert {origin.name for stage in total.made_of for origin in stage.origins} == {
        f"orders/{DAY}/a.csv",
        f"orders/{DAY}/b.csv",
        f"rates/{DAY}.csv",
    }
    with pytest.raises(UnknownNameError, match="99"):
        follow("orders", 99)


def test_the_witness_agrees_with_delivered_tables_and_the_command_line_shows_it_all(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = shop()
    bring(domain, installation)
    orders, tables = table(domain, "orders"), tuple(tables_of([domain]).values())
    for name in ("sales", "sold", "refund_rate", "month", "checked"):
        one = table(domain, name)
        assert isinstance(one, Computed)
        seen = verify_lineage(one, batch="2026-03" if name == "month" else DAY, installation=installation)
        assert not seen.contradicted, name
        assert seen.confirmed, name

    links = table_links(tables, installation=installation)
    tree = table_tree(TableId("shop", "sold"), tables, links, upstream=True)
    assert tree.branches[0].link is not None
    assert list(tree.branches[0].link.recorded) == [DAY]
    assert known_lineage(orders, installation) is column_lineage(orders)
    assert ROWS not in known_lineage(orders, installation).columns
    shown = commands(tmp_path, monkeypatch)
    assert max(map(len, shown("upstream", "shop.sold.value").splitlines())) <= 80
    assert "shop.orders.amount" in shown("upstream", "shop.sold.value", "--direct")
    assert json.loads(shown("downstream", "orders", "--json"))["branches"][0]["link"]["batch"] == DAY
    assert json.loads(shown("impact", "shop.rates.rate", "--json"))["kpis"] == ["shop.sold"]
    assert f"orders/{DAY}/b.csv, record 1" in shown("row", "shop.orders", DAY, "2")
    assert "ben@x.example" not in shown("row", "shop.orders", DAY, "2", "--json")
    assert json.loads(shown("verify", "shop.sales", "--json"))["contradicted"] == []
    file = tmp_path / "events.jsonl"
    monkeypatch.setenv("READINESS_OPENLINEAGE", json.dumps({"file": f"file:{file}"}))
    (sent,) = json.loads(shown("send", "--json"))
    assert sent["sent"] == len(file.read_text().splitlines()) == 18
    shown("watch", "--json", group="")
    assert sent["sent"] == len(file.read_text().splitlines())


def commands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `readiness lineage …` in a folder, and gives what it prints."""
    from typer.testing import CliRunner  # noqa: PLC0415  # only here

    from readiness_pipelines.cli.main import app  # noqa: PLC0415  # only here

    (folder / "lineage_shop.py").write_text(
        "from readiness_pipelines_tests.lineage.test_tables import shop\nshop = shop()\n"
    )
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("READINESS_DOMAINS", "lineage_shop:shop")
    monkeypatch.setenv("READINESS_LANDING", str(folder / "landing"))
    monkeypatch.setenv("READINESS_WAREHOUSE", str(folder / "warehouse"))
    monkeypatch.setenv("READINESS_KEYS", json.dumps({"patients": f"file:{folder / 'patients.key'}"}))
    monkeypatch.setenv("COLUMNS", "80")

    def shown(*words: str, group: str = "lineage") -> str:
        result = CliRunner().invoke(app, [group, *words] if group else list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return shown
