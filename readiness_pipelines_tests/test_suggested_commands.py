"""Each command that a message suggests is one that the command line has, and keeps its arguments whole."""

import shlex
from typing import Any

import click
import pytest
import typer

from readiness_pipelines import commands
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.main import app
from readiness_pipelines.names import TableId

REF = BatchRef(TableId("shop", "orders"), "2026-11-01-10:00")


@pytest.mark.parametrize(
    "command",
    [
        commands.run_command(REF),
        commands.status_command("shop"),
        commands.history_command(REF),
        commands.quarantine_command(REF),
        commands.replay_command(REF),
        commands.replay_command(REF, dry_run=False),
        commands.reconcile_command("shop"),
        commands.reconcile_command("shop", repair=False),
        commands.plan_command("shop", evaluate=True),
        commands.plan_command(out="a plan.json"),
        commands.plan_command(apply="plan.json"),
        commands.plan_command(drop="dev"),
        commands.report_command("shop"),
    ],
)
def test_a_suggested_command_can_be_typed_as_it_is(command: str) -> None:
    name, *words = shlex.split(command)
    assert name == "readiness"
    found: Any = typer.main.get_command(app)
    context = click.Context(found)
    while isinstance(found, click.Group):
        _, inner, words = found.resolve_command(context, words)
        assert inner is not None
        found = inner
    found.make_context(found.name, words)
