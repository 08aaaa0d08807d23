"""Latest values over HTTP: exact, whatever the type; by a record's own key, for one record or many, by token."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import (
    Domain,
    FileDrop,
    Function,
    Source,
    StaticBatches,
    Steward,
    compute_features,
    latest_values,
)
from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.delivery.online.checking import check_online
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.serve_settings import Serve
from readiness_pipelines.serving.app import Service
from readiness_pipelines.serving.features import Features
from readiness_pipelines.serving.tables import served_tables
from readiness_pipelines.serving.tokens import Tokens
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.serving.asking import ask
from readiness_pipelines_tests.waiting import wait_until

BIG = 2**53 + 1
ODD = "Zoë 🛒\"'\\ \u0007\u2028%s{}"
HERE = datetime(2026, 11, 2, 6, 0, 0, 123456, tzinfo=UTC)
CHECKOUT = "a token of checkout, which is long enough"


class Reading(pa.DataFrameModel):
    """One reading of a meter."""

    meter: arrow.string()
    number: arrow.int64()
    at: arrow.timestamp("us", "UTC")
    price: arrow.decimal128(20, 4)
    level: arrow.float64() = pa.Field(nullable=True)
    count: arrow.int64() = pa.Field(nullable=True)
    day: arrow.date32() = pa.Field(nullable=True)


class Share(pa.DataFrameModel):
    """A meter's share of all."""

    meter: arrow.string()
    share: arrow.float64()


class Payment(pa.DataFrameModel):
    """A payment that is checked."""

    payer: arrow.string()
    amount: arrow.float64() = pa.Field(ge=0)


ROWS = arrow.table(
    {
        "meter": [ODD, "m", "n"],
        "number": [BIG, -BIG, 1],
        "at": arrow.array([HERE, HERE, HERE], arrow.timestamp("us", "UTC")),
        "price": arrow.array([Decimal("1.1000"), Decimal("-0.0001"), Decimal(7)], arrow.decimal128(20, 4)),
        "level": [float("inf"), 0.1, 2.0],
        "count": [BIG, None, 3],
        "day": arrow.array([20_000, None, 1], arrow.date32()),
    }
)


def plant() -> tuple[Domain, FeatureView, FeatureView]:
    domain = Domain("plant", owner="plant@example.org")
    steward = Steward("Plant", "plant@example.org")
    readings = domain.gated(
        "readings",
        schema=Reading,
        source=Source(
            origin="Meters", steward=steward, reader=Function(lambda _b: ROWS, arrivals=lambda: [("one", "1")])
        ),
        batches=StaticBatches(keys=("one",)),
    )
    domain.gated(
        "payments",
        schema=Payment,
        source=Source(origin="Shop", steward=steward, reader=FileDrop("payments/{batch}.csv")),
        batches=StaticBatches(keys=("one",)),
    )

    @domain.features(
        entity=["meter", "number", "at", "price"],
        schema=Reading,
        online=True,
        per_record=True,
        reads={"rows": readings},
    )
    def last(rows: Any) -> Any:
        return rows

    @domain.features(entity="meter", schema=Share, online=True, per_record=True, reads={"rows": readings})
    def shares(rows: Any) -> Any:
        return rows.project("meter, level, count(*) OVER () AS n").project("meter, 1.0 / n AS share")

    return domain, last, shares


def check_no_answer_waits_for_a_look(view: FeatureView, installation: Installation, key: bytes) -> None:
    """While it is looked whether a view of very many batches is stale, its values are answered."""
    views = Features([view], installation, most_seconds=8)
    service = Service(tables={}, serve=Serve(most_seconds=60), features=views, tokens=Tokens({}))
    with service.features._turn:  # as another look that lasts
        some = [ask(service, f"/features/{view.id}", key) for _ in range(2)]
    assert [(one.value["status"], one.value["stale"]) for one in some] == [("known", None)] * 2
    wait_until(lambda: ask(service, f"/features/{view.id}", key).value["stale"] is False)


