"""What serves, delivered: each decision becomes a version of the table that scoring reads."""

import pyarrow as pa
import pyarrow.parquet as pq

from readiness_pipelines.contracts.models import Model
from readiness_pipelines.contracts.serving_models import FOLDER, Serving, serving_rows
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.errors import LakehouseError, first_line
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ServingState
from readiness_pipelines.models.artefacts import artefact_of


def serve_decided(model: Model, *, installation: Installation, run: Run) -> ServingState:
    """Deliver what was decided last about who serves; where that is delivered, nothing is done.

    The ledger has the decision before: killed on the way, the next call delivers it.

    Raises:
        LakehouseError: An artefact, or the table, cannot be read or written.
        BatchHeldError: Never of itself; the gate of the table holds only what was tampered with.
    """
    models = installation.ledger.models
    if _is_served(models.serving(model.id)):
        return models.serving(model.id)
    with installation.lakehouse.turn(f"{model.id}.serving", "what serves", run_id=run.run_id):
        return _serve(model, installation=installation, run=run)


def _is_served(state: ServingState) -> bool:
    return state.revision == state.served_revision or state.decided_at is None


def _serve(model: Model, *, installation: Installation, run: Run) -> ServingState:
    models = installation.ledger.models
    state = models.serving(model.id)
    if _is_served(state):
        return state  # by who had the turn before
    key = serving_key(state)
    _land(model, state, key, installation)
    ingest(model.serving, batch=key, installation=installation, run=run)
    delivery = deliver(model.serving, batch=key, installation=installation, run=run)
    if not delivery.state.visible:
        raise LakehouseError(
            f"version {key} of {model.id} is {delivery.state}: {delivery.reason}",
            way_out=f"readiness quarantine show {model.id} --batch {key}",
        )
    models.note_served(state)
    return models.serving(model.id)


def serving_key(state: ServingState) -> str:
    """The version of the table that a decision becomes: in force from when it was decided.

    Versions of one second are ordered as text, so the number has leading zeros. Older keys end in ``-r9``, without
    them: ``-rev`` is after those.
    """
    if state.decided_at is None:
        raise LakehouseError(f"nobody decided yet who serves {state.model}")
    return f"{state.decided_at:%Y-%m-%dT%H%M%SZ}-rev{state.revision:09d}"


def _land(model: Model, state: ServingState, key: str, installation: Installation) -> None:
    """Let a version of the table land; the same decision lands the same bytes."""
    chosen = []
    for role, number in state.serving.items():
        version = installation.ledger.models.get(model.id, number)
        content = artefact_of(version, installation=installation)
        share = state.canary_share if role == "canary" else None
        chosen.append(Serving(role=role, version=number, share=share, checksum=version.checksum, content=content))
    sink = pa.BufferOutputStream()
    pq.write_table(serving_rows(chosen), sink)
    folder = installation.landing / FOLDER / str(model.id)
    try:
        folder.make()
        folder.write(f"{key}.parquet", sink.getvalue().to_pybytes())
    except OSError as error:
        raise LakehouseError(
            f"what serves of {model.id} cannot be written below {folder}: {first_line(error)}",
            way_out=f"check the folder, then: readiness model serve {model.id}",
        ) from error
