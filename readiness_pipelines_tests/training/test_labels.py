"""Where labels go: each one is trained on, held out, waiting, or excluded for a reason."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, Function, Holdout, Source, StaticBatches, Steward, Versions
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.products import BuiltTrainingSet
from readiness_pipelines.testing import run_domains
from readiness_pipelines.training import build_training_set
from readiness_pipelines_tests.training.reef import features_of, of_corals, reef, table_of

DAYS = ("2026-11-02", "2026-11-03", "2026-11-04")
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


class Payment(pa.DataFrameModel):
    """What a customer paid."""

    customer: arrow.string()
    amount: arrow.float64()
    paid_at: arrow.timestamp("us", "UTC")


class Reported(pa.DataFrameModel):
    """Whether a payment was reported as fraud."""

    customer: arrow.string() = pa.Field(nullable=True)
    fraud: arrow.bool_() = pa.Field(nullable=True)
    at: arrow.timestamp("us", "UTC") = pa.Field(nullable=True)
    sure: arrow.int64() = pa.Field(ge=0)


class Customer(pa.DataFrameModel):
    """Whom nobody may learn from."""

    customer: arrow.string()


def label(customer: str | None, fraud: bool | None, at: datetime | None, sure: int = 1) -> dict[str, Any]:
    return {"customer": customer, "fraud": fraud, "at": at, "sure": sure}


def day(number: int) -> datetime:
    return NOON + timedelta(days=number)


PAYMENTS = {
    DAYS[0]: [("ann", 1.0, day(-1)), ("bob", 2.0, day(-1)), ("ann", 9.0, day(5))],
    DAYS[1]: [("ann", 3.0, day(0)), ("cid", 4.0, day(0))],
    DAYS[2]: [("bob", 0.5, day(-2))],
}
REPORTS = {
    DAYS[0]: [label("ann", True, day(-1)), label(None, True, day(-1)), label("ann", False, None)],
    DAYS[1]: [
        label("ann", False, day(0)),
        label("bob", True, day(1)),
        label("bob", False, day(1)),
        label("gil", True, day(1)),
        label("cid", True, day(1), -1),
    ],
    DAYS[2]: [label("cid", None, day(1)), label("dan", True, day(1)), label("ann", True, day(300_000))],
}


def shop(**options: Any) -> Domain:
    domain = Domain("shop", owner="risk@shop.example")

    def source(rows: dict[str, list[dict[str, Any]]]) -> Source:
        return Source(origin="Bank", steward=Steward("Risk", "risk@shop.example"), reader=Function(rows.__getitem__))

    paid = {
        k: [dict(zip(("customer", "amount", "paid_at"), one, strict=True)) for one in v] for k, v in PAYMENTS.items()
    }
    batches = StaticBatches(keys=DAYS)
    domain.gated("payments", schema=Payment, batches=batches, source=source(paid))
    reports = domain.gated("reports", schema=Reported, batches=batches, source=source(REPORTS))
    gold = domain.gated(
        "gold", schema=Customer, batches=StaticBatches(keys=["all"]), source=source({"all": [{"customer": "gil"}]})
    )

    @domain.features(entity="customer", event_time="paid_at", known_at="paid_at", schema=Payment)
    def last_payment(payments: Any) -> Any:
        """What a customer paid last."""
        return payments.project("customer, amount, paid_at")

    domain.training_set(
        "fraud",
        labels=reports,
        label="fraud",
        features=[last_payment],
        at="at",
        label_delay="2d",
        gold=gold,
        **options,
    )
    return domain


def built(domain: Domain, installation: Installation) -> BuiltTrainingSet:
    run_domains(domain, installation=installation)
    moment = NOON + timedelta(days=20)
    run = Run(who="me", clock=lambda: max(moment, datetime.now(UTC)))
    return build_training_set(installation, domain.training_sets[0], run=run)


def test_each_label_goes_somewhere_once_with_the_newest_payment_of_before(installation: Installation) -> None:
    domain = shop(holdout=Holdout(last_batches=1))
    made = built(domain, installation)
    assert made.counts.balanced
    assert made.counts.waiting == {"it waits in quarantine": 1, "its delay is not over": 1}
    assert made.counts.excluded == {
        "a newer label is about the same entity and time": 1,
        "it has no time": 1,
        "it names no entity": 1,
        "its entity is in the gold set shop.gold": 1,
        "the label is null": 1,
    }
    assert [tuple(row.values()) for row in made.rows.to_pylist()] == [
        ("ann", True, 1.0, "train"),
        ("ann", False, 3.0, "train"),
        ("bob", False, 2.0, "train"),  # a payment of before that came later tells nothing newer
        ("dan", True, None, "holdout"),  # whom nobody knows has no features, and is not lost
    ]


def test_an_entity_is_held_out_by_its_values_alone(installation: Installation) -> None:
    made = built(shop(holdout=Holdout(share=0.5)), installation)
    found = {row["customer"]: row["_split"] for row in made.rows.to_pylist()}
    assert found == {"ann": "holdout", "bob": "train", "dan": "train"}
    assert made.counts.held_out == 2


def test_what_cannot_be_learned_from_is_refused_when_it_is_declared() -> None:
    domain = shop()
    view, reports, payments = domain.feature_views[0], domain.table("reports"), domain.table("payments")
    with pytest.raises(DeclarationError, match="made of its gold set"):
        domain.training_set("a", labels=reports, label="fraud", features=[view], gold=payments)
    with pytest.raises(DeclarationError, match="has a training set 'fraud' already"):
        domain.training_set("fraud", labels=reports, label="fraud", features=[view])
    with pytest.raises(DeclarationError, match="joins features by customer, which is not its entity's"):
        domain.training_set("a", labels=reports, label="fraud", features=[view], entity="sure")
    with pytest.raises(DeclarationError, match="a holdout is by time or by entity"):
        Holdout(last_batches=1, share=0.5)
    with pytest.raises(DeclarationError, match="about nobody"):
        domain.features(entity=(), schema=Payment, name="x")(lambda payments: payments)


def test_a_label_column_that_is_not_there_is_named(installation: Installation) -> None:
    domain = shop()
    other = domain.training_set("other", labels=domain.table("reports"), label="frod", features=domain.feature_views)
    run_domains(domain, installation=installation)
    with pytest.raises(UnknownNameError, match="did you mean 'fraud'"):
        build_training_set(installation, other)


class Judged(pa.DataFrameModel):
    """A customer, and whether somebody saw that."""

    customer: arrow.string()
    fraud: arrow.bool_()
    made: arrow.bool_() = pa.Field(alias="_synthetic", nullable=True)


def test_what_nobody_observed_is_no_label_and_in_no_gold_set(installation: Installation) -> None:
    domain = shop()
    told = [("ann", True, False), ("bob", True, True), ("cid", False, False), ("ann", False, True)]
    rows = [dict(zip(("customer", "fraud", "_synthetic"), one, strict=True)) for one in told]
    judged = {"all": [row for row in rows if not row["_synthetic"]], "again": rows}
    source = Source(origin="Desk", steward=Steward("Risk", "a@b.example"), reader=Function(judged.__getitem__))
    batches = StaticBatches(keys=["all", "again"])
    labels = domain.gated("judged", schema=Judged, batches=batches, source=source)
    learned: dict[str, Any] = {"label": "fraud", "features": domain.feature_views, "label_delay": "0s"}
    of_some = domain.training_set("of_some", labels=labels, **learned)
    gold = domain.training_set("by_gold", labels=domain.table("reports"), gold=labels, at="at", **learned)
    run_domains(domain, installation=installation)
    made = build_training_set(installation, of_some)
    # A real label keeps its place where a newer one that somebody made is about the same customer and time.
    assert made.rows.column("customer").to_pylist() == ["ann", "cid", "ann", "cid"]
    assert made.rows.column("fraud").to_pylist() == [True, False, True, False]
    assert made.counts.excluded == {"it is synthetic: nobody observed it": 2}
    with pytest.raises(DeclarationError, match=r"shop.judged has 2 synthetic rows in batch again") as refused:
        build_training_set(installation, gold)
    assert "_synthetic: pa.Field(isin=[False])" in refused.value.way_out


@pytest.mark.parametrize(
    ("numbers", "kind"), [(["7", "007"], arrow.string()), ([2.0**53], arrow.float64())], ids=["text", "float"]
)
def test_labels_are_not_joined_by_values_of_another_kind(
    numbers: list[Any], kind: arrow.DataType, installation: Installation
) -> None:
    domain = Domain("reef", owner="reef@example.org")
    given = {
        "corals": arrow.table({"coral": [7, 2**53, 2**53 + 1], "size": [1, 2, 3]}),
        "labels": arrow.table({"coral": arrow.array(numbers, kind), "alive": [True] * len(numbers)}),
    }
    corals, labels = (
        domain.gated(
            name,
            schema=pa.DataFrameSchema({field.name: pa.Column(field.type) for field in rows.schema}),
            source=Source(
                origin="Divers",
                steward=Steward("Reef", "reef@example.org"),
                reader=Function(lambda _batch, rows=rows: rows),
            ),
            batches=StaticBatches(keys=["all"]),
        )
        for name, rows in given.items()
    )

    @domain.features(
        entity="coral",
        schema=pa.DataFrameSchema({"coral": pa.Column(arrow.int64()), "size": pa.Column(arrow.int64())}),
        reads={"rows": corals},
    )
    def sizes(rows: Any) -> Any:
        """How large a coral is."""
        return rows

    domain.training_set("alive", labels=labels, label="alive", features=[sizes], at=sizes)
    run_domains(domain, installation=installation)
    with pytest.raises(DeclarationError, match=r"reef\.alive joins by coral, which is .* in the labels and BIGINT in"):
        build_training_set(installation, domain.training_sets[0])


def test_a_label_that_is_nan_is_not_known(installation: Installation) -> None:
    domain = reef()
    seen = table_of(domain, "seen", [{"coral": name, "age": 1} for name in "ab"], {"age": pa.Column(arrow.int64())})
    rows = [{"coral": "a", "alive": 0.5}, {"coral": "b", "alive": math.nan}]
    labels = table_of(domain, "labels", rows, {"alive": pa.Column(arrow.float64(), nullable=True)})
    view = features_of(domain, seen, {"age": pa.Column(arrow.int64())})
    learned = domain.training_set("alive", labels=labels, label="alive", features=[view], at=view)
    run_domains(domain, installation=installation)
    made = build_training_set(installation, learned)
    assert made.rows.column("coral").to_pylist() == ["a"]
    assert made.counts.excluded == {"the label is null": 1}


def test_a_label_in_quarantine_is_not_awaited_too(installation: Installation) -> None:
    domain, age = reef(), {"age": pa.Column(arrow.int64())}
    rows = [{"coral": "a", "alive": 1}, {"coral": "b", "alive": -1}]  # and of c there is none yet
    labels = table_of(domain, "labels", rows, {"alive": pa.Column(arrow.int64(), pa.Check.ge(0))})
    view = features_of(domain, table_of(domain, "seen", [{"coral": name, "age": 1} for name in "abc"], age), age)
    learned = domain.training_set("alive", labels=labels, label="alive", features=[view], at=view)
    run_domains(domain, installation=installation)
    made = build_training_set(installation, learned)
    assert made.counts.trained == 1
    assert made.counts.waiting == {"it waits in quarantine": 1, "no label of the entity is published yet": 1}


def test_of_versions_of_labels_only_what_the_last_holds_back_waits(installation: Installation) -> None:
    domain, age = reef(), {"age": pa.Column(arrow.int64())}
    days: list[str] = []
    rows = [{"coral": "a", "alive": 1}, {"coral": "b", "alive": -1}]
    arrived = Function(lambda _batch: rows, arrivals=lambda: [(day, "1") for day in days])
    labels = domain.gated(
        "labels",
        schema=of_corals({"alive": pa.Column(arrow.int64(), pa.Check.ge(0))}),
        source=Source(origin="Divers", steward=Steward("Reef", "reef@example.org"), reader=arrived),
        batches=Versions(),
    )
    view = features_of(domain, table_of(domain, "seen", [{"coral": "a", "age": 1}], age), age)
    learned = domain.training_set("alive", labels=labels, label="alive", features=[view], at=view)
    for day in DAYS[:2]:
        days.append(day)
        run_domains(domain, installation=installation)
    made = build_training_set(installation, learned)
    assert (made.counts.trained, made.counts.waiting) == (1, {"it waits in quarantine": 1})
