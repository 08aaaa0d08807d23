"""What the addresses answer: verdicts, errors, and nothing of a classified value."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, ExistsIn, FileDrop, HourlyBatches, Source, StaticBatches, Steward, protect
from readiness_pipelines.contracts import Places
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.limits import Limits
from readiness_pipelines.serve_settings import Serve
from readiness_pipelines.serving.app import Service
from readiness_pipelines.serving.references import References
from readiness_pipelines.serving.sampling import Sample
from readiness_pipelines.serving.tables import served_tables
from readiness_pipelines.serving.tokens import Tokens
from readiness_pipelines.storage import Place
from readiness_pipelines.testing import judge, run_domains
from readiness_pipelines_tests.gallery.running import write
from readiness_pipelines_tests.serving.asking import ask

PERSON = "Ursula Quendt"
CHECK = "/gates/shop.orders/check"
PATIENT = Serve(most_seconds=60)
"""What is asked is answered in time on any machine."""


class Country(pa.DataFrameModel):
    """A country."""

    code: arrow.string() = pa.Field(unique=True)


class Order(pa.DataFrameModel):
    """An order, with a person in it."""

    id: arrow.int64() = pa.Field(gt=0, unique=True)
    amount: arrow.float64() = pa.Field(ge=0)
    country: arrow.string() = pa.Field(nullable=True)
    name: arrow.string() = pa.Field(nullable=True, str_length={"max_value": 5}, metadata=protect("pii.direct"))

    @pa.check("name", element_wise=True)
    def no_ghost(cls, value: str) -> bool:
        """Somebody's own code, which quotes what it looks at when it breaks."""
        if value == PERSON:
            raise ValueError(f"no such person: {value}")
        return True


def shop_domain() -> Domain:
    """Orders, and the countries that they refer to."""
    shop = Domain("shop", owner="shop@shop.example")

    def source(pattern: str, **options: Any) -> Source:
        steward = Steward("Shop team", "shop@shop.example")
        return Source(origin="Shop export", steward=steward, reader=FileDrop(pattern, **options))

    once = StaticBatches(keys=("all",))
    shop.gated("countries", schema=Country, source=source("countries/{batch}.csv"), batches=once)
    shop.gated(
        "orders",
        schema=Order,
        source=source("orders/{batch}.jsonl", rename={"Order No.": "id"}, ignore=("debug*",)),
        batches=once,
        rules=[ExistsIn("country", table="countries", keys="code")],
    )
    return shop


def service(**options: Any) -> Service:
    return Service(**{"tables": served_tables([shop_domain()]), "serve": PATIENT, **options})


GOOD = {"Order No.": 7, "amount": 5, "country": "CH", "name": "Ann", "debug_x": [1]}


def test_one_record_gets_one_verdict_and_many_get_one_each() -> None:
    one = ask(service(), CHECK, GOOD)
    assert one.status == 200
    assert one.value["passed"] is True
    assert one.value["undecided"] == ["id_unique", "country_exists_in_shop_countries"]
    assert one.value["version"] == served_tables([shop_domain()])["shop.orders"].version
    bad = {**GOOD, "amount": "-1"}
    many = ask(service(), CHECK, [GOOD, bad, 7]).value["verdicts"]
    assert [v["passed"] for v in many] == [True, False, False]
    (broken,) = many[1]["broken"]
    assert broken == {
        "rule": "amount_greater_than_or_equal_to",
        "column": "amount",
        "reason": "greater_than_or_equal_to(0)",
        "route": "quarantine",
    }
    lines = b"\n".join([json.dumps(GOOD).encode(), b"{", b"", json.dumps(bad).encode()])
    by_line = ask(service(), CHECK, lines, kind="application/x-ndjson").value["verdicts"]
    assert [[b["rule"] for b in v["broken"]] for v in by_line] == [
        [],
        ["readable"],
        ["amount_greater_than_or_equal_to"],
    ]
    assert ask(service(), CHECK, []).value["verdicts"] == []


