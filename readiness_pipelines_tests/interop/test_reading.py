"""Contracts of others are read, or refused with a reason; whatever has no place is listed, and nothing of it runs."""

import ast
import json
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pytest

from readiness_pipelines.compatibility.arrow_types import type_from_foreign
from readiness_pipelines.delivery import check_domains, gate_of
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.interop.bounded_yaml import YamlDocument, parse_yaml, read_yaml, walk
from readiness_pipelines.interop.odcs.importing import import_contracts
from readiness_pipelines.interop.odcs.linting import lint
from readiness_pipelines.interop.odcs.reading import ReadContract, read_odcs
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.interop.importing import load

SHARED = Path(__file__).parents[3] / "shared" / "data" / "odcs_contracts"
HEAD: dict[str, Any] = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "version": "1", "status": "draft"}


def document(columns: list[Any], version: str = "v3.1.0", **more: Any) -> YamlDocument:
    table = {"name": "orders", "properties": columns, **more.pop("table", {})}
    value = {**HEAD, "apiVersion": version, "schema": [table], **more}
    return parse_yaml(json.dumps(value).encode(), file="orders.yaml")


def read(columns: list[Any], version: str = "v3.1.0", **more: Any) -> ReadContract:
    return read_odcs(document(columns, version, **more))


def imported(found: YamlDocument, tmp_path: Path) -> Any:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(found.value))
    return import_contracts([file])


def test_types_rules_and_promises_of_others_are_read_as_ours() -> None:
    found = read(
        [
            {"name": "id", "logicalType": "integer", "physicalType": "BIGINT", "primaryKey": True},
            {"name": "amount", "logicalType": "number", "physicalType": "NUMERIC(10,2)",
             "logicalTypeOptions": {"minimum": 0, "exclusiveMaximum": 9.5}},
            {"name": "at", "logicalType": "timestamp", "physicalType": "timestamp_tz", "required": True},
            {"name": "note", "logicalType": "string", "logicalTypeOptions": {"maxLength": 9, "pattern": "^a+$"},
             "classification": "PII",
             "quality": [{"metric": "nullValues", "mustBeLessOrEqualTo": 5, "unit": "percent"}]},
            {"name": "tags", "logicalType": "array", "items": {"logicalType": "string"}},
            {"name": "lines", "logicalType": "array", "items": {"logicalType": "object", "properties": [
                {"name": "sku", "logicalType": "string"}, {"name": "n", "logicalType": "integer"}]}},
            {"name": "kind", "logicalType": "string", "enum": [{"value": "a"}, {"value": "b"}]},
        ],
        version="v3.2.0",
        table={"quality": [{"metric": "rowCount", "mustBeGreaterThan": 0, "severity": "warning"}]},
        slaProperties=[
            {"property": "freshness", "value": 2, "unit": "days"}, {"property": "retention", "value": "P1Y"},
        ],
    )  # fmt: skip
    (contract,) = found.contracts
    assert [(one.name, one.type, one.nullable) for one in contract.columns] == [
        ("id", "int64", False), ("amount", "decimal128(10, 2)", True), ("at", "timestamp[us, tz=UTC]", False),
        ("note", "string", True), ("tags", "list<item: string>", True),
        ("lines", "list<item: struct<sku: string, n: int64>>", True), ("kind", "string", True),
    ]  # fmt: skip
    assert [(one.name, one.route) for one in contract.guarantees] == [
        ("amount_greater_than_or_equal_to", "quarantine"), ("amount_less_than", "quarantine"),
        ("note_null_share", "hold"), ("note_str_length", "quarantine"), ("note_str_matches", "quarantine"),
        ("kind_isin", "quarantine"), ("row_count", "warn"),
    ]  # fmt: skip
    assert contract.freshness is not None
    assert (contract.freshness.fail_after.days, contract.retention and contract.retention.days) == (2, 365)
    assert (contract.column("note") or contract.columns[0]).classification == "pii"
    assert found.unmapped == ()


def test_each_value_of_a_contract_is_read_or_listed() -> None:
    # A value that nobody expects, in each place of a contract in turn.
    base = read_yaml(Path(__file__).parents[1] / "compatibility" / "orders.odcs.yaml")
    mappings = [path for path, value in walk(base.value) if isinstance(value, dict)]
    for path in mappings:
        value = json.loads(json.dumps(base.value))
        place = value
        for part in path:
            place = place[part]
        place["surprise"] = "nobody expects it"
        found = read_odcs(parse_yaml(json.dumps(value).encode(), file="f"))
        inside = "readinessColumn" in str(path) or "value" in path or "arguments" in path  # taken as a whole
        assert inside or any("nobody expects it" in one.value for one in found.unmapped), path


