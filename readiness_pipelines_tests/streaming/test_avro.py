"""Avro with a schema registry ends in the same rows as JSON, and nothing is passed over while the registry is away."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Topic
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.sources.registry import registry_of
from readiness_pipelines_tests.brokers import Broker, broker
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.schema_registry import Registry, framed, registry
from readiness_pipelines_tests.streaming.payments import (
    TOPIC,
    Clock,
    payment,
    payments_domain,
    payments_table,
    read_until,
    rows_of,
)

ROWS = "_row, payment_id, paid_at, amount, state, note"
TIME = {"type": "long", "logicalType": "timestamp-micros"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}


def schema(*fields: tuple[str, Any], **other: Any) -> dict[str, Any]:
    named = [{"name": name, "type": kind, **other.get(name, {})} for name, kind in fields]
    return {"type": "record", "name": "Payment", "namespace": "bank", "fields": named}


FIRST = schema(
    ("payment_id", "int"), ("paid_at", TIME), ("amount", MONEY), ("state", "string"), ("note", ["null", "string"])
)
SECOND = schema(  # promoted, renamed, removed and new
    ("payment_id", "long"), ("paid_at", TIME), ("total", MONEY), ("state", "string"), ("channel", ["null", "string"]),
    total={"aliases": ["amount"]},
)  # fmt: skip


def values(number: int) -> dict[str, Any]:
    found = json.loads(payment(number))
    return {**found, "paid_at": datetime.fromisoformat(found["paid_at"]), "amount": Decimal(found["amount"])}


@pytest.fixture
def schemas() -> Iterator[Registry]:
    with registry() as one:
        yield one


@pytest.fixture
def noida(tmp_path: Path) -> Iterator[Broker]:
    with broker("noida", tmp_path / "broker") as one:
        one.make_topic(TOPIC)
        yield one


def avro_topic(schemas: Registry) -> Topic:
    return Topic(TOPIC, brokers="127.0.0.1:1", slice_every="0.3s", format="avro", registry=schemas.url)


def test_the_same_records_as_avro_and_as_json_are_the_same_rows_and_schemas_change_as_files_do(
    noida: Broker, schemas: Registry, installation: Installation, tmp_path: Path
) -> None:
    first, second = schemas.add(FIRST), schemas.add(SECOND)
    sent = [framed(first, FIRST, values(number)) for number in range(30)]
    later = []
    for number in range(30, 40):
        row = values(number)
        later.append(framed(second, SECOND, {**row, "total": row["amount"], "payment_id": number, "channel": "web"}))
    noida.send(TOPIC, sent)
    run = Run(clock=Clock())
    table = payments_table(payments_domain(avro_topic(schemas)))
    read_until(table, noida, installation, records=30, run=run)
    noida.send(TOPIC, later)
    progress = read_until(table, noida, installation, records=10, run=run)
    assert (progress.unreadable, progress.published) == (0, 10)
    assert schemas.calls.count(f"/schemas/ids/{first}") == 1

    (tmp_path / "other" / "landing").mkdir(parents=True)
    other = Installation.open(settings_in(tmp_path / "other"))
    noida.make_topic("json")
    noida.send("json", [payment(number) for number in range(30)])
    noida.send("json", [payment(number, note=None, channel="web") for number in range(30, 40)])
    plain = payments_table(payments_domain(Topic("json", brokers="127.0.0.1:1", slice_every="0.3s")))
    read_until(plain, noida, other, records=40, run=run)
    assert rows_of(installation, table.id, ROWS) == rows_of(other, plain.id, ROWS)
    assert rows_of(installation, table.id.raw, "_row, amount, channel") == rows_of(
        other, plain.id.raw, "_row, amount, channel"
    )


def test_what_avro_cannot_be_decoded_is_kept_with_the_reason(
    noida: Broker, schemas: Registry, installation: Installation
) -> None:
    number, broken = schemas.add(FIRST), schemas.add("none")
    proto = schemas.add("message P {}", schemaType="PROTOBUF")
    good = framed(number, FIRST, values(1))
    nested = {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]}
    deep = schemas.add(nested)
    noida.send(
        TOPIC,
        [
            good,
            framed(77, FIRST, values(1)),
            good[:-1],
            good + b"\0",
            payment(1),
            b"\0",
            None,
            good[:1] + proto.to_bytes(4, "big") + good[5:],
            good[:1] + broken.to_bytes(4, "big") + good[5:],
            good[:1] + deep.to_bytes(4, "big") + b"\x02" * 150 + b"\0",
        ],
    )
    table = payments_table(payments_domain(avro_topic(schemas)))
    progress = read_until(table, noida, installation, records=10, run=Run(clock=Clock()))
    assert (progress.records, progress.unreadable, progress.published) == (10, 9, 1)
    assert [reason for _, reason in rows_of(installation, table.id.raw, "_row, _unreadable_reason")] == [
        None,
        "the registry has no schema of its id 77 (schema 77)",
        f"it announces 2 bytes, and 1 are left (schema {number})",
        f"it has 1 bytes more than its schema says (schema {number})",
        "it does not begin with a zero and a schema's id, as Avro with a registry does",
        "it does not begin with a zero and a schema's id, as Avro with a registry does",
        "it has no value (a tombstone)",
        f"its schema is of the kind PROTOBUF, not Avro (schema {proto})",
        f"it is not an Avro schema (it has no type 'none') (schema {broken})",
        f"it is nested more than 100 levels deep (schema {deep})",
    ]


def test_while_the_registry_is_away_the_stream_waits_and_passes_over_nothing(
    noida: Broker, schemas: Registry, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemas.password, schemas.down = "geheim", 503
    number = schemas.add(FIRST)
    noida.send(TOPIC, [framed(number, FIRST, values(one)) for one in range(5)])
    monkeypatch.setenv("TEST_REGISTRY", schemas.url.replace("//", "//reader:geheim@"))
    topic = Topic(TOPIC, brokers="127.0.0.1:1", slice_every="0.1s", format="avro", registry="env:TEST_REGISTRY")
    table = payments_table(payments_domain(topic))
    clock = Clock()
    paused: list[str] = []

    def stop_when_it_waits() -> bool:
        clock.now += timedelta(milliseconds=50)
        return len(schemas.calls) >= 2

    progress = read_until(table, noida, installation, records=5, run=Run(clock=clock), also=stop_when_it_waits)
    assert progress.records == 0
    assert progress.lag == 5
    assert f"{schemas.url} does not give a schema: HTTP 503" in progress.paused
    assert 'readiness_stream_paused{table="bank.payments",shard="0/1"} 1' in progress.metrics(clock.now)
    assert rows_of(installation, table.id.raw, "_row") == []

    def comes_back() -> bool:
        schemas.down = 0 if len(schemas.calls) >= 3 else 503
        paused.append(str(schemas.down))
        return False

    progress = read_until(table, noida, installation, records=5, run=Run(clock=clock), also=comes_back)
    assert (progress.records, progress.published, progress.paused) == (5, 5, "")
    assert "503" in paused
    assert "geheim" not in str(topic) + repr(registry_of("env:TEST_REGISTRY", str)) + str(installation.ledger.trail())


def test_references_are_followed_and_a_registry_is_declared_without_its_password(schemas: Registry) -> None:
    money = {"type": "record", "name": "Money", "namespace": "bank", "fields": [{"name": "cents", "type": "int"}]}
    schemas.subjects["bank/money"] = schemas.add(money)
    using = schema(("price", "bank.Money"))
    number = schemas.add(using, references=[{"name": "bank.Money", "subject": "bank/money", "version": 1}])
    missing = schemas.add(using, references=[{"name": "bank.Money", "subject": "other", "version": 1}])
    known = registry_of(schemas.url, str)
    found = known.schema(number)
    assert not isinstance(found, str)
    assert found.decode(b"\x06") == {"price": {"cents": "3"}}
    assert "no version 1 of 'other'" in str(known.schema(missing))
    schemas.subjects["other"] = schemas.subjects["bank/money"]
    assert "no version 1 of 'other'" in str(known.schema(missing)), "it is not asked for each message"
    known.unknown.clear()  # half a minute later
    assert not isinstance(known.schema(missing), str)
    assert "without its subject" in str(known.schema(schemas.add(using, references=[{"name": "bank.Money"}])))
    for wrong in ({"format": "avro"}, {"registry": "http://r:1"}, {"format": "avro", "registry": "http://u:p@r:1"}):
        with pytest.raises(DeclarationError, match="registry"):
            Topic(TOPIC, brokers="b:1", **wrong)
    with pytest.raises(DeclarationError, match="not an address"):
        registry_of("ftp://host", str)
