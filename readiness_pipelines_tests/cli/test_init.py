"""`readiness init` makes a project that runs as it is written, and overwrites nothing."""

import json
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import call, run_process
from readiness_pipelines_tests.drafting.files import CASES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, of which no setting says where things are."""
    monkeypatch.chdir(tmp_path)
    for name in ("READINESS_DOMAINS", "READINESS_LANDING", "READINESS_WAREHOUSE", "READINESS_CONFIG", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_new_project_runs_and_its_checks_and_tests_pass(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "next: cd bakery && readiness run" in call("init", "bakery")
    monkeypatch.chdir(here / "bakery")
    checked = run_process("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    run = run_process("run", COLUMNS="120")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "33.3 %" in run.stdout  # one refunded order of the three that are published
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], capture_output=True, text=True, check=False
    )
    assert "2 passed" in tested.stdout, tested.stdout + tested.stderr
    written = "".join(
        file.read_text() for file in here.rglob("*") if file.is_file() and file.suffix in (".py", ".toml")
    )
    assert "$" not in written
    assert (here / "bakery" / "dagster.yaml").read_text() == (ROOT / "dagster.yaml").read_text()


def test_a_project_drafted_from_files_runs_unedited_and_its_tests_pass(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "orders.csv").write_bytes(CASES["orders"].files["orders.csv"])
    for day in (1, 2):
        rows = [json.dumps({"zip": f"0{n:03}", "seen": f"{day:02}.11.2026"}) for n in range(20)]
        (here / f"visits_2026-11-0{day}.jsonl").write_text("\n".join(rows))
    files = [path.name for path in sorted(here.iterdir())]
    said = call("init", "corner", "--from", *files)
    assert "corner.orders: 4 columns, 200 rows looked at, 2 of them fail" in said
    assert "next: cd corner && readiness check && readiness run" in said
    assert "is there already, and not empty" in call("init", "corner", "--from", *files, code=2)
    assert "given without --from" in call("init", "other", files[0], code=2)
    monkeypatch.chdir(here / "corner")
    assert sorted(str(file.relative_to("data/landing")) for file in Path("data/landing").rglob("*.*")) == [
        "orders/orders.csv",
        "visits/visits_2026-11-01.jsonl",
        "visits/visits_2026-11-02.jsonl",
    ]
    assert "nothing is wrong in 2 tables" in call("check")
    run = run_process("run", COLUMNS="120")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "198" in run.stdout
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], capture_output=True, text=True, check=False
    )
    assert "4 passed" in tested.stdout, tested.stdout + tested.stderr
    written = (here / "corner" / "corner.py").read_text()
    assert all(len(line) <= 120 for line in written.splitlines())
    assert "@shop.example" not in written + Path("test_corner.py").read_text()  # nobody's address leaves the data


def test_a_project_drafted_from_a_database_keeps_its_address_in_a_variable(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(here / "shop.db") as database:
        database.execute("CREATE TABLE kiosk (id INTEGER, amount REAL)")
        database.executemany("INSERT INTO kiosk VALUES (?, ?)", [(n, n / 2) for n in range(30)])
    database.close()
    address = f"sqlite:///{here / 'shop.db'}"
    refused = call("init", "kiosk", "--from", "postgresql://me:secret@host/shop", "kiosk", code=2)
    assert "the password in it would stay in the shell's history" in refused
    assert "secret" not in refused
    assert "is not set" in call("init", "kiosk", "--from", "env:SHOP_URL", "kiosk", code=2)
    monkeypatch.setenv("SHOP_URL", "sqlite:///shop.db")
    assert "a path from this folder" in call("init", "kiosk", "--from", "env:SHOP_URL", "kiosk", code=2)
    monkeypatch.setenv("SHOP_URL", address)
    assert "no table of the database is named" in call("init", "kiosk", "--from", "env:SHOP_URL", code=2)
    said = call("init", "kiosk", "--from", "env:SHOP_URL", "kiosk")
    assert "drafted from 1 table of the database in SHOP_URL: kiosk.kiosk: 2 columns, 30 rows looked at" in said
    monkeypatch.chdir(here / "kiosk")
    assert address not in "".join(file.read_text() for file in Path().rglob("*") if file.is_file())
    assert tomllib.loads(Path("readiness.toml").read_text())["settings"]["connections"] == {"shop": "env:SHOP_URL"}
    checked = run_process("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    run = run_process("run", COLUMNS="120")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "30" in run.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [("Shop-1", "not an identifier"), ("json", "a Python module"), ("shop_raw", "ends like"), ("taken", "not empty")],
)
def test_a_name_that_would_not_work_and_a_folder_in_use_are_refused(here: Path, name: str, says: str) -> None:
    (here / "taken").mkdir()
    (here / "taken" / "mine.txt").touch()
    assert says in call("init", name, code=2)
    assert [file.name for file in here.rglob("*")] == ["taken", "mine.txt"]