ODD: dict[str, Any] = {
    "columns that are none": [1, None, {"name": 3}, {"name": ["a"]}, {"name": ""}],
    "fields of other kinds": [{"name": "a", "required": "yes", "unique": 5, "primaryKey": "x", "logicalType": ["a"],
        "physicalType": {"a": 1}, "quality": 7, "logicalTypeOptions": [], "classification": 8, "customProperties": {}}],
    "names that Python cannot write": [{"name": one, "logicalType": "string"} for one in (
        "größe", "数量", "🎉", "class", "Id", "id", "_batch", "*", "a b", "a'b\"c", "new\nline", "عربي",
        "\u202eevil", "import", "validate", "e\u0301", "é", "schema", "pa", "arrow", "domain")],
    "bounds that are none": [
        {"name": "a", "logicalType": "integer", "logicalTypeOptions": {"minimum": 5, "maximum": 1}},
        {"name": "b", "logicalType": "integer", "logicalTypeOptions": {"minimum": 1e300, "exclusiveMinimum": 10**20}},
        {"name": "c", "logicalType": "date", "logicalTypeOptions": {"minimum": "2020-13-45", "maximum": "2020-01-01"}},
        {"name": "d", "logicalType": "string", "logicalTypeOptions": {"minLength": 10, "maxLength": 2}},
        {"name": "e", "logicalType": "number", "physicalType": "decimal(99,50)"},
        {"name": "f", "logicalType": "number", "logicalTypeOptions": {"minimum": "1,5"}}],
    "patterns that no engine reads": [
        {"name": f"c{at}x", "logicalType": "string", "logicalTypeOptions": {"pattern": one}} for at, one in enumerate(
            ("(?=a)b", "[", "\\p{L}+", "a|b", "^a|b$", "(?P<x>a)(?P=x)", "[[:alpha:]]", "^(?:)$"))],
    "objects and maps": [
        {"name": "o", "logicalType": "object", "properties": [{"name": "a", "logicalType": "string"}]},
        {"name": "m", "logicalType": "map", "map": {"key": {"logicalType": "string"}}},
        {"name": "l", "logicalType": "array"}, {"name": "v", "logicalType": "vector"}],
    "rules that are none": [{"name": "a", "logicalType": "integer", "quality": [
        {"metric": "invalidValues", "arguments": {"validValues": []}, "mustBe": 0}, {"metric": "nope"},
        {"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"}, {"type": "sql", "query": "SELECT 1"},
        {"metric": "duplicateValues", "mustBeLessThan": 3}, {"type": "custom", "engine": "soda", "implementation": "x"},
        {"metric": "invalidValues", "arguments": {"validValues": ["a"]}, "mustBe": 0}]}],
    "no columns": [],
    "a thousand columns": [{"name": f"c{at}x", "logicalType": "string"} for at in range(1000)],
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_odd_contracts_become_pages_that_are_right_and_list_the_rest(what: str, tmp_path: Path) -> None:
    given = document(ODD[what], version="v3.2.0")
    found = imported(given, tmp_path)
    domain = load(found.page, tmp_path).domain
    assert check_domains([domain], Settings()).mistakes == ()
    assert found.lost or any(found.unmapped.values()) or what == "a thousand columns"
    assert len(gate_of(domain.tables[0]).spec.columns) <= max(len(ODD[what]), 1)
    lint(given)


def test_nothing_of_a_contract_runs_by_being_imported(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    evil = f'x"""\n"\nopen({str(witness)!r}, "w")\n"""'
    code = f"@pa.check\ndef f(cls): pass\nopen({str(witness)!r}, 'w')"
    column = {
        "name": evil, "description": evil, "logicalType": "string", "classification": f"pii.{evil}", "examples": [evil],
        "quality": [
            {"type": "custom", "engine": "readiness", "name": evil,
             "implementation": {"check": evil, "code": code, "uses": {evil: {"import": evil}, "os": {"import": "os"}}}},
            {"metric": "invalidValues", "arguments": {"validValues": [evil]}, "mustBe": 0},
        ],
        "customProperties": [{"property": "readinessColumn", "value": {
            "type": evil, "protection": {evil: {}}, "steps": [{"Categories": {"mapping": {evil: evil}}}, {evil: {}}],
            "default": evil, "reviewed": evil}}],
    }  # fmt: skip
    source = {"origin": evil, "batches": {evil: {}}, "reader": {"FileDrop": {"pattern": evil, evil: 1}}}
    gate = {"version": evil, "settings": {"missing": [evil], "unique": [[evil]], "schema_change": evil}}
    found = imported(
        document(
            [column],
            id=evil, status=evil, domain=evil, description={"purpose": evil, "limitations": evil},
            team={"name": evil, "members": [{"username": evil, "name": evil, "role": "steward"}]},
            customProperties=[
                {"property": "readinessSource", "value": source}, {"property": "readinessGate", "value": gate},
                {"property": "consumers", "value": [{"name": evil, "contact": evil, "columns": [evil]}]},
                {"property": "readinessFreshness", "value": {"warn_after": "1h", "fail_after": "2h", "due": evil}},
            ],
        ),
        tmp_path,
    )  # fmt: skip
    load(found.page, tmp_path)
    assert not witness.exists()
    called = {node.func.id for node in ast.walk(ast.parse(found.page)) if isinstance(node, ast.Call)
              and isinstance(node.func, ast.Name)}  # fmt: skip
    assert "open" not in called


@pytest.mark.parametrize(
    "settings", [{"unique": [[{"a": 1}]]}, {"missing": [3]}, {"schema_change": []}, {"deduplicate": 1}]
)
def test_settings_of_other_kinds_are_listed_as_a_whole(settings: dict[str, Any], tmp_path: Path) -> None:
    gate = {"property": "readinessGate", "value": {"version": "a", "settings": settings}}
    found = imported(document([{"name": "a", "logicalType": "string"}], customProperties=[gate]), tmp_path)
    (left,) = [one for all_of in found.unmapped.values() for one in all_of if "customProperties" in one.where]
    assert left.why == "it is not what readinessGate should be (TypeError)"
    assert load(found.page, tmp_path).domain.tables


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a contract: it is empty"),
        ("- a", "is not a contract: it is a list"),
        ("a: 1", "is not a contract of the Open Data Contract Standard"),
        ("apiVersion: v2.2.2\nkind: DataContract", "f.yaml:1: version 'v2.2.2' of the standard is not read"),
        ("dataContractSpecification: 1.1.0", "is of the Data Contract Specification, which the standard replaced"),
    ],
)
def test_what_is_no_contract_is_refused(text: str, message: str) -> None:
    for judge in (lint, read_odcs):
        with pytest.raises(DeclarationError, match=message):
            judge(parse_yaml(text.encode(), file="f.yaml"))