def test_a_value_of_a_classified_column_is_in_no_answer_and_no_sample(tmp_path: Path) -> None:
    sample = Sample(1, str(tmp_path))
    sampled = service(sample=sample)
    long = {**GOOD, "name": "Urs Quendtinger"}
    shown = ask(sampled, f"{CHECK}?record=true", [GOOD, long])
    assert [v["record"]["id"] for v in shown.value["verdicts"]] == [7, 7]
    assert shown.value["verdicts"][1]["record"]["name"] == "«text, 15 characters, letters»"
    failed = ask(sampled, CHECK, {**GOOD, "name": PERSON})
    assert failed.status == 500
    assert failed.error["code"] == "gate-build"
    sample.close()
    (file,) = tmp_path.rglob("*.jsonl")
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["passed"], one["record"]["id"], one["record"]["amount"]) for one in kept] == [
        (True, "7", "5"),
        (False, "7", "5"),
    ]
    everything = shown.text + failed.text + file.read_text()
    assert not any(word in everything for word in ("Quendt", "Ann", PERSON))
    assert sample.kept == 2


def test_what_was_said_online_is_compared_with_what_the_batch_says(tmp_path: Path) -> None:
    sample = Sample(1, str(tmp_path / "decisions"))
    tables = served_tables([shop_domain()])
    records = [{"id": n, "amount": n - 2, "country": None, "name": None} for n in range(1, 6)]
    serving = service(tables=tables, sample=sample)
    ask(serving, CHECK, records[:3])
    lines = b"\n".join(json.dumps(one).encode() for one in records[3:])
    ask(serving, CHECK, lines, kind="application/x-ndjson")
    sample.close()
    drop = FileDrop("decisions/{batch:%Y-%m-%d-%H}/*.jsonl")  # as docs/serve.md reads them
    places = Places(
        landing=Place.of(str(tmp_path)),
        connection=str,
        batches=HourlyBatches(start=f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"),
        limits=Limits(),
    )
    hours = sorted(arrival.batch for arrival in drop.arrivals(places))
    online = [row for hour in hours for row in drop.open(hour, places).rows.read_all().to_pylist()]
    assert [json.loads(one["record"])["id"] for one in online] == [str(one["id"]) for one in records]
    rows = [{name: None if value is None else str(value) for name, value in one.items()} for one in records]
    batch = judge(tables["shop.orders"].gate, *rows, tables={"shop.countries": arrow.table({"code": ["CH"]})})
    assert [json.loads(one["broken"]) for one in online] == [list(batch.broken.get(n, ())) for n in range(5)]


def test_references_are_decided_by_a_snapshot_that_says_how_old_it_is(installation: Installation) -> None:
    shop = shop_domain()
    tables = served_tables([shop])
    references = References(tables.values(), most_rows=10)
    references.refresh(installation)
    serving = service(tables=tables, references=references)
    assert ask(serving, CHECK, GOOD).value["references"] == [
        {"table": "shop.countries", "undecided": "nothing of it is published"}
    ]
    write(installation, "countries/all.csv", "code", "CH", "AT")
    write(installation, "orders/all.jsonl", json.dumps(GOOD))
    run_domains(shop, installation=installation)
    references.refresh(installation)
    good = ask(serving, CHECK, GOOD).value
    assert good["passed"]
    assert good["undecided"] == ["id_unique"]
    (about,) = good["references"]
    assert about["table"] == "shop.countries"
    assert 0 <= about["age_seconds"] < 60
    assert [b["rule"] for b in ask(serving, CHECK, {**GOOD, "country": "XX"}).value["broken"]] == [
        "country_exists_in_shop_countries"
    ]
    few = References(tables.values(), most_rows=1)
    few.refresh(installation)
    assert (
        "more than 1 keys"
        in ask(service(tables=tables, references=few), CHECK, GOOD).value["references"][0]["undecided"]
    )


def test_nobody_is_answered_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "o" * 32)
    (tmp_path / "two").write_text("t" * 40 + "\n")
    guarded = service(tokens=Tokens({"one": "env:ONE", "two": f"file:{tmp_path / 'two'}"}))
    for token in ("", "o" * 31, "o" * 33, "x" * 32):
        refused = ask(guarded, CHECK, GOOD, token=token)
        assert (refused.status, refused.error["code"]) == (401, "not-authenticated")
        assert refused.headers["www-authenticate"] == "Bearer"
    assert ask(guarded, "/gates", method="GET").status == 401
    assert ask(guarded, "/openapi.json", method="GET").status == 401
    assert [ask(guarded, CHECK, GOOD, token=token).status for token in ("o" * 32, "t" * 40)] == [200, 200]
    assert ask(guarded, "/health", method="GET").value["status"] == "ok"
    with pytest.raises(DeclarationError, match="the token 'one'"):
        Tokens({"one": "o" * 32})
    with pytest.raises(DeclarationError, match="somebody else's too"):
        Tokens({"one": "env:ONE", "two": "env:ONE"})


