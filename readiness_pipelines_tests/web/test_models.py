"""The pages of models: what serves where, and a card whose every question has an answer or no evidence."""

from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.models import promote_model, request_retraining, train_model
from readiness_pipelines.web.app import build_app
from readiness_pipelines.web.site import Site
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.models.clinic import clinic, deliver_stays, land, model_of, set_of_stays


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
    browser = TestClient(build_app(site))
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
    assert "readiness model allow 1" in listed
    shown = browser.get("/models/clinic/readmission?version=1").text
    for said in ("1 batch changed", "no evidence", "Annex IV, 2(d)", "stays/b1.csv", "ann &lt;script&gt;"):
        assert said in shown, said
    assert browser.get("/models/clinic/readmision").status_code == 404
    assert 'href="/models"' in browser.get("/").text
    assert browser.get("/api/models").json()[0]["champion"] == 1
    card = browser.get("/api/models/clinic/readmission?version=1").json()
    assert (card["role"], card["tables"]["superseded"][0]["what"]) == ("champion", "replayed")
