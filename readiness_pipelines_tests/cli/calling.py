"""The command line, called in this process."""

import json
from typing import Any

from typer.testing import CliRunner

from readiness_pipelines.cli.main import app
from readiness_pipelines.cli.output import OUT

RUNNER = CliRunner()
OUT.width = 200  # whatever the terminal of those who test


def call(*arguments: str, code: int = 0) -> str:
    """What a command prints on a wide terminal, with single spaces."""
    result = RUNNER.invoke(app, list(arguments))
    assert result.exit_code == code, result.output + str(result.exception)
    return " ".join(result.output.split())


def as_json(*arguments: str, code: int = 0) -> Any:
    """What a command tells programs."""
    result = RUNNER.invoke(app, [*arguments, "--json"])
    assert result.exit_code == code, result.output + str(result.exception)
    return json.loads(result.stdout)
