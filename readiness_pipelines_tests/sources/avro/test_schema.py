"""Avro is read as text, as its own library reads it, and bytes that lie take neither memory nor time."""

import contextlib
import json
import math
import tracemalloc
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import BytesIO
from time import thread_time
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness_pipelines.sources.avro.schema import SchemaError, parse_schema
from readiness_pipelines.sources.avro.values import AvroError
from readiness_pipelines.sources.json_values import RepeatedKeyError, as_json

SCHEMA = {
    "type": "record", "name": "Stay", "namespace": "hospital",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "ward", "type": {"type": "enum", "name": "Ward", "symbols": ["ICU", "ER"]}},
        {"name": "cost", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}]},
        {"name": "fee", "type": {"type": "fixed", "name": "F", "size": 8, "logicalType": "decimal", "precision": 16}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-millis"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "hour", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "score", "type": "double"},
        {"name": "small", "type": "float"},
        {"name": "alive", "type": "boolean"},
        {"name": "blob", "type": "bytes"},
        {"name": "last_ward", "type": ["null", "Ward"]},
        {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}},
        {"name": "notes", "type": {"type": "map", "values": "long"}},
        {"name": "parent", "type": ["null", "hospital.Stay"]},
    ],
}  # fmt: skip
STAY: dict[str, Any] = {
    "id": -(2**63),
    "ward": "ER",
    "cost": Decimal("-0.05"),
    "fee": Decimal(12),
    "at": datetime(2026, 11, 2, 10, 0, 0, 1, UTC),
    "seen": datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC),
    "local": datetime(2026, 3, 29, 2, 30),  # noqa: DTZ001  # has none
    "day": date(1, 1, 1),
    "hour": time(10, 0, 0, 7_000),
    "key": UUID(int=5),
    "score": 0.1,
    "small": 0.1,
    "alive": True,
    "blob": b"\xff\x00",
    "last_ward": None,
    "tags": ["é", None],
    "notes": {"a": 1},
    "parent": None,
}


def written(schema: Any, record: Any) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def test_all_types_are_the_text_that_json_has_for_them() -> None:
    found = parse_schema(json.dumps(SCHEMA)).decode(written(SCHEMA, {**STAY, "parent": STAY}))
    parent = found.pop("parent")
    assert found == {
        "id": "-9223372036854775808", "ward": "ER", "cost": "-0.05", "fee": "12",
        "at": "2026-11-02T10:00:00.000001+00:00", "seen": "1969-12-31T23:59:59.999000+00:00",
        "local": "2026-03-29T02:30:00", "day": "0001-01-01", "hour": "10:00:00.007000",
        "key": "00000000-0000-0000-0000-000000000005", "score": "0.1", "small": "0.1", "alive": True, "blob": "\\xff00",
        "last_ward": None, "tags": ["é", None], "notes": {"a": "1"},
    }  # fmt: skip
    assert json.loads(as_json(parent))["parent"] is None
    assert as_json(parent).startswith('{"id": -9223372036854775808, "ward": "ER", "cost": -0.05,')


FLAT = {
    "type": "record", "name": "R",
    "fields": [
        {"name": "n", "type": ["null", "long"]}, {"name": "d", "type": "double"}, {"name": "s", "type": "string"},
        {"name": "l", "type": {"type": "array", "items": {"type": "map", "values": "int"}}},
    ],
}  # fmt: skip
READ = parse_schema(json.dumps(FLAT))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "d": st.floats(),
            "s": st.text(),
            "l": st.lists(st.dictionaries(st.text(), st.integers(-(2**31), 2**31 - 1))),
        }
    ),
    st.binary(max_size=40),
)
def test_what_is_written_is_read_and_any_other_bytes_are_refused_or_read(record: dict[str, Any], noise: bytes) -> None:
    data = written(FLAT, record)
    found = READ.decode(data)
    assert (found["n"] and int(found["n"]), found["s"]) == (record["n"], record["s"])
    assert float(found["d"]) == record["d"] or math.isnan(record["d"])
    assert [{key: int(one) for key, one in each.items()} for each in found["l"]] == record["l"]
    for bad in (data[:-1], data + b"\0", noise, data[: len(data) // 2] + noise):
        with contextlib.suppress(AvroError, RepeatedKeyError):
            READ.decode(bad)


def varint(number: int) -> bytes:
    number, found = number << 1 if number >= 0 else (-number << 1) - 1, b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


NODE = {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]}


def field(kind: object) -> str:
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]})


