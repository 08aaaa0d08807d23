"""Models: trained once for each key, compared with the champion, promoted by whom it may, and read by what scores."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandera.pyarrow as pandera
import pyarrow as pa
import pytest

from readiness_pipelines import Domain, NotWorse
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts.predictors import feature_matrix
from readiness_pipelines.decisions import Correction, Discarding
from readiness_pipelines.delivery import decide, replay_batch
from readiness_pipelines.delivery.checking import check_domains
from readiness_pipelines.errors import DeclarationError, LakehouseError, LedgerError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelState, RetrainingState, Severity
from readiness_pipelines.models import (
    affected_versions,
    allow_retraining,
    canary_model,
    changes_under,
    end_retrainings,
    promote_model,
    reject_model,
    request_retraining,
    rollback_model,
    shadow_model,
    superseded_models,
    train_model,
    withdraw_model,
)
from readiness_pipelines.models.serving import serving_key
from readiness_pipelines.products import UsedBatch
from readiness_pipelines.settings import Settings
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.models.clinic import (
    APPROVER,
    AUTHOR,
    NOW,
    a_training_set,
    clinic,
    deliver_stays,
    land,
    model_of,
)

ANN, CHIEF = Run(who=AUTHOR), Run(who=APPROVER)


@pytest.fixture
def installation(installation: Installation) -> Installation:
    """Without a registry: MLflow has its own test."""
    return replace(installation, mlflow_uri="off")


def test_a_model_of_which_nothing_serves_yet_is_no_mistake_of_the_code() -> None:
    found = check_domains([clinic()], Settings())
    assert found.mistakes == ()
    assert found.untried == ("clinic.scores",)


def test_a_schema_of_predictions_that_does_not_say_which_version_made_them_is_refused() -> None:
    domain = clinic()

    class Score(pandera.DataFrameModel):
        stay: pa.int64()
        prediction: pa.float64()

    domain.scored("nameless", model=model_of(domain), rows=domain.table("stays"), schema=Score, key="stay")
    (mistake,) = check_domains([domain], Settings()).mistakes
    assert (mistake.table, mistake.code) == ("clinic.nameless", "gate-build")
    assert mistake.what.startswith("the schema of clinic.nameless has no model_version, model_role, shadow_prediction")


def test_a_batch_is_scored_by_who_serves_and_scored_again_when_somebody_else_does(installation: Installation) -> None:
    domain = clinic()
    model = model_of(domain)
    land(installation.landing.path, "b1")
    used = deliver_stays(domain, installation, "b1")
    first = train_model(model, a_training_set(used=[used]), installation=installation, run=ANN)
    again = train_model(model, a_training_set(used=[used]), installation=installation, run=ANN)
    assert again == first
    assert first.state is ModelState.CANDIDATE
    assert first.validation["passed"]
    assert first.measured["metrics"]["auc"] > 0.85
    wards = {one["slice"]: one for one in first.measured["slices"]["ward"]}
    assert set(wards) == {"A", "B", "small"}
    assert wards["small"] == {"slice": "small", "rows": 3, "metrics": {"auc": None, "log_loss": None}}

    def scores() -> list[tuple[Any, ...]]:
        run_domains(domain, installation=installation)
        with installation.engine() as engine:
            table: Any = domain.table("scores")
            rows = installation.lakehouse.relation(engine, table.id)
            return (
                rows.project("stay, prediction, model_version, model_role, shadow_version, shadow_prediction")
                .order("stay")
                .fetchall()
            )

    assert not installation.lakehouse.exists(domain.table("scores").id)  # nothing serves: nothing is scored
    promote_model(model, 1, why="the first", installation=installation, run=ANN)
    by_first = scores()
    assert {row[2:] for row in by_first} == {(1, "champion", None, None)}
    second = train_model(model, a_training_set("set_2", seed=1, rows=900), installation=installation, run=ANN)
    shadow_model(model, second.version, why="look", installation=installation, run=ANN)
    beside = scores()
    assert [row[:4] for row in beside] == [row[:4] for row in by_first]
    assert all(row[4] == 2 and row[5] is not None and row[5] != row[1] for row in beside)
    withdraw_model(model, 2, why="seen", installation=installation, run=ANN)
    canary_model(model, 2, share=0.5, why="half", installation=installation, run=ANN)
    by_both = scores()
    assert {row[2:4] for row in by_both} == {(1, "champion"), (2, "canary")}
    assert scores() == by_both
    promote_model(model, 2, why="better", installation=installation, run=ANN)
    assert {row[2:4] for row in scores()} == {(2, "champion")}
    assert installation.ledger.get(_ref(domain, "scores")).inputs[model.id]  # type: ignore[union-attr]
    rollback_model(model, why="complaints", installation=installation, run=ANN)
    assert scores() == by_first
    said = [(entry.what, entry.who) for entry in installation.ledger.models.history(model.id, 2)]
    assert said == [
        (what, AUTHOR)
        for what in (
            "training",
            "trained",
            "registered",
            "validated",
            "shadow",
            "shadow withdrawn",
            "canary",
            "promoted",
        )
    ]


def _ref(domain: Any, name: str) -> Any:
    return BatchRef(domain.table(name).id, "b1")


def test_a_worse_candidate_is_refused_and_a_person_can_say_otherwise_with_a_reason(installation: Installation) -> None:
    model = model_of(clinic())
    train_model(model, a_training_set(), installation=installation, run=ANN)
    promote_model(model, 1, why="the first", installation=installation, run=ANN)
    worse = train_model(model, a_training_set(), installation=installation, run=ANN, params={"flip": True})
    assert (worse.version, worse.validation["passed"], worse.validation["against"]) == (2, False, 1)
    with pytest.raises(LedgerError, match=r"perhaps worse by more than 0\.01"):
        promote_model(model, 2, why="new", installation=installation, run=ANN)
    with pytest.raises(LedgerError, match="no reason"):
        promote_model(model, 2, why=" ", installation=installation, run=ANN, despite=True)
    done = promote_model(model, 2, why="labels were inverted", installation=installation, run=ANN, despite=True)
    assert done.state.champion == 2
    (entry,) = [one for one in installation.ledger.models.history(model.id) if one.why == "labels were inverted"]
    assert "perhaps worse" in entry.details["evidence"]["despite"][0]
    with pytest.raises(LedgerError, match="serves as champion"):
        reject_model(model, 2, why="no", installation=installation, run=ANN)
    third = train_model(model, a_training_set(seed=3), installation=installation, run=ANN)
    reject_model(model, third.version, why="no", installation=installation, run=ANN)
    with pytest.raises(LedgerError, match="is rejected, not a candidate"):
        promote_model(model, third.version, why="yes", installation=installation, run=ANN)


def test_a_second_rollback_goes_back_further_and_never_to_a_version_that_was_rejected(
    installation: Installation,
) -> None:
    model = model_of(clinic())
    for number in (1, 2, 3):
        train_model(model, a_training_set(f"set_{number}", seed=number), installation=installation, run=ANN)
        promote_model(model, number, why="new", installation=installation, run=ANN, despite=True)

    def back(to: int | None = None) -> int | None:
        return rollback_model(model, why="bad", installation=installation, run=ANN, version=to).state.champion

    assert (back(), back(), back(3)) == (2, 1, 3)
    assert back() == 1
    reject_model(model, 3, why="wrong", installation=installation, run=ANN)
    with pytest.raises(LedgerError, match="no earlier champion 3 to go back to that may serve") as no:
        back(3)
    assert no.value.way_out == "earlier champions: 2"
    assert back(2) == 2


def test_who_becomes_champion_by_a_rollback_is_nothing_else_and_what_is_refused_names_what_helps(
    installation: Installation,
) -> None:
    model = model_of(clinic())
    by: dict[str, Any] = {"why": "new", "installation": installation, "run": ANN}
    for number in (1, 2):
        train_model(model, a_training_set(f"set_{number}", seed=number), installation=installation, run=ANN)
        promote_model(model, number, despite=True, **by)
    canary_model(model, 1, share=0.5, **by)
    with pytest.raises(LedgerError) as no:
        reject_model(model, 1, **by)
    assert no.value.way_out == 'readiness model withdraw clinic.readmission 1 --reason "…"'
    done = rollback_model(model, **by)
    assert dict(done.state.serving) == {"champion": 1}
    reject_model(model, 2, **by)
    with pytest.raises(LedgerError) as no:
        rollback_model(model, **by)
    assert no.value.way_out.startswith("readiness model train clinic.readmission, then: readiness model promote")
    both = {"canary": 1, "canary_share": 0.5}  # as a rollback left it once
    installation.ledger.models.serve(done.state, both, version=1, what="canary", why="x", evidence={}, who="x", at=NOW)
    assert dict(withdraw_model(model, 1, **by).state.serving) == {"champion": 1}


def test_the_last_decision_about_who_serves_is_in_force_also_by_a_slow_clock_and_within_a_second(
    installation: Installation,
) -> None:
    model = model_of(clinic())

    def at(minutes: int) -> Run:
        return Run(who=AUTHOR, clock=lambda: NOW + timedelta(minutes=minutes))

    for number, minutes in ((1, -60), (2, 0)):
        train_model(model, a_training_set(f"set_{number}", seed=number), installation=installation, run=ANN)
        promote_model(model, number, why="new", installation=installation, run=at(minutes), despite=True)
    state = rollback_model(model, why="complaints", installation=installation, run=at(-2)).state
    with installation.engine() as engine:
        serving = installation.lakehouse.relation(engine, model.id)
        assert serving.project("version").distinct().fetchall() == [(1,)]
    assert state.decided_at == NOW
    assert installation.ledger.models.history(model.id)[-1].at == NOW - timedelta(minutes=2)  # what the clock said
    older = f"{NOW:%Y-%m-%dT%H%M%SZ}-r9"  # as keys were spelled once
    later = [serving_key(replace(state, revision=number)) for number in (9, 10, 100)]
    assert sorted([*later[::-1], older], key=model.serving.batches.order) == [older, *later]


def test_a_version_that_is_rejected_while_somebody_trains_or_promotes_it_stays_rejected_and_serves_nobody(
    installation: Installation,
) -> None:
    model, models = model_of(clinic()), installation.ledger.models
    read = train_model(model, a_training_set(), installation=installation, run=ANN)  # as a promotion under way has it
    reject_model(model, 1, why="no", installation=installation, run=CHIEF)
    by: dict[str, Any] = {"who": AUTHOR, "at": NOW}
    with pytest.raises(LedgerError, match=r"version 1 of clinic\.readmission is rejected by now"):
        models.note_validated(read, validation={"passed": True}, **by)
    with pytest.raises(LedgerError, match=r"version 1 of clinic\.readmission is rejected by now"):
        models.serve(
            models.serving(model.id), {"champion": 1}, version=1, what="promoted", why="new", evidence={}, **by
        )
    assert models.get(model.id, 1) == replace(read, state=ModelState.REJECTED)
    assert models.serving(model.id).revision == 0


def test_a_candidate_is_compared_again_where_the_rule_is_another_now(installation: Installation) -> None:
    model, built = model_of(clinic()), a_training_set()
    loose = replace(model, promote=replace(model.promote, by=1.0))
    train_model(model, built, installation=installation, run=ANN)
    promote_model(model, 1, why="the first", installation=installation, run=ANN)
    worse = train_model(loose, built, installation=installation, run=ANN, params={"flip": True})
    assert worse.validation["passed"]
    with pytest.raises(LedgerError, match=r"perhaps worse by more than 0\.01"):
        promote_model(model, 2, why="new", built=built, installation=installation, run=ANN)
    again = train_model(loose, built, installation=installation, run=ANN, params={"flip": True})
    assert again.validation == worse.validation
    before = {key: value for key, value in again.validation.items() if key != "rule_as_written"}  # as it was kept once
    installation.ledger.models.note_validated(again, validation=before, who=AUTHOR, at=NOW)
    assert promote_model(loose, 2, why="new", built=built, installation=installation, run=ANN).state.champion == 2
    assert installation.ledger.models.get(model.id, 2).validation == worse.validation


def test_a_model_of_high_risk_is_let_serve_by_its_approver_who_is_not_the_author(installation: Installation) -> None:
    model = model_of(clinic(risk="high"))
    train_model(model, a_training_set(), installation=installation, run=ANN)
    with pytest.raises(LedgerError, match=r"chief@clinic.example lets it serve, not ann@clinic.example"):
        promote_model(model, 1, why="mine", installation=installation, run=ANN)
    train_model(model, a_training_set("set_2"), installation=installation, run=CHIEF)
    with pytest.raises(LedgerError, match="cannot approve it, too"):
        promote_model(model, 2, why="mine", installation=installation, run=CHIEF)
    assert promote_model(model, 1, why="fine", installation=installation, run=CHIEF).state.champion == 1


def test_a_model_knows_which_of_its_batches_changed_and_is_not_promoted_on_them(installation: Installation) -> None:
    domain = clinic()
    model = model_of(domain)
    land(installation.landing.path, "b1")
    used = deliver_stays(domain, installation, "b1")
    version = train_model(model, a_training_set(used=[used]), installation=installation, run=ANN)
    deliver_stays(domain, installation, "b1")
    assert changes_under(version, installation=installation) == ()  # delivered again as it was
    land(installation.landing.path, "b1", age=20)
    deliver_stays(domain, installation, "b1")
    (changed,) = changes_under(version, installation=installation)
    assert (str(changed.ref.table), changed.ref.batch, changed.what) == ("clinic.stays", "b1", "replayed")
    with pytest.raises(LedgerError, match="trained on superseded data"):
        promote_model(model, 1, why="new", installation=installation, run=ANN)


@pytest.mark.parametrize(
    ("decision", "what", "severity"),
    [
        (Correction(column="age", expression="'30'", where="_row = 0"), "corrected", Severity.WARN),
        (Discarding(), "discarded", Severity.ERROR),
    ],
)
def test_what_somebody_decides_about_a_batch_is_an_incident_of_the_model_that_serves(
    installation: Installation, decision: Any, what: str, severity: Severity
) -> None:
    domain = clinic()
    model, stays = model_of(domain), domain.table("stays")
    land(installation.landing.path, "b1")
    used = deliver_stays(domain, installation, "b1")
    train_model(model, a_training_set(used=[used]), installation=installation, run=ANN)
    promote_model(model, 1, why="the first", installation=installation, run=ANN)
    tables = {table.id: table for table in domain.tables}
    assert list(superseded_models(tables, installation=installation)) == []
    decide(stays, decision, batch="b1", why="a test", installation=installation, run=CHIEF)
    replay_batch(stays, batch="b1", installation=installation, run=CHIEF)
    (found,) = superseded_models(tables, installation=installation)
    assert (found.table, found.severity) == (model.id, severity)
    assert f"superseded data: clinic.stays[b1] was {what}" in found.seen
    assert f"by {APPROVER}" in found.seen
    assert found.at_risk == ("clinic.readmission", "clinic.scores")
    (about,) = affected_versions(used_ref(used), installation=installation)
    assert (about[0].version, about[1]) == (1, (used_ref(used),))


def used_ref(used: UsedBatch) -> BatchRef:
    return BatchRef(used.table, used.batch)


def test_values_of_a_classified_column_are_not_named_where_a_model_is_measured_by_them(
    installation: Installation,
) -> None:
    land(installation.landing.path, "b1")
    for classified, names in (({"ward": "pii.quasi"}, {"group 1", "group 2", "group 3"}), ({}, {"A", "B", "small"})):
        domain = clinic(classified=classified)
        used = deliver_stays(domain, installation, "b1")
        built = a_training_set(f"set_{len(classified)}", used=[used])
        version = train_model(model_of(domain), built, installation=installation, run=ANN)
        assert {one["slice"] for one in version.measured["slices"]["ward"]} == names
    unknown = train_model(model_of(domain), a_training_set("set_3"), installation=installation, run=ANN)
    assert {one["slice"] for one in unknown.measured["slices"]["ward"]} == {"group 1", "group 2", "group 3"}


def test_whole_numbers_that_no_float_holds_are_rounded_and_not_quoted_in_an_error() -> None:
    rows = pa.table({"phone": [2**53 + 1, None]})
    assert str(feature_matrix(rows, ("phone",), what="clinic.readmission").tolist()) == f"[[{float(2**53)}], [nan]]"


def test_a_retraining_is_requested_once_allowed_by_a_person_and_answered_by_a_training(
    installation: Installation,
) -> None:
    model = model_of(clinic())
    run = Run(who="drift", clock=lambda: NOW)
    asked: dict[str, Any] = {"why": "age drifts", "evidence": {"column": "age"}, "installation": installation}
    first = request_retraining(model, key="age-b1", run=run, review=True, **asked)
    assert request_retraining(model, key="age-b1", run=run, **asked) == first
    assert first.state is RetrainingState.WAITING
    version = train_model(model, a_training_set(), installation=installation, run=ANN)
    assert end_retrainings(model, version, installation=installation, run=ANN) == ()  # it waits for a person
    allow_retraining(first.id, why="go", installation=installation, run=ANN)
    (done,) = end_retrainings(model, version, installation=installation, run=ANN)
    assert (done.state, done.version) == (RetrainingState.DONE, 1)
    assert request_retraining(model, key="age-b1", run=run, **asked) == done


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"risk": "prohibited"}, "Article 5"),
        ({"risk": "hihg"}, "did you mean 'high'"),
        ({"risk": "high", "approver": ""}, "nobody is named"),
        ({"metrics": "ouc"}, "did you mean 'auc'"),
    ],
)
def test_a_declaration_that_is_wrong_says_what_is_right(options: dict[str, Any], error: str) -> None:
    given = {"training": None, "risk": "minimal", "promote": NotWorse("auc"), **options}
    with pytest.raises(DeclarationError, match=error):
        Domain("shop", owner="me").model(**given)(lambda x, y: None)


def test_a_training_function_takes_what_can_be_given() -> None:
    declare = Domain("shop", owner="me").model(training=None, risk="minimal", promote=NotWorse("auc"))
    with pytest.raises(UnknownNameError, match="did you mean 'rows'"):
        declare(lambda rowz: None)
    with pytest.raises(DeclarationError, match="take rows"):
        declare(lambda x: None)


@pytest.mark.parametrize("damage", [lambda kept: kept[:300], lambda kept: kept[:-1] + b"?", lambda _: b""])
def test_a_damaged_artefact_is_refused_before_anybody_decides(
    installation: Installation, damage: Callable[[bytes], bytes]
) -> None:
    model = model_of(clinic())
    built = a_training_set()
    first, second = (train_model(model, built, installation=installation, run=ANN, seed=seed) for seed in (0, 1))
    promote_model(model, first.version, built=built, why="first", installation=installation, run=ANN)
    more: dict[str, Any] = {"built": built, "installation": installation, "run": ANN}
    promote_model(model, second.version, why="second", despite=True, **more)
    place = Path(str(installation.lakehouse.homes.published.path)) / first.artefact
    place.write_bytes(damage(place.read_bytes()))
    with pytest.raises(LakehouseError, match=r"version 1 of clinic\.readmission is not the one") as no:
        rollback_model(model, why="complaints", installation=installation, run=ANN)
    assert "readiness model train clinic.readmission --seed 1" in no.value.way_out
    assert installation.ledger.models.serving(model.id).champion == second.version
