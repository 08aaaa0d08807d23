"""Every recipe of docs/recipes.md runs as it is printed, and its tables have what it says."""

import csv
import io
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines import Domain
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import quarantine_rows, waiting_batches
from readiness_pipelines.settings import Settings
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.documentation.recipes import Event, Recipe, recipes

RUN = Run(who="test", clock=lambda: datetime(2025, 2, 14, 12, tzinfo=UTC))


@pytest.mark.parametrize("recipe", recipes(), ids=lambda one: one.title)
def test_a_recipe_runs_and_gives_what_it_says(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READINESS_SETTLES", "0s")
    names: dict[str, Any] = {"__name__": "shop"}
    claims = 0
    for event in recipe.events:
        match event.what:
            case "code":
                exec(compile(event.text, f"recipe: {recipe.title}", "exec"), names)  # noqa: S102  # they are our own
            case "file":
                file = Path("data", "landing", event.name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(event.text, encoding="utf-8")
            case "database":
                _make_database(event, monkeypatch)
            case _:
                claims += 1
                said = [dict(row) for row in csv.DictReader(io.StringIO(event.text))]
                assert _found(event, list(said[0]), names["shop"]) == said
    assert claims


def _make_database(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(f"{event.name}.db").resolve()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(event.text)
    monkeypatch.setenv("BILLING_URL", f"sqlite:///{path}")
    Path("readiness.toml").write_text('[settings.connections]\nbilling = "env:BILLING_URL"\n', encoding="utf-8")


def _found(event: Event, columns: list[str], domain: Domain) -> list[dict[str, str]]:
    """The columns of a table that are claimed, as text: what is published of it, or what waits."""
    installation = Installation.open(Settings())
    run_domains(domain, installation=installation, run=RUN)
    table = domain.table(event.name.partition(".")[2])
    if event.what == "keeps back":
        return [
            {name: _text(row[name]) for name in columns}
            for one in waiting_batches([table], installation=installation)
            for row in quarantine_rows(
                table, batch=one.ref.batch, rule=None, limit=None, installation=installation
            ).to_pylist()
        ]
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, table.id).to_arrow_table().to_pylist()
    return [{name: _text(row[name]) for name in columns} for row in _in_order(rows, columns)]


def _in_order(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> list[Mapping[str, Any]]:
    """By batch and row; where a value is the only column that is claimed, by it."""
    found = sorted(rows, key=lambda row: (row["_batch"], row["_row"]))
    return sorted(found, key=lambda row: row[columns[0]]) if len(columns) == 1 else found


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
