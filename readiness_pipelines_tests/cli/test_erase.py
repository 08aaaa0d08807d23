"""`readiness erase`: values come from a file or a pipe, what is left is said aloud, and programs read JSON."""

import json
from pathlib import Path

import pytest

from readiness_pipelines.cli.main import app
from readiness_pipelines.delivery.erasure.matching import persons_of
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import EVERYWHERE
from readiness_pipelines.settings import Settings
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.cli.calling import RUNNER, as_json, call
from readiness_pipelines_tests.delivery.erasure.clinic import ANNA, CLINIC, land

HOME = "readiness_pipelines_tests.delivery.erasure.clinic:CLINIC"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Visits that ran."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READINESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("READINESS_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setenv("READINESS_DOMAINS", HOME)
    land(tmp_path)
    run_domains(CLINIC, installation=Installation.open(Settings()))
    return tmp_path


def test_a_person_is_counted_erased_and_certified_from_the_command_line(folder: Path) -> None:
    person = folder / "person.txt"
    person.write_text(f"{ANNA}\n\n")
    assert "there is nobody to ask for the value" in call("erase", "--reason", "asked", code=2)
    counted = as_json("erase", "clinic.visits", "--dry-run", "--subject-file", str(person))
    assert counted["clinic_raw.visits"] == {"day_1": 3}
    assert "clinic_raw.visits" in call("erase", "--dry-run", "--subject-file", str(person))
    person.unlink()
    done = RUNNER.invoke(
        app, ["erase", "--subject-file", "-", "--reason", "asked", "--ground", "gdpr-17", "--json"], input=f"{ANNA}\n"
    )
    assert done.exit_code == 0, done.output
    (certificate,) = json.loads(done.stdout)
    assert certificate["open"] == []
    assert certificate["found"]["landing"] == {"visits/day_1.csv": 3}
    assert ANNA not in done.output
    (batch, _) = next(iter(as_json("status")["lanes"]))["batches"]
    assert {name: batch[name] for name in ("ingested", "published", "quarantined", "erased")} == {
        "ingested": 8,
        "published": 4,
        "quarantined": 1,
        "erased": 3,
    }
    assert "8 ingested, 4 published, 1 quarantined, 0 discarded, 3 erased" in call(
        "history", "clinic.visits", "--batch", "day_1"
    )
    assert "everything is well" in call("doctor")
    assert "erased" in call("status", "clinic.visits")


def test_a_request_that_was_cut_off_is_said_aloud_until_it_is_finished(folder: Path) -> None:
    installation = Installation.open(Settings())
    visits, run = CLINIC.table("visits"), Run(who="dpo")
    key = installation.register_key.read(make=True)
    persons = persons_of(ANNA, [visits], scope=EVERYWHERE, key=key, at=run.clock())
    installation.ledger.erasures.begin(
        persons, tables=[visits.id], who="dpo", why="asked", ground="gdpr-17", at=run.clock()
    )
    assert "error[erasure-open] erasures are not done: 1 (asked for on" in call("status")
    assert "readiness erase --resume" in call("doctor", code=1)
    register = folder / "register.json"
    call("erase", "--export-register", str(register))
    assert "0 values are new" in call("erase", "--import-register", str(register))
    shown = call("erase", "--resume")
    assert "The request is done." in shown
    assert "# Erasure 1" in shown
    assert "no request is open" in call("erase", "--resume")
    assert "erasure-open" not in call("status")
    assert ANNA not in (folder / "landing" / "visits" / "day_1.csv").read_text()
    assert "The request is done." in call("erase", "--apply-register")
