"""What people and programs read: tables on a terminal, JSON where it is asked for, errors with a way out."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from readiness_pipelines.errors import ReadinessError, first_line, printable
from readiness_pipelines.frozen import declaration_error


class Screen(Console):
    """A console on which data is text: what a terminal would obey in it, in a file's name say, is printed instead."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of whatever is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


OUT = Screen(highlight=False)
ERR = Screen(stderr=True, highlight=False)

USAGE_EXIT = 2
BROKEN_EXIT = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables for people.")]


def print_json(value: Any) -> None:
    """Print a value as JSON, and nothing else, on standard output."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_json_of(values: Sequence[Any]) -> None:
    """Print the value of one domain, or a list where there are several."""
    print_json(values[0] if len(values) == 1 else list(values))


def say(*parts: str | Text | tuple[str, str]) -> None:
    """Print a line. Text is data: what looks like markup in it is printed as it is."""
    OUT.print(Text.assemble(*parts), soft_wrap=True)


def say_next(command: str) -> None:
    """Print the command to type next, on a line that a terminal wraps and a copy keeps whole."""
    say("next: ", (command, "bold"))


def show_error(what: str, way_out: str = "") -> None:
    """Print an error on standard error, whole: what went wrong, and the way out."""
    ERR.print(Text.assemble(("error ", "bold red"), what), soft_wrap=True)
    if way_out:
        ERR.print(Text.assemble(("  → ", "bold"), way_out), soft_wrap=True)


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Print what a user can put right without a traceback, with what went wrong and the way out; exit with 2."""
    try:
        yield
    except ReadinessError as error:
        show_error(error.what, error.way_out)
    except ValidationError as error:
        show_error(declaration_error(error.title, error).what)
    except (SQLAlchemyError, sqlite3.Error) as error:
        show_error(f"the database refuses: {first_line(error)}", "readiness doctor")
    except UnicodeDecodeError as error:
        show_error(f"a file that should be UTF-8 text is not: {error.reason} at byte {error.start}", "save it as UTF-8")
    except BrokenPipeError:
        raise  # whoever read the output has had enough of it
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else first_line(error)
        show_error(named, "check the path and its permissions; readiness doctor looks at every folder")
    else:
        return
    raise typer.Exit(USAGE_EXIT)


def count_batches(count: int) -> str:
    """``1 batch``, ``2 batches``."""
    return f"{count:,} batch" if count == 1 else f"{count:,} batches"
