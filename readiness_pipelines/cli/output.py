"""What people and programs read: tables on a terminal, JSON where it is asked for, errors with a way out."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from readiness_pipelines.errors import ReadinessError

OUT = Console()
ERR = Console(stderr=True)

USAGE_EXIT = 2
BROKEN_EXIT = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables for people.")]


def print_json(value: Any) -> None:
    """Print a value as JSON, and nothing else, on standard output."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_json_of(values: Sequence[Any]) -> None:
    """Print the value of one path, or a list where there are several."""
    print_json(values[0] if len(values) == 1 else list(values))


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Print our errors without a traceback, with what went wrong and the way out."""
    try:
        yield
    except ReadinessError as error:
        ERR.print(f"[bold red]error[/] {_escape(error.what)}")
        if error.way_out:
            ERR.print(f"  [bold]→[/] {_escape(error.way_out)}")
        raise typer.Exit(USAGE_EXIT) from error
    except ValidationError as error:
        for problem in error.errors():
            ERR.print(f"[bold red]error[/] {'.'.join(map(str, problem['loc']))}: {_escape(problem['msg'])}")
        raise typer.Exit(USAGE_EXIT) from error


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
