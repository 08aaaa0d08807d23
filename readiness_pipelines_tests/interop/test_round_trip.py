"""Tables to contracts of the standard and back: the same gates; what no file can carry is listed."""

from importlib import import_module
from pathlib import Path

import narwhals.stable.v1 as nw
import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, Function, Source, Steward, Versions
from readiness_pipelines.delivery import check_domains, gate_of
from readiness_pipelines.gates import differences
from readiness_pipelines.interop.bounded_yaml import read_yaml
from readiness_pipelines.interop.odcs.checking import declared_contract
from readiness_pipelines.interop.odcs.importing import import_contracts
from readiness_pipelines.interop.odcs.linting import lint
from readiness_pipelines.interop.odcs.reading import read_odcs
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.interop.importing import export, load

DOMAINS = {
    "readiness_pipelines.examples.fraud": "fraud",
    "readiness_pipelines.examples.fab": "fab",
    "readiness_pipelines.examples.readmissions": "readmissions",
    "readiness_pipelines_tests.gallery.covid": "covid",
    "readiness_pipelines_tests.gallery.shop": "shop",
    "readiness_pipelines_tests.gallery.tills": "tills",
    "readiness_pipelines_tests.interop.everything": "everything",
}


@pytest.mark.parametrize("module", DOMAINS)
def test_tables_become_contracts_and_the_same_gates_again(module: str, tmp_path: Path) -> None:
    domain: Domain = getattr(import_module(module), DOMAINS[module])
    files = export(domain.tables, tmp_path)
    found = import_contracts(files, with_code=True)
    again = load(found.page, tmp_path).domain
    for table, file in zip(domain.tables, files, strict=True):
        one, other = gate_of(table), gate_of(again.table(table.name))
        lost = {f"rule {rule.check}" for rule in declared_contract(table).guarantees if rule.lost}
        changed = differences(one.declaration, other.declaration)
        assert {change.what.partition(" on ")[0] for change in changed} == lost, changed
        assert (one.version == other.version) == (not lost)
        document = read_yaml(file)
        assert lint(document) == ()
        if lost:
            continue
        (read,) = read_odcs(document).contracts
        declared = declared_contract(table)
        assert read.version == declared.version
        # A derived table arrives there: all else that it promises is the same, too.
        if declared.source["kind"] == "gated":
            assert declared_contract(again.table(table.name)).version == declared.version
    told = [line for line in found.lost if "computed there" not in line and "for each month" not in line]
    carried = [one for all_of in found.unmapped.values() for one in all_of if "cannot be carried" not in one.why]
    assert (len(told), carried) == (1 if module.endswith("fraud") else 0, [])  # a rule of its KPI is a lambda
    known = {one.what for one in check_domains([domain], Settings()).mistakes}  # a database or key of those who run it
    assert {one.what for one in check_domains([again], Settings()).mistakes} <= known


def test_a_column_that_need_not_arrive_is_promised_to_nobody(tmp_path: Path) -> None:
    domain = import_module("readiness_pipelines_tests.interop.everything").everything
    (file,) = [file for file in export(domain.tables, tmp_path) if "extra" in file.read_text()]
    columns = {one["name"]: one for one in read_yaml(file).value["schema"][0]["properties"]}
    assert (columns["extra"]["required"], columns["order_id"]["required"]) == (False, True)


def test_what_no_file_can_carry_is_listed_in_the_contract_on_the_page_and_by_the_import(tmp_path: Path) -> None:
    shop = Domain("shop", owner="shop@shop.example")
    least = 3
    shop.gated(
        "orders",
        source=Source(origin="Shop", steward=Steward("S", "s@s.example"), reader=Function(lambda: [{"amount": 1}])),
        schema=pa.DataFrameSchema(
            {
                "amount": pa.Column(
                    arrow.int64(), checks=pa.Check(lambda column: column > least, native=False, name="odd")
                )
            }
        ),
        batches=Versions(),
        rules=[pa.Check(lambda _frame: nw.col("amount") < 9, native=False, name="small")],
    )
    files = export(shop.tables, tmp_path)
    found = import_contracts(files, with_code=True)
    (unmapped,) = found.unmapped.values()
    assert [one.why.partition(":")[0] for one in unmapped] == ["it cannot be carried"] * 2
    assert [line.partition(":")[0] for line in found.lost] == [
        "the rule amount_odd", "the rule small", "how orders is read",
    ]  # fmt: skip
    assert found.page.count("NOT MAPPED") == 5
    names = [rule.name for rule in gate_of(load(found.page, tmp_path).domain.table("orders")).rules]
    assert not {"amount_odd", "small"} & set(names)


def test_code_of_a_contract_is_a_comment_until_somebody_wants_it(tmp_path: Path) -> None:
    domain: Domain = import_module("readiness_pipelines.examples.fab").fab
    files = export(domain.tables, tmp_path)
    found = import_contracts(files)
    assert "    # def dated_in_its_batch(" in found.page
    assert [line for line in found.lost if "dated_in_its_batch" in line] == [
        "the rule dated_in_its_batch is code of the contract's: it is a comment until you have read it"
    ]
    names = [rule.name for rule in gate_of(load(found.page, tmp_path).domain.table("wafers")).rules]
    assert "dated_in_its_batch" not in names


def test_a_contract_is_written_the_same_each_time_and_its_version_is_no_number_to_others(tmp_path: Path) -> None:
    domain: Domain = import_module("readiness_pipelines.examples.readmissions").readmissions
    first = [file.read_text() for file in export(domain.tables, tmp_path)]
    assert first == [file.read_text() for file in export(domain.tables, tmp_path)]
    assert all(f"\nversion: {declared_contract(table).version}\n" in text.replace("'", "") for table, text in
               zip(domain.tables, first, strict=True))  # fmt: skip