def doubled(kind: object) -> str:
    """Records within records, each there twice: without a byte they are more values than there is time for."""
    for number in range(40):
        inner = kind["name"] if isinstance(kind, dict) else kind
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": inner}]
        kind = {"type": "record", "name": f"R{number}", "fields": fields}
    return json.dumps(kind)


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (field({"type": "array", "items": "null"}), varint(2**60)),
        (field({"type": "array", "items": "null"}), varint(-(2**60)) + varint(0)),
        (field({"type": "array", "items": {"type": "record", "name": "E", "fields": []}}), (varint(16) * 100_000)),
        (field({"type": "array", "items": {"type": "array", "items": "null"}}), varint(90_000) + varint(16) * 90_000),
        (field({"type": "array", "items": "long"}), varint(2**60)),
        (field({"type": "map", "values": "null"}), varint(2**60)),
        (field("string"), varint(2**60)),
        (field("bytes"), varint(-1)),
        (field("long"), b"\xff" * 5_000_000),
        (field("long"), b"\xff" * 9 + b"\x7f"),
        (field({"type": "fixed", "name": "F", "size": 2**60}), b"12"),
        (field({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}), varint(10**6) + b"9" * 10**6),
        (field({"type": "long", "logicalType": "timestamp-micros"}), varint(2**62)),
        (field({"type": "int", "logicalType": "date"}), varint(2**31)),
        (field({"type": "enum", "name": "E", "symbols": ["a"]}), varint(-1)),
        (field(["null", "string"]), varint(7)),
        (field("boolean"), b"\x02"),
        (field("string"), varint(1) + b"\xff"),
        (json.dumps(NODE), b"\x02" * 1_000_000),
        (json.dumps({"type": "record", "name": "N", "fields": [{"name": "n", "type": "N"}]}), b""),
        (field("null"), b"\0"),
    ],
)
def test_bytes_that_lie_are_refused_without_memory_or_time(schema: str, data: bytes) -> None:
    read = parse_schema(schema)
    tracemalloc.start()
    began = thread_time()  # of this thread alone, and many times what it takes: other threads have their own work
    with pytest.raises(AvroError):
        read.decode(data)
    assert thread_time() - began < 60
    assert tracemalloc.get_traced_memory()[1] < 40 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "{", "3", '"string"', '{"type": "array", "items": "long"}', field("unknown.T"), field(["null", {"type": "x"}]),
        json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}] * 2}),
        field({"type": "fixed", "name": "F", "size": -1}), "[" * 100_000,
        json.dumps({"type": "record", "name": "R"}), doubled({"type": "record", "name": "N", "fields": []}),
        doubled("null"),
    ],
)  # fmt: skip
def test_a_schema_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SchemaError):
        parse_schema(text)


def test_types_of_debezium_and_of_other_schemas_are_known() -> None:
    other = json.dumps({"type": "record", "name": "Money", "namespace": "x", "fields": [{"name": "v", "type": "int"}]})
    schema = {
        "type": "record", "name": "R", "namespace": "y",
        "fields": [
            {"name": "m", "type": "x.Money"},
            {"name": "at", "type": {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}},
            {"name": "big", "type": {"type": "record", "name": "VariableScaleDecimal", "namespace": "io.debezium.data",
             "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}]}},
            {"name": "total", "type": "int", "aliases": ["amount"]},
        ],
    }  # fmt: skip
    read = parse_schema(json.dumps(schema), [other])
    found = read.decode(varint(3) + varint(1_000_001) + varint(3) + varint(2) + b"\x30\x39" + varint(4))
    assert found == {"m": {"v": "3"}, "at": "1970-01-01T00:00:01.000001", "big": "12.345", "total": "4"}
    assert read.aliases == {"total": ("amount",)}
