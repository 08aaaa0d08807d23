"""Two promotions at once: one wins, over each kind of database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

from readiness_pipelines.errors import LedgerError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.models import promote_model, train_model
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.databases import Kind
from readiness_pipelines_tests.models.clinic import a_training_set, clinic, model_of
from readiness_pipelines_tests.waiting import LONGEST_SECONDS


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told_who_serves(database: Kind, tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()

    def opened() -> Installation:
        return replace(Installation.open(settings_in(tmp_path)), mlflow_uri="off")

    model, run = model_of(clinic()), Run(who="ann")
    first = opened()
    for number in (1, 2):
        built = a_training_set(f"set_{number}", rows=300 * number)
        train_model(model, built, installation=first, run=run)
    both, met = Barrier(2), []

    def promote(version: int) -> str:
        installation = opened()
        state = installation.ledger.models.serving(model.id)
        assert state.revision == 0
        both.wait(LONGEST_SECONDS)
        try:
            promote_model(model, version, why="at once", installation=installation, run=run)
        except LedgerError as error:
            return error.what
        return "won"

    with ThreadPoolExecutor(2) as pool:
        met = list(pool.map(promote, (1, 2)))
    assert met.count("won") == 1, met
    winner = met.index("won") + 1
    state = opened().ledger.models.serving(model.id)
    assert (state.champion, state.revision, state.served_revision) == (winner, 1, 1)
    assert any("somebody else decided" in one or "was not compared" in one for one in met)
    promoted = [one for one in opened().ledger.models.history(model.id) if one.what == "promoted"]
    assert [one.ref.batch for one in promoted] == [f"v{winner}"]
