"""A change as Debezium writes it, as one row: what it left of the row, and what it did."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from readiness_pipelines.columns import (
    BEFORE,
    CHANGE_AT,
    CHANGE_COLUMNS,
    CHANGE_OP,
    CHANGE_POSITION,
    CHANGE_TABLE,
    CHANGE_TRANSACTION,
    CHANGE_UNCHANGED,
)
from readiness_pipelines.sources.avro.values import (
    AvroError,
    bytes_text,
    date_text,
    decimal_text,
    time_text,
    timestamp_text,
)
from readiness_pipelines.sources.unreadable import UnreadableError

_OPS = {"c": "insert", "u": "update", "d": "delete", "r": "snapshot", "t": "truncate"}
_UNTOUCHED = "__debezium_unavailable_value"
"""Stands for a large value that an update did not touch, and that the database did not write down again."""
UNTOUCHED = "untouched"
"""What names the columns with such values in a source that can, so that no value of a row can pass for one."""

_UNAVAILABLE = (_UNTOUCHED, base64.b64encode(_UNTOUCHED.encode()).decode(), [_UNTOUCHED])
_MOST_DIGITS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONNECT = "org.apache.kafka.connect.data."
_TIMES: Mapping[str, Callable[[int], str]] = {
    "io.debezium.time.Date": date_text,
    f"{_CONNECT}Date": date_text,
    "io.debezium.time.Time": time_text(1_000),
    f"{_CONNECT}Time": time_text(1_000),
    "io.debezium.time.MicroTime": time_text(1),
    "io.debezium.time.Timestamp": timestamp_text(1_000_000, local=True),
    "io.debezium.time.MicroTimestamp": timestamp_text(1_000, local=True),
    "io.debezium.time.NanoTimestamp": timestamp_text(1, local=True),
    f"{_CONNECT}Timestamp": timestamp_text(1_000_000, local=False),
}


def change_of(keys: Mapping[str, Any] | None, document: Mapping[str, Any] | None, key: Sequence[str]) -> dict[str, Any]:
    """The row of a change.

    Args:
        keys: The message's key; ``None`` where it has none.
        document: Its value; ``None`` for a tombstone.
        key: The columns that tell the table's rows apart.

    Raises:
        UnreadableError: It is not a change, or lacks its key or position.
    """
    known = _plain(keys) if keys is not None else {}
    if document is None:
        return {**_key_of(known, key, "a tombstone"), CHANGE_OP: "tombstone"}
    payload = _payload(document)
    kinds = _kinds(document)
    op = _OPS.get(str(payload.get("op")))
    if op is None:
        raise UnreadableError("it is not a change of a row: its op is none of c, u, d, r, t")
    after, before = _row(payload, "after", kinds), _row(payload, "before", kinds)
    unchanged = _untouched(payload, after or {})
    said: dict[str, Any] = {}
    if op == "delete":
        said = {**(before or {}), **{name: value for name, value in known.items() if name in key}}
        _key_of(said, key, "a delete")
    elif op != "truncate":
        if after is None:
            raise UnreadableError(f"it is {_article(op)} without a row after it")
        _key_of(after, key, _article(op))
        said = {name: None if name in unchanged else value for name, value in after.items()}
    if taken := [name for name in said if name.lower() in CHANGE_COLUMNS or name.lower().startswith(BEFORE)]:
        raise UnreadableError(f"its column {taken[0]!r} has the name of one that changes have beside the table's")
    if unchanged and not set(unchanged).isdisjoint(key):
        raise UnreadableError(f"it does not have its key: {', '.join(key)}")
    former = {}
    if op == "update" and before is not None and all(before.get(name) is not None for name in key):
        former = {f"{BEFORE}{name}": before[name] for name in key if before[name] != said[name]}
        if former:
            former = {f"{BEFORE}{name}": before[name] for name in key}
    return {**said, **former, **_facts(payload, op), CHANGE_UNCHANGED: unchanged or None}


def _untouched(payload: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The columns whose large values an update did not touch, and did not send."""
    source = payload.get("source")
    said = source.get(UNTOUCHED) if isinstance(source, dict) else None
    if isinstance(said, list):
        return sorted(name for name in after if name in said)
    return sorted(name for name, value in after.items() if value in _UNAVAILABLE)


