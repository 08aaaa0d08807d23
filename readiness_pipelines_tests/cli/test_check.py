"""`readiness check` names what is wrong with the code, all of it, with its line, and without a row of data."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import as_json, call

SHOP = '''\
import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation
from readiness_pipelines import Domain, FileDrop, Ratio, Source, SqlQuery, StaticBatches, Steward, Sum

shop = Domain("shop", owner="shop@shop.example")
KEYS = StaticBatches(keys=("day_1",))


def source(reader):
    return Source(origin="x", steward=Steward("S", "s@shop.example"), reader=reader)


class Order(pa.DataFrameModel):
    order_id: arrow.int64() = pa.Field(unique=True)
    amount: arrow.float64() = pa.Field(ge=0)
    code: arrow.string() = pa.Field(str_matches=r"(?=x)y")


shop.gated("orders", source=source(FileDrop("{batch}.csv")), schema=Order, batches=KEYS)


class Rows(pa.DataFrameModel):
    order_id: arrow.int64()
    total: arrow.string()


@shop.derived(schema=Rows)
def mistyped(orders: Relation) -> Relation:
    """A number where the schema wants text."""
    return orders.project("order_id, amount AS total")


@shop.derived(schema=Rows)
def misspelt(orders: Relation) -> Relation:
    """A column that is not there."""
    return orders.filter("stauts = 'paid'").project("order_id, code AS total")


@shop.kpi(question="Which share is dear?", unit="ratio")
def dear(orders: Relation) -> Ratio:
    """Over a column that is not there."""
    return Ratio("count(*) FILTER (amuont > 100)", "count(*)")


@shop.kpi(question="How much?", unit="EUR")
def first(orders: Relation) -> Relation:
    """It cannot be tried: no rows have no first one."""
    return orders.project(f"{orders.limit(1).fetchall()[0][1]} AS value").limit(1)


@shop.kpi(question="How much?", unit="EUR")
def fine(orders: Relation) -> Sum:
    """Nothing is wrong here."""
    return Sum("amount")
'''


def put_right() -> str:
    """The page without its mistakes."""
    text = SHOP.replace(', str_matches=r"(?=x)y"', "").replace('str_matches=r"(?=x)y"', "")
    for wrong, right in (("amount AS total", "code AS total"), ("stauts", "code"), ("amuont", "amount")):
        text = text.replace(wrong, right)
    return text


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a package `checked` that declares nothing yet."""
    (tmp_path / "checked").mkdir()
    (tmp_path / "checked" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "checked"]:
        del sys.modules[name]


def test_everything_that_is_wrong_is_named_at_once_with_its_line(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "checked" / "shop.py").write_text(SHOP)
    (project / "checked" / "broken.py").write_text("from readiness_pipelines import Domain\n\nx = 1 / 0\n")
    (project / "checked" / "cut.py").write_text("from readiness_pipelines import Domain\nx = Domain(\n")
    (project / "checked" / "names.py").write_text("from readiness_pipelines import (\n    Domian,\n    Sorce,\n)\n")
    (project / "checked" / "near.py").write_text("import pyarrow as arrow\n\nx = arrow.int46()\n")
    modules = ("broken:x", "cut:x", "shop:shp", "names:x", "near:x")
    monkeypatch.setenv("READINESS_DOMAINS", ",".join(["checked.shop:shop", *(f"checked.{one}" for one in modules)]))
    found = as_json("check", code=1)
    lines = SHOP.splitlines()
    at = {(one["file"], one["line"]): one for one in found["mistakes"]}
    for what, place in (
        ("(?=", "class Order"),
        ("'total_dtype'", "def mistyped"),
        ("stauts", "def misspelt"),
        ("amuont", "def dear"),
    ):
        # A function begins with its decorator.
        number = next(n for n, line in enumerate(lines, start=1) if line.startswith(place))
        one = at.pop(("checked/shop.py", number if place.startswith("class") else number - 1))
        assert what in one["what"]
    assert "ZeroDivisionError" in at.pop(("checked/broken.py", 3))["what"]
    assert "was never closed" in at.pop(("checked/cut.py", 2))["what"]
    assert at.pop(("checked/names.py", 2))["way_out"] == "did you mean 'Domain'?"
    assert at.pop(("checked/names.py", 3))["what"] == "readiness_pipelines has no 'Sorce'"
    assert at.pop(("checked/near.py", 3))["way_out"] == "did you mean 'int64'?"
    assert [(one["what"], one["code"]) for one in at.values()] == [
        ("unknown domain in checked.shop 'shp'", "unknown-name")
    ]
    assert (found["tables"], found["tried"], found["untried"]) == (6, 5, [])


def test_code_of_which_nothing_is_wrong_passes_without_a_warehouse(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "checked" / "shop.py").write_text(put_right())
    monkeypatch.setenv("READINESS_DOMAINS", "checked.shop:shop")
    monkeypatch.setenv("READINESS_WAREHOUSE", str(project / "nowhere"))
    assert "nothing is wrong in 6 tables" in call("check")
    assert not (project / "nowhere").exists()


def test_a_public_name_that_was_not_imported_is_named_with_its_import(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "checked" / "unimported.py").write_text('x = Pseudonym(key="k")\n')
    monkeypatch.setenv("READINESS_DOMAINS", "checked.unimported:x")
    (one,) = as_json("check", code=1)["mistakes"]
    assert one["way_out"] == "from readiness_pipelines import Pseudonym"


def test_a_consumer_that_relies_on_what_is_not_there_is_a_mistake(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumers = """
orders = shop.table("orders")
shop.consumer("close", contact="c", table=orders, columns=["amuont", "code"], rules="order_id_unqiue", notice="1d")
shop.consumer("board", contact="b", table=orders, contract="board.odcs.yaml")
"""
    (project / "checked" / "shop.py").write_text(put_right() + consumers)
    monkeypatch.setenv("READINESS_DOMAINS", "checked.shop:shop")
    assert [one["what"] for one in as_json("check", code=1)["mistakes"]] == [
        "unknown column of the consumer close of shop.orders 'amuont'",
        "unknown rule of the consumer close of shop.orders 'order_id_unqiue'",
        "the contract of the consumer board of shop.orders is not there",
    ]