def test_values_come_back_as_they_were_published_by_keys_of_any_type(database: Kind, tmp_path: Path) -> None:
    domain, last, shares = plant()
    installation = Installation.open(settings_in(tmp_path))
    run_domains(domain, installation=installation)
    views = Features([last, shares], installation, most_seconds=60)
    tables = served_tables([domain])
    service = Service(tables=tables, serve=Serve(most_seconds=60), features=views, tokens=Tokens({}))
    key = {"meter": ODD, "number": BIG, "at": "2026-11-02T07:00:00.123456+01:00", "price": "1.1"}
    assert dict(latest_values(installation, last, [key])[0].values) == {
        "level": float("inf"),
        "count": BIG,
        "day": date(2024, 10, 4),
    }
    sent = json.dumps(key).encode()
    one = ask(service, "/features/plant.last", sent)
    assert one.status == 200, one.text
    assert one.value["values"] == {"level": "inf", "count": BIG, "day": "2024-10-04"}
    assert str(BIG) in one.text
    assert (one.value["status"], one.value["batch"], one.value["stale"]) == ("known", "one", False)
    assert one.value["age_seconds"] >= 0 and one.value["known_at"] and int(one.value["snapshot"])  # noqa: PT018
    check_no_answer_waits_for_a_look(last, installation, sent)
    other = {"meter": "m", "number": -BIG, "at": HERE.isoformat(), "price": -0.0001}
    unknown = {**other, "number": 1 - BIG}
    many = ask(service, "/features/plant.last", [key, other, unknown]).value["found"]
    assert [found["status"] for found in many] == ["known", "known", "unknown"]
    assert many[1]["values"] == {"level": 0.1, "count": None, "day": None}
    assert many[2]["values"] == {} and many[2]["age_seconds"] is None  # noqa: PT018
    lines = b"\n".join([sent, json.dumps(other).encode()])
    assert len(ask(service, "/features/plant.last", lines, kind="application/x-ndjson").value["found"]) == 2
    for bad in (
        {**key, "number": 1.5},
        {**key, "at": "2026-11-02T06:00:00"},
        {**key, "price": "1.10001"},
        {"meter": ODD},
    ):
        refused = ask(service, "/features/plant.last", bad)
        assert refused.status == 422
        assert ODD not in refused.text
    assert ask(service, "/features/plant.readings", key).status == 404
    assert ask(service, "/features/plant.last", [7]).status == 400

    # A record that is checked is given the values of its own key, or says why it has none.
    wanted = "/gates/plant.payments/check?features=plant.shares(payer)"
    good, bad_one = ask(service, wanted, [{"payer": "m", "amount": 5}, {"payer": None, "amount": -1}]).value["verdicts"]
    assert good["features"]["plant.shares"]["values"] == {"share": 1 / 3}
    assert (bad_one["passed"], bad_one["features"]["plant.shares"]["status"]) == (False, "unknown")
    assert "the key's meter cannot be read as text" in bad_one["features"]["plant.shares"]["why"]
    by_line = ask(service, wanted.replace("payer", "sender"), b'{"sender": "m"}', kind="application/x-ndjson").text
    assert '"status":"known"' in by_line  # by a column that the gate does not read
    direct = ask(service, "/gates/plant.readings/check?features=plant.shares", {"meter": ODD}).value
    assert direct["features"]["plant.shares"]["status"] == "known"
    assert "features" not in ask(service, "/gates/plant.payments/check", {"payer": "m", "amount": 5}).value
    document = ask(service, "/openapi.json", method="GET").value
    assert document["components"]["schemas"]["plant.last.key"]["required"] == ["meter", "number", "at", "price"]
    assert "/features/plant.shares" in document["paths"]

    # A share of all is no entity's alone: the comparison with the batch finds it, and it is refused from then on.
    assert check_online(last, installation=installation, run=Run()).equal
    found = check_online(shares, installation=installation, run=Run())
    assert found.per_record is not None
    assert (found.wrong, found.per_record.entities, found.per_record.different) == (0, 3, 3)
    row = ROWS.slice(1, 1).to_pylist()[0]
    assert compute_features(installation, last, {"rows": [row]}).to_pylist() == [row]
    with pytest.raises(DeclarationError, match="others per record than by batch: 3 of 3"):
        compute_features(installation, shares, {"rows": [row]})


def test_nobody_without_a_token_looks_anything_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKOUT", CHECKOUT)
    service = Service(tables={}, serve=Serve(most_seconds=60), tokens=Tokens({"checkout": "env:CHECKOUT"}))
    assert ask(service, "/features/plant.last", {}).status == 401
    assert ask(service, "/features/plant.last", {}, token=CHECKOUT).status == 404
