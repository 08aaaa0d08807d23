"""Each command that a message suggests is one that the command line has, and keeps its arguments whole."""

import pytest
import typer

from readiness_pipelines import commands
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.cli.calling import check_typed

REF = BatchRef(TableId("shop", "orders"), "2026-11-01-10:00")


@pytest.mark.parametrize(
    "command",
    [
        commands.run_command(REF),
        commands.status_command("shop"),
        commands.history_command(REF),
        commands.quarantine_command(REF),
        commands.approve_command(REF, 3),
        commands.undo_command(REF, 3),
        commands.replay_command(REF),
        commands.replay_command(REF, dry_run=False),
        commands.reconcile_command("shop"),
        commands.reconcile_command("shop", repair=False),
        commands.contract_export_command(),
        commands.contract_check_command(REF.table),
        commands.plan_command("shop", evaluate=True),
        commands.plan_command(out="a plan.json"),
        commands.plan_command(apply="plan.json"),
        commands.plan_command(drop="dev"),
        commands.report_command("shop"),
        commands.open_command(REF),
    ],
)
def test_a_suggested_command_can_be_typed_as_it_is(command: str) -> None:
    check_typed(command)


@pytest.mark.parametrize(
    "command", ["readiness statsu", "readiness quarantine shw day_1", "readiness status --nwest 3"]
)
def test_a_command_that_is_not_there_is_told_from_one_that_is(command: str) -> None:
    with pytest.raises(typer.TyperException, match="No such"):
        check_typed(command)
