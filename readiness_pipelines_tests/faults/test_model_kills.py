"""Killed before any step of training and promotion, the same command ends it: one champion, nothing in MLflow twice.

At no instant does MLflow have a run or a version that the ledger does not know.
"""

import multiprocessing
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.ledger import ModelState
from readiness_pipelines_tests.faults.model_victims import (
    installation_in,
    train_and_promote,
    work_noting_steps,
    work_until,
)
from readiness_pipelines_tests.models.clinic import clinic, model_of
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

EVERY = int(os.environ.get("MODEL_KILLS_EVERY", "3"))
"""Every so many steps CI kills; 1 kills at each."""
WORKERS = multiprocessing.get_context("forkserver")
MODEL = model_of(clinic())

pytestmark = pytest.mark.slow


def in_process(function: Callable[..., None], *arguments: object) -> int:
    """Call a function in a process of its own, which loads MLflow; its exit code."""
    worker = WORKERS.Process(target=function, args=arguments)
    worker.start()
    worker.join(LONGEST_SECONDS)
    assert worker.exitcode is not None
    return worker.exitcode


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A model with one champion: made once, and put in its place again for each kill."""
    base = tmp_path_factory.mktemp("models")
    folder, kept = base / "clinic", base / "kept"
    folder.mkdir()
    assert in_process(train_and_promote, folder, "set_1") == 0
    folder.rename(kept)

    def restored() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)
        return folder

    return restored


def in_mlflow(folder: Path, query: str) -> list[str]:
    """What MLflow's own database has."""
    with closing(sqlite3.connect(folder / "warehouse" / "mlflow.db")) as database:
        return sorted(value for (value,) in database.execute(query))


def registered(folder: Path) -> tuple[list[str], list[str]]:
    """The keys of all runs and versions in MLflow, those without one as "none"."""
    runs = """
        SELECT coalesce(tags.value, 'none') FROM runs
        LEFT JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = 'readiness.key'
    """
    versions = """
        SELECT coalesce(tags.value, 'none') FROM model_versions AS v
        LEFT JOIN model_version_tags AS tags
        ON tags.name = v.name AND tags.version = v.version AND tags.key = 'readiness.key'
    """
    return in_mlflow(folder, runs), in_mlflow(folder, versions)


def orphans(folder: Path) -> set[str]:
    """The keys that MLflow has and the ledger does not."""
    runs, versions = registered(folder)
    known = {one.key for one in installation_in(folder).ledger.models.versions(MODEL.id)}
    return {*runs, *versions} - known


def left(folder: Path) -> tuple[Any, ...]:
    """All that a training and a promotion leave."""
    installation = installation_in(folder)
    models = installation.ledger.models
    versions = [(one.version, one.state, one.checksum, one.measured["metrics"]) for one in models.versions(MODEL.id)]
    state = models.serving(MODEL.id)
    with installation.engine() as engine:
        rows = installation.lakehouse.relation(engine, MODEL.id)
        served = rows.project("role, version, checksum").distinct().fetchall()
    aliases = in_mlflow(folder, "SELECT alias || ' v' || version FROM registered_model_aliases")
    return versions, state.serving, state.served_revision, *registered(folder), served, aliases


def test_a_training_and_promotion_killed_before_each_step_is_ended_by_the_same_command(
    fresh: Callable[[], Path], tmp_path: Path
) -> None:
    folder, notes = fresh(), tmp_path / "steps"
    assert in_process(work_noting_steps, folder, "set_2", notes) == 0
    taken = notes.read_text().splitlines()
    whole = left(folder)
    versions, serving, revision, runs, kept, served, aliases = whole
    assert aliases == ["champion v2"]
    assert in_mlflow(folder, "SELECT value FROM tags WHERE key = 'readiness.training_set'") == ["set_1", "set_2"]
    assert [(one[0], one[1]) for one in versions] == [(1, ModelState.CANDIDATE), (2, ModelState.CANDIDATE)]
    assert (serving, revision, len(runs), len(kept)) == ({"champion": 2}, 2, 2, 2)
    assert [row[:2] for row in served] == [("champion", 2)]
    for number in range(1, len(taken) + 1, EVERY):
        folder = fresh()
        assert in_process(work_until, folder, "set_2", number) == -signal.SIGKILL, taken[number - 1]
        assert orphans(folder) == set(), taken[number - 1]
        champion = installation_in(folder).ledger.models.serving(MODEL.id).champion
        assert champion in (1, 2), taken[number - 1]
        assert in_process(train_and_promote, folder, "set_2") == 0, taken[number - 1]
        assert left(folder) == whole, f"killed before step {number}, {taken[number - 1]}"
