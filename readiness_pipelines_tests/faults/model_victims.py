"""What a process does that is going to be killed while it trains a model and lets it serve."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from readiness_pipelines.delivery import commit
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.lakehouse import Lakehouse
from readiness_pipelines.ledger import Ledger, Models
from readiness_pipelines.models import promote_model, train_model
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.models.clinic import AUTHOR, a_training_set, clinic, model_of

RUN = Run(run_id="victim", who=AUTHOR)


def steps() -> tuple[tuple[Any, str], ...]:
    """Everything by which a training or a promotion changes anything, in ledger, warehouse and MLflow."""
    from mlflow import MlflowClient  # noqa: PLC0415  # it takes seconds

    return (
        (Models, "begin"),
        (Place, "write"),
        (Models, "note_trained"),
        (MlflowClient, "create_experiment"),
        (MlflowClient, "create_run"),
        (MlflowClient, "log_metric"),
        (MlflowClient, "set_terminated"),
        (MlflowClient, "create_registered_model"),
        (MlflowClient, "create_model_version"),
        (Models, "note_registered"),
        (Models, "note_validated"),
        (Models, "serve"),
        (Ledger, "begin"),
        (Lakehouse, "replace"),
        (commit, "record_batch"),
        (Models, "note_served"),
        (MlflowClient, "set_registered_model_alias"),
    )


def installation_in(folder: Path) -> Installation:
    """The installation of a folder, with MLflow in an SQLite of its own."""
    return Installation.open(settings_in(folder))


def train_and_promote(folder: Path, name: str) -> None:
    """Train a version on a set, and let it serve."""
    installation = installation_in(folder)
    model, built = model_of(clinic()), a_training_set(name, rows=300 if name == "set_1" else 600)
    version = train_model(model, built, installation=installation, run=RUN)
    promote_model(model, version.version, why="better", installation=installation, run=RUN, built=built, despite=True)


@contextmanager
def counted(at: Callable[[int, str], None]) -> Iterator[None]:
    """Call something before each step, with its number from 1 on and its name. The steps are the real ones."""
    taken = 0

    def watched(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal taken
            taken += 1
            at(taken, name)
            return original(*arguments, **options)

        return call

    with ExitStack() as stack:
        for owner, name in steps():
            stack.enter_context(patch.object(owner, name, watched(name, getattr(owner, name))))
        yield


def work_until(folder: Path, name: str, step: int) -> None:
    """Train and promote, and be killed before a step is taken."""

    def strike(number: int, _name: str) -> None:
        if number == step:
            os.kill(os.getpid(), signal.SIGKILL)

    with counted(strike):
        train_and_promote(folder, name)


def work_noting_steps(folder: Path, name: str, notes: Path) -> None:
    """Train and promote, and write down the names of the steps."""
    taken: list[str] = []
    with counted(lambda _number, step: taken.append(step)):
        train_and_promote(folder, name)
    notes.write_text("\n".join(taken))