@pytest.mark.parametrize(
    ("body", "options", "serve", "status", "words"),
    [
        (b"{", {}, {}, 400, "cannot be read as JSON"),
        (b"", {}, {}, 400, "cannot be read as JSON"),
        (b'"x"', {}, {}, 400, "neither an object nor an array"),
        (b'{"id": 1, "id": 2}', {}, {}, 400, "key 'id' is there twice"),
        (b"\xff\xfe", {}, {}, 400, "not UTF-8"),
        (b"[" * 100_000, {}, {}, 400, "nested more than"),
        ([GOOD] * 3, {}, {"most_records": 2}, 413, "3 records, more than 2"),
        ({"id": "x" * 2_000}, {}, {"most_body_kb": 1}, 413, "larger than 1 kB"),
        ({"id": "x" * 2_000}, {"pieces": 9}, {"most_body_kb": 1}, 413, "larger than 1 kB"),
        (GOOD, {"pieces": 4, "pause": 0.2}, {"most_seconds": 0.3}, 408, "longer than 0.3 s to arrive"),
        (GOOD, {"pause": 1}, {"most_seconds": 0.1}, 408, "longer than 0.1 s to arrive"),
        ([GOOD] * 1_000, {}, {"most_seconds": 0.001}, 503, "took longer than 0.001 s"),
        ({**GOOD, "ID": 1}, {}, {}, 422, "are one column's name"),
    ],
)
def test_a_request_that_demands_too_much_is_refused_with_the_way_out(
    body: Any, options: Mapping[str, Any], serve: Mapping[str, Any], status: int, words: str
) -> None:
    reply = ask(service(serve=Serve(**{"most_seconds": 60, **serve})), CHECK, body, **options)
    assert (reply.status, reply.error["code"]) == (status, "record-refused" if status == 422 else "request-refused")
    assert words in reply.error["what"]


def test_what_is_not_there_is_named_with_what_is_near() -> None:
    missing = ask(service(), "/gates/shop.order/check", GOOD)
    assert (missing.status, missing.error["way_out"]) == (404, "did you mean 'shop.orders'?")
    assert ask(service(), "/else", GOOD).status == 404
    assert ask(service(), CHECK, method="GET").error["way_out"]
    assert ask(service(), "/reload").status == 503
    assert [one["table"] for one in ask(service(), "/gates", method="GET").value["gates"]] == [
        "shop.countries",
        "shop.orders",
    ]


def test_the_openapi_document_has_an_address_and_a_schema_for_each_table() -> None:
    document = ask(service(), "/openapi.json", method="GET").value
    assert document["openapi"] == "3.1.0"
    assert {CHECK, "/gates/shop.countries/check", "/gates", "/health", "/reload"} == set(document["paths"])
    order = document["components"]["schemas"]["shop.orders"]
    assert order["properties"]["amount"]["type"] == ["number", "string", "null"]
    assert order["required"] == ["id", "amount", "country", "name"]
    assert "country_exists_in_shop_countries" in document["paths"][CHECK]["post"]["description"]


def test_many_threads_get_the_verdicts_that_one_gets() -> None:
    shared = service()
    records = [{**GOOD, "amount": n % 3 - 1, **({f"k{n % 50}": n} if n % 2 else {})} for n in range(200)]
    with ThreadPoolExecutor(8) as threads:
        passed = list(threads.map(lambda record: ask(shared, CHECK, record).value["passed"], records))
    assert passed == [n % 3 > 0 for n in range(200)]
