"""A change becomes one row, or a row that says why not."""

import base64
import json
from typing import Any

import pytest

from readiness_pipelines.limits import Limits
from readiness_pipelines.sources.message_values import decoder_of
from readiness_pipelines.sources.messages import TopicMessage, decode_messages
from readiness_pipelines.sources.topic import Changes

READER = Changes("customers", brokers="b:1", key="id")
UNAVAILABLE = "__debezium_unavailable_value"


def change(op: str | None, before: Any = None, after: Any = None, **source: Any) -> dict[str, Any]:
    said = {"lsn": 100, "ts_ms": 1_764_000_000_000, "schema": "public", "table": "customers", "txId": 7, **source}
    return {"op": op, "before": before, "after": after, "source": said, "ts_ms": 5, "transaction": None}


def row_of(value: Any, key: Any = None) -> dict[str, Any]:
    """The raw row of one message."""
    sent = [
        None if one is None else one if isinstance(one, bytes) else json.dumps(one).encode() for one in (key, value)
    ]
    decoded = decode_messages(
        [TopicMessage(0, 1, sent[0], sent[1])],
        topic="customers",
        known=(),
        limits=Limits(),
        decode=decoder_of(READER, str),
    )
    (row,) = decoded.table.to_pylist()
    return {name: value for name, value in row.items() if value is not None and name not in ("_row", "_file")}


ROW = {"id": 1, "name": "Ann", "bio": None, "paid": 1.50}
FACTS = {
    "change_position": "00000000000000000100", "change_at": "2025-11-24T16:00:00+00:00",
    "change_table": "public.customers", "change_transaction": "7",
}  # fmt: skip


def test_a_change_is_the_row_that_it_left_and_what_it_did() -> None:
    for op, said in (("c", "insert"), ("u", "update"), ("r", "snapshot")):
        assert row_of(change(op, None, ROW)) == {"id": "1", "name": "Ann", "paid": "1.5", "change_op": said, **FACTS}
    envelope = {"schema": {"type": "struct", "fields": []}, "payload": change("c", None, ROW)}
    assert row_of(envelope) == row_of(change("c", None, ROW))
    # without old values: the message's key says which row it is
    assert row_of(change("d"), {"id": 1}) == {"id": "1", "change_op": "delete", **FACTS}
    assert row_of(change("d", ROW))["name"] == "Ann"
    assert row_of(change("t")) == {"change_op": "truncate", **FACTS}
    assert row_of(None, {"schema": {}, "payload": {"id": 1}}) == {"id": "1", "change_op": "tombstone"}
    # a changed key, and large values that were not touched
    moved = row_of(change("u", {"id": 1, "name": "Ann"}, {"id": 2, "name": UNAVAILABLE}))
    assert (moved["before_id"], moved["id"], moved["change_unchanged"], "name" in moved) == (
        "1",
        "2",
        '["name"]',
        False,
    )
    assert "before_id" not in row_of(change("u", ROW, ROW))


def test_values_that_json_has_no_form_for_are_what_their_schema_says() -> None:
    fields = [
        {"field": "id", "type": "int32"},
        {"field": "day", "type": "int32", "name": "io.debezium.time.Date"},
        {"field": "at", "type": "int64", "name": "io.debezium.time.MicroTimestamp"},
        {"field": "seen", "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp"},
        {"field": "paid", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}},
        {"field": "any", "type": "struct", "name": "io.debezium.data.VariableScaleDecimal"},
        {"field": "blob", "type": "bytes"},
        {"field": "big", "type": "bytes"},
    ]  # fmt: skip
    number = base64.b64encode((-150).to_bytes(2, "big", signed=True)).decode()
    after = {
        "id": 1, "day": 20_000, "at": 1_000_001, "seen": 1_000, "paid": number, "any": {"scale": 3, "value": number},
        "blob": base64.b64encode(b"\xff").decode(), "big": base64.b64encode(UNAVAILABLE.encode()).decode(),
    }  # fmt: skip

    def of(**other: Any) -> dict[str, Any]:
        schema = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": fields}]}
        return row_of({"schema": schema, "payload": change("c", None, {**after, **other})})

    row = of()
    assert {name: row[name] for name in ("day", "at", "seen", "paid", "any", "blob", "change_unchanged")} == {
        "day": "2024-10-04", "at": "1970-01-01T00:00:01.000001", "seen": "1970-01-01T00:00:01+00:00", "paid": "-1.50",
        "any": "-0.150", "blob": "\\xff", "change_unchanged": '["big"]',
    }  # fmt: skip
    for infinite in (9_223_372_036_825_200_000, -9_223_372_036_832_400_000):
        assert "not one that a table can hold" in of(at=infinite)["_unreadable_reason"]
    assert of(paid="?")["_unreadable_reason"] == "a value is not what the schema beside it says"
    assert of(paid={"a": 1})["_unreadable_reason"] == "a value is not what the schema beside it says"


@pytest.mark.parametrize(
    ("source", "position"),
    [
        ({"lsn": 7}, "00000000000000000007"),
        ({"lsn": None, "file": "bin.12", "pos": 4}, f"bin.{12:020d}:{4:020d}:{0:020d}"),
        ({"lsn": None, "change_lsn": "0025:0d98:00a2", "event_serial_no": 2}, "0025:0d98:00a2:00000000000000000002"),
        ({"lsn": None, "scn": "99"}, "00000000000000000099"),
        ({"lsn": None, "ts_ms": 5}, "00000000000005000000"),
    ],
)  # fmt: skip
def test_positions_of_all_logs_sort_as_text(source: dict[str, Any], position: str) -> None:
    assert row_of(change("c", None, ROW, **source))["change_position"] == position


@pytest.mark.parametrize(
    ("value", "key", "why"),
    [
        ({"id": 1}, None, "it is not a change of a row: its op is none of c, u, d, r, t"),
        (change("m"), None, "it is not a change of a row: its op is none of c, u, d, r, t"),
        (change("c", None, ROW, lsn=None, ts_ms=None), None, "it has no position"),
        (change("c", None, ROW, lsn="x"), None, "its position is not a number"),
        (change("c", None, ROW, lsn=-1), None, "its position is not a number"),
        (change("c", ROW, None), None, "it is an insert without a row after it"),
        (change("u", None, {"name": "Ann"}), None, "it is an update without its key: id"),
        (change("u", None, {"id": UNAVAILABLE}), None, "it does not have its key: id"),
        (change("d"), None, "it is a delete without its key: id"),
        (None, None, "it is a tombstone without its key: id"),
        (None, b"raw", "it is not JSON"),
        (change("c", None, [1]), None, "its after is not an object"),
        ({"schema": None, "payload": None}, None, "its payload is not an object"),
        (change("c", None, {**ROW, "change_op": 1}), None, "its column 'change_op' has the name of one that changes"),
        (change("c", None, {**ROW, "Before_id": 1}), None, "its column 'Before_id' has the name of one that changes"),
    ],
)
def test_what_is_no_change_is_a_row_that_says_why(value: Any, key: Any, why: str) -> None:
    assert row_of(value, key)["_unreadable_reason"].startswith(why)