def _facts(payload: Mapping[str, Any], op: str) -> dict[str, Any]:
    """What a change is, where, and when."""
    source = payload.get("source")
    source = source if isinstance(source, dict) else {}
    try:
        position = _position(source) or (_by_time(payload) if not source else "")
    except (ValueError, TypeError) as error:
        raise UnreadableError("its position is not a number") from error
    if not position and op != "snapshot":
        raise UnreadableError("it has no position: its source has no lsn, no place in a log, no time")
    place = [str(source[name]) for name in ("schema", "table") if source.get(name) is not None]
    transaction = source.get("txId") or source.get("gtid") or source.get("transaction_id")
    return {
        CHANGE_OP: op,
        CHANGE_POSITION: position,
        CHANGE_AT: _time(source.get("ts_ms") or payload.get("ts_ms")),
        CHANGE_TABLE: ".".join(place) or None,
        CHANGE_TRANSACTION: None if transaction is None else str(transaction),
    }


def _position(source: Mapping[str, Any]) -> str:
    """The place of a change in its database's log, as text that sorts by it."""
    if source.get("position") is not None:
        return str(source["position"])
    if source.get("lsn") is not None:
        return _digits(source["lsn"])
    if source.get("file") is not None and source.get("pos") is not None:
        name, _, number = str(source["file"]).rpartition(".")
        return f"{name}.{_digits(number)}:{_digits(source['pos'])}:{_digits(source.get('row') or 0)}"
    lsn = source.get("change_lsn") or source.get("commit_lsn")
    if lsn is not None:
        return f"{lsn}:{_digits(source.get('event_serial_no') or 0)}"
    if source.get("scn") is not None:
        return _digits(source["scn"])
    return _by_time(source)


def _by_time(said: Mapping[str, Any]) -> str:
    for name, nanoseconds in (("ts_ns", 1), ("ts_us", 1_000), ("ts_ms", 1_000_000)):
        if said.get(name) is not None:
            return _digits(int(said[name]) * nanoseconds)
    return ""


def _digits(number: Any) -> str:
    found = int(number)
    if found < 0:
        raise ValueError("a position is not negative")
    return f"{found:020d}"


def _time(milliseconds: Any) -> str | None:
    try:
        return None if milliseconds is None else (_EPOCH + timedelta(milliseconds=int(milliseconds))).isoformat()
    except (ValueError, TypeError, OverflowError):
        return None


def _payload(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is in the envelope of schema and payload, or without one."""
    if set(document) == {"schema", "payload"}:
        payload = document["payload"]
        if not isinstance(payload, dict):
            raise UnreadableError("its payload is not an object")
        return payload
    return document


def _plain(keys: Mapping[str, Any]) -> dict[str, Any]:
    """A message's key, out of its envelope."""
    return _typed(_payload(keys), _fields(keys.get("schema"))) if "schema" in keys else dict(keys)


def _kinds(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schemas of a change's parts, by their names; none without an envelope."""
    return _fields(document.get("schema")) if set(document) == {"schema", "payload"} else {}


def _fields(schema: Any) -> Mapping[str, Mapping[str, Any]]:
    found = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(found, list):
        return {}
    return {str(one["field"]): one for one in found if isinstance(one, dict) and "field" in one}


def _row(payload: Mapping[str, Any], part: str, kinds: Mapping[str, Any]) -> dict[str, Any] | None:
    found = payload.get(part)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise UnreadableError(f"its {part} is not an object")
    return _typed(found, _fields(kinds.get(part)))


def _typed(values: Mapping[str, Any], fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Values that JSON has no form for as text, by what their schema calls them."""
    try:
        return {name: _text(value, fields[name]) if name in fields else value for name, value in values.items()}
    except AvroError as error:
        raise UnreadableError(str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise UnreadableError("a value is not what the schema beside it says") from error


def _text(value: Any, field: Mapping[str, Any]) -> Any:
    name = str(field.get("name", ""))
    if value is None or value in _UNAVAILABLE:
        return value
    if name in _TIMES:
        return _TIMES[name](int(value))
    if name == f"{_CONNECT}Decimal":
        return _decimal(value, int(field["parameters"]["scale"]))
    if name == "io.debezium.data.VariableScaleDecimal":
        return _decimal(value["value"], int(value["scale"]))
    if field.get("type") == "bytes":
        return bytes_text(base64.b64decode(value, validate=True))
    return value


def _decimal(value: str, scale: int) -> Any:
    if not 0 <= scale <= _MOST_DIGITS:
        raise ValueError("a scale that no number has")
    return decimal_text(_MOST_DIGITS, scale)(base64.b64decode(value, validate=True))


def _key_of(values: Mapping[str, Any], key: Sequence[str], what: str) -> dict[str, Any]:
    """The key's columns, none of them null."""
    found = {name: values[name] for name in key if values.get(name) is not None}
    if len(found) < len(key):
        raise UnreadableError(f"it is {what} without its key: {', '.join(key)}")
    return found


def _article(op: str) -> str:
    return f"an {op}" if op[0] in "iu" else f"a {op}"
