"""MLflow: the view of what the ledger knows. Imported only where something is registered: that takes seconds.

A version is found again by a tag with its key, so that a crash between MLflow and the ledger leaves nothing twice: the
ledger knew the key before MLflow did. MLflow is given names, numbers and the artefact's address, and no row of anybody.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from readiness_pipelines.errors import DeclarationError, LakehouseError, first_line
from readiness_pipelines.ledger import ModelVersion, ServingState

OFF = "off"
"""The setting by which nothing is registered anywhere."""

KEY_TAG = "readiness.key"
VERSION_TAG = "readiness.version"
TRAINING_SET_TAG = "readiness.training_set"
CHECKSUM_TAG = "readiness.checksum"
COMMIT_TAG = "mlflow.source.git.commit"


def check_registry(uri: str) -> None:
    """Refuse to train where what is trained could not be registered.

    Raises:
        DeclarationError: MLflow is not installed, and a registry is set.
        LakehouseError: It cannot be reached.
    """
    if uri != OFF:
        with _errors(uri):
            _client(uri).search_experiments(max_results=1)


def register(version: ModelVersion, *, uri: str, address: str) -> Mapping[str, Any]:
    """Register a version, once; where it is, as JSON that the ledger keeps.

    Args:
        version: The version, trained.
        uri: Where MLflow is; `OFF` for nowhere.
        address: Where the artefact is.

    Raises:
        DeclarationError: MLflow is not installed.
        LakehouseError: MLflow cannot be reached, or refuses.
    """
    if uri == OFF:
        return {}
    name, tags = str(version.model), _tags(version)
    with _errors(uri):
        client = _client(uri)
        experiment = _experiment(client, name, artefacts=address.rpartition("/")[0])
        found = client.search_runs([experiment], filter_string=f"tags.`{KEY_TAG}` = '{version.key}'")
        run = found[0] if found else client.create_run(experiment, tags=tags, run_name=f"{name} v{version.version}")
        _log(client, run.info.run_id, version)
        _registered_model(client, name)
        same = client.search_model_versions(f"name='{name}' and tags.`{KEY_TAG}`='{version.key}'")
        kept = same[0] if same else client.create_model_version(name, source=address, run_id=run.info.run_id, tags=tags)
    return {"registry": "mlflow", "run": run.info.run_id, "name": name, "number": str(kept.version)}


def show_serving(state: ServingState, versions: Mapping[int, ModelVersion], *, uri: str) -> None:
    """Let MLflow's aliases say who serves; done again, nothing changes.

    Raises:
        DeclarationError: MLflow is not installed.
        LakehouseError: MLflow cannot be reached, or refuses.
    """
    if uri == OFF:
        return
    name = str(state.model)
    with _errors(uri):
        client = _client(uri)
        for role in ("champion", "canary", "shadow"):
            number = state.serving.get(role)
            registered = versions[number].registry.get("number") if number is not None else None
            if registered is not None:
                client.set_registered_model_alias(name, role, registered)
            elif role in client.get_registered_model(name).aliases:
                client.delete_registered_model_alias(name, role)


def _tags(version: ModelVersion) -> dict[str, str]:
    return {
        KEY_TAG: version.key,
        VERSION_TAG: str(version.version),
        TRAINING_SET_TAG: version.training_set,
        CHECKSUM_TAG: version.checksum,
        COMMIT_TAG: str(version.facts.get("commit", "")),
    }


def _log(client: Any, run: str, version: ModelVersion) -> None:
    """Parameters and metrics; those that are there already are the same."""
    known = client.get_run(run).data
    for name, value in {**version.facts.get("params", {}), "seed": version.facts.get("seed")}.items():
        if name not in known.params:
            client.log_param(run, name, value)
    for name, value in version.measured.get("metrics", {}).items():
        if value is not None and name not in known.metrics:
            client.log_metric(run, name, value)
    client.set_terminated(run)


def _experiment(client: Any, name: str, *, artefacts: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name, artifact_location=artefacts))


def _registered_model(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  # as `_client`

    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)


@contextmanager
def _errors(uri: str) -> Iterator[None]:
    """What MLflow raises, as an error that names it; what it warns of is its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (DeclarationError, LakehouseError):
        raise
    except Exception as error:
        login, _, place = uri.rpartition("@")
        # MLflow repeats the address, and whoever logs in by it.
        said = first_line(error).replace(f"{login.rpartition('//')[2]}@", "") if login else first_line(error)
        raise LakehouseError(
            f"MLflow at {place} cannot be used: {type(error).__name__}: {said}",
            way_out="check READINESS_MLFLOW_URI, then do the same again: what was trained and decided is kept",
        ) from error


def _client(uri: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # It would report its use to its makers; who wants that sets the variable otherwise.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # By default it asks a server that does not answer for more than three minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
        try:
            from mlflow import MlflowClient  # noqa: PLC0415  # of the extra; it takes seconds
        except ImportError:
            raise DeclarationError(
                "models are registered in MLflow, which is not installed",
                way_out='pip install "readiness-pipelines[models]", or READINESS_MLFLOW_URI=off',
            ) from None
        # What it does to a database of its own is nothing that somebody who trains has to know.
        for name in ("mlflow.store.db.utils", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
