"""The pages of models: what serves where, and a card whose every question has an answer or no evidence."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import RetrainingState
from readiness_pipelines.models import promote_model, request_retraining, train_model
from readiness_pipelines.web.app import build_app
from readiness_pipelines.web.site import Site
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.models.clinic import clinic, deliver_stays, land, model_of, set_of_stays
from readiness_pipelines_tests.web.conftest import Browser


def site_scorecard(browser: Browser) -> list[dict[str, Any]]:
    """The answers of the scorecard of all that is shown."""
    answers: list[dict[str, Any]] = browser.get("/api/scorecard").json()["answers"]
    return answers


def test_the_pages_say_what_serves_what_waits_and_what_changed(tmp_path: Path) -> None:
    settings, domain = settings_in(tmp_path), clinic(training=set_of_stays)
    installation = replace(Installation.open(settings), mlflow_uri="off")
    model, run = model_of(domain), Run(who="ann <script>")
    site = Site(
        settings=settings,
        domains=(domain,),
        installation=installation,
        start_replay=lambda _request: None,
        hosts=frozenset({"testserver"}),
    )
    browser = Browser(build_app(site))
    assert "nothing serves yet" in browser.get("/api/today").json()["models"][0]["sentence"].lower()
    assert "nothing yet" in browser.get("/models").text
    assert "Nothing was trained yet" in browser.get("/models/clinic/readmission").text
    land(installation.landing.path, "b1")
    deliver_stays(domain, installation, "b1")
    train_model(model, set_of_stays(installation), installation=installation, run=run)
    promote_model(model, 1, why="first", installation=installation, run=run)
    land(installation.landing.path, "b1", age=20)
    deliver_stays(domain, installation, "b1")
    request_retraining(model, key="a", why="age drifts", evidence={}, installation=installation, run=run, review=True)
    listed = browser.get("/models").text
    assert "champion v1" in listed
    assert 'href="/tables/clinic/scores"' in listed
    for path in ("/models", "/inbox", "/models/clinic/readmission"):  # a person decides where it is read
        assert 'action="/retrainings/1"' in browser.get(path).text
    (today,) = browser.get("/api/today").json()["models"]
    assert (today["stands"], today["serving"]) == ("needs a person", "champion v1")
    assert "trained on superseded data" in today["sentence"]
    assert today["sentence"].startswith("Age drifts; version 1")
    assert "1 model needs a person" in browser.get("/").text
    decided = browser.fill("/retrainings/1", do="allow", who="Dr. Weber", why="the ward was merged")
    assert (browser.status, "allowed by Dr. Weber (unproved): the ward was merged" in decided) == (200, True)
    assert installation.ledger.models.retrainings()[0].state is RetrainingState.OPEN
    browser.fill("/retrainings/1", do="decline", who="Eve", why="no")
    assert browser.status == 404
    history = [(one.what, one.who) for one in installation.ledger.models.history(model.id)]
    assert ("retraining allowed", "Dr. Weber (unproved)") in history
    catalog = browser.get("/catalog?q=readmision").text
    assert 'href="/models/clinic/readmission"' in catalog
    assert '<td data-head="Kind">model</td>' in catalog
    shown = browser.get("/models/clinic/readmission?version=1").text
    for said in ("1 batch changed", "no evidence", "Annex IV, 2(d)", "stays/b1.csv", "ann &lt;script&gt;"):
        assert said in shown, said
    assert browser.get("/models/clinic/readmision").status_code == 404
    assert 'href="/models"' in browser.get("/").text
    (models,) = [one for one in site_scorecard(browser) if one["question"]["id"] == "models"]
    assert models["verdict"] == "fails"
    assert "v1 serves, and learned from what was changed: clinic.stays[b1]" in models["evidence"][0]["text"]
    assert browser.get("/api/models").json()[0]["champion"] == 1
    card = browser.get("/api/models/clinic/readmission?version=1").json()
    assert (card["role"], card["tables"]["superseded"][0]["what"]) == ("champion", "replayed")
