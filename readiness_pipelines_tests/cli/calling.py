"""The command line, called in this process, or as a process of its own."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from readiness_pipelines.cli.main import app
from readiness_pipelines.cli.output import ERR, OUT

RUNNER = CliRunner()
OUT.width = ERR.width = 200  # whatever the terminal of those who test
COMMAND = (sys.executable, "-c", "from readiness_pipelines.cli.main import main; main()")


def check_typed(command: str) -> None:
    """Read a command as the command line would, up to its options and arguments, and run nothing.

    Raises:
        typer.TyperException: There is no such command, option or argument, or a value that is none.
    """
    name, *words = shlex.split(command)
    assert name.rpartition("/")[2] == "readiness"
    found: Any = typer.main.get_command(app)
    while hasattr(found, "commands"):
        if words[0] in ("--help", "--version", "--install-completion"):
            return
        context = found.make_context(found.name, [], resilient_parsing=True)
        context.resilient_parsing = False  # it was for the missing words only
        _, found, words = found.resolve_command(context, words)
    found.make_context(found.name, words)


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


def run_process(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, through the door that is installed."""
    environment = process_environment(variables)
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, env=environment)


def start_process(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """A command under way."""
    pipe = subprocess.PIPE
    environment = process_environment(variables)
    return subprocess.Popen([*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True, env=environment)


def process_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process, with the working folder's modules and some variables."""
    path = os.pathsep.join([str(Path.cwd()), *sys.path])
    return {**os.environ, "PYTHONPATH": path, **variables}
