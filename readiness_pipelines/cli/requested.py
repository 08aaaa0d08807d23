"""A replay request carried out in a process of its own: what the web page starts, and does not wait for.

Called as ``python -m readiness_pipelines.cli.requested NUMBER``. Who wanted it and why is in the ledger, where the page
has put it; it goes through Dagster, so that its checks turn green, and without it where the folder has no
``workspace.yaml``. When it is killed, the ledger says what was left half done, and the next delivery of the batch
finishes it.
"""

import sys
from pathlib import Path

from readiness_pipelines.cli.replaying import ReplayReport, run_replays, run_what_follows
from readiness_pipelines.cli.stopping import Stop
from readiness_pipelines.delivery import replay_batch
from readiness_pipelines.domains import load_domains, tables_of
from readiness_pipelines.errors import ReadinessError, first_line
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ReplayRequest, RequestState
from readiness_pipelines.settings import Settings

WORKSPACE = "workspace.yaml"


def main() -> None:
    """Carry out the request that the command line names, unless somebody else does."""
    settings = Settings()
    installation = Installation.open(settings)
    number = int(sys.argv[1])
    if installation.ledger.claim_request(number):
        carry_out(number, settings=settings, installation=installation)


def carry_out(number: int, *, settings: Settings, installation: Installation) -> None:
    """Carry out a request that is claimed, and note what became of it, whatever that is."""
    request = installation.ledger.replay_request(number)
    assert request is not None  # noqa: S101  # it was claimed
    try:
        outcome = _replayed(request, settings, installation)
    except ReadinessError as error:
        outcome = str(error)
    except Exception as error:
        _note(request, installation, f"{type(error).__name__}: {first_line(error)}")
        raise
    if outcome:
        _note(request, installation, outcome)


def _replayed(request: ReplayRequest, settings: Settings, installation: Installation) -> str:
    """Replay the batch; what broke, or "" where the ledger has the outcome."""
    domains = load_domains(settings)
    table = tables_of(domains).get(request.ref.table)
    if table is None:
        return f"{request.ref.table} is not declared in this folder's code"
    run = Run(who=request.who)
    if not Path(WORKSPACE).exists():
        replay_batch(table, batch=request.ref.batch, installation=installation, run=run)
        installation.ledger.move_request(request.id, state=RequestState.DONE, run_id=run.run_id)
        return ""
    report, stop = ReplayReport(), Stop()
    run_replays(
        [request.ref],
        [table.domain],
        reason=request.why,
        installation=installation,
        run=run,
        report=report,
        stop=stop,
        quiet=True,
        request=request,
    )
    run_what_follows([table], report.done, installation=installation, report=report, stop=stop, quiet=True)
    return ""


def _note(request: ReplayRequest, installation: Installation, outcome: str) -> None:
    installation.ledger.move_request(request.id, state=RequestState.FAILED, run_id=None, outcome=outcome)


if __name__ == "__main__":
    main()