def test_lint_names_the_line_and_the_way_out() -> None:
    text = (
        "apiVersion: v3.0.2\nkind: DataContract\nid: x\nstatus: draft\nstautus: active\nschema:\n  - name: t\n"
        "    properties:\n      - {name: a, logicalType: timestamp, required: 'yes'}\n"
        "      - {name: a, logicaltype: text}\n"
        "      - logicalType: strin\n    quality:\n      - {type: sql}\n      - {metric: nullvalues, mustBe: 0}\n"
        "team: {members: [1]}\nslaProperties: []\ndescription:\n"
    )
    found = [(one.line, one.where, one.what, one.way_out) for one in lint(parse_yaml(text.encode(), file="f.yaml"))]
    assert found[:4] == [
        (1, "the contract", "has no version", "write version:"),
        (5, "stautus", "the standard has no such field", "did you mean 'status'?"),
        (
            9,
            "schema[0].properties[0].logicalType",
            "'timestamp' is a logical type since 3.1",
            "change it, or apiVersion",
        ),
        (9, "schema[0].properties[0].required", "is 'yes', and should be true or false", "write it so"),
    ]
    assert [line for line, *_ in found] == [1, 5, 9, 9, 10, 10, 11, 11, 13, 14, 14, 15, 15, 17]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the contracts of others are not here")
def test_contracts_of_others_are_linted_and_become_right_pages(tmp_path: Path) -> None:
    pages = 0
    for file in sorted(SHARED.iterdir()):
        lint(read_yaml(file))
        if read_odcs(read_yaml(file)).contracts:
            domain = load(import_contracts([file]).page, tmp_path).domain
            assert check_domains([domain], Settings()).mistakes == (), file
            pages += 1
    assert pages > 50


@pytest.mark.parametrize(
    ("physical", "kind"), [("int2", arrow.int16()), ("int4", arrow.int32()), ("int8", arrow.int64())]
)
def test_an_integer_named_by_its_bytes_is_as_wide_as_postgresql_means_it(physical: str, kind: arrow.DataType) -> None:
    assert type_from_foreign("integer", physical) == (kind, True)
