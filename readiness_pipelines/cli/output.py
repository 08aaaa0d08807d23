"""What people and programs read: tables on a terminal, JSON where it is asked for, errors with a way out."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from readiness_pipelines.errors import ReadinessError, first_line, printable
from readiness_pipelines.json_values.text import json_text


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
    typer.echo(json_text(value))


def print_json_of(values: Sequence[Any]) -> None:
    """Print the value of one domain, or a list where there are several."""
    print_json(values[0] if len(values) == 1 else list(values))


def say(*parts: str | Text | tuple[str, str]) -> None:
    """Print a line. Text is data: what looks like markup in it is printed as it is. Commands in it are `reachable`."""
    OUT.print(Text.assemble(*map(_reachable, parts)), soft_wrap=True)


def _reachable(part: str | Text | tuple[str, str]) -> str | Text | tuple[str, str]:
    if isinstance(part, Text):
        return part
    return reachable(part) if isinstance(part, str) else (reachable(part[0]), part[1])


def say_next(command: str) -> None:
    """Print the command to type next, on a line that a terminal wraps and a copy keeps whole."""
    say("next: ", (command, "bold"))


def reachable(text: str) -> str:
    """A text with commands, so that a shell finds them: by the path that was typed, where `readiness` is on none.

    So somebody who typed ``.venv/bin/readiness run`` can type what is suggested, too.
    """
    typed = Path(sys.argv[0])
    if typed.name != "readiness" or shutil.which("readiness") is not None:
        return text
    here = Path.cwd()
    if text.startswith("cd "):
        command = typed.absolute()  # a path from here would lead nowhere there
    else:
        command = typed.relative_to(here) if typed.is_relative_to(here) else typed
    return re.sub(r"(?<![\w./-])readiness (?=[a-z])", f"{shlex.quote(str(command))} ", text)


def named_error(code: str, word: str = "error") -> str:
    """How an error begins: ``error[batch-not-landed]``; docs/errors.md has a section for each code."""
    return f"{word}[{code}]" if code else word


def show_error(what: str, way_out: str = "", code: str = "") -> None:
    """Print an error on standard error, whole: its code, what went wrong, and the way out."""
    ERR.print(Text.assemble((f"{named_error(code)} ", "bold red"), what), soft_wrap=True)
    if way_out:
        ERR.print(Text.assemble(("  → ", "bold"), reachable(way_out)), soft_wrap=True)


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Print what a user can put right without a traceback, with what went wrong and the way out; exit with 2."""
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        show_error(*told)
    else:
        return
    raise typer.Exit(USAGE_EXIT)


def _told(error: Exception) -> tuple[str, str, str] | None:
    """What went wrong, the way out, and the code where it has one; ``None`` for what a user cannot put right."""
    if isinstance(error, ReadinessError):
        return error.what, error.way_out, error.code
    # Imported now: to print a help or a version, no database has to be loaded.
    import sqlite3  # noqa: PLC0415

    from pydantic import ValidationError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from readiness_pipelines.frozen import declaration_error  # noqa: PLC0415

    match error:
        case ValidationError():
            declared = declaration_error(error.title, error)
            return declared.what, "", declared.code
        case SQLAlchemyError() | sqlite3.Error():
            return f"the database refuses: {first_line(error)}", "readiness doctor", ""
        case UnicodeDecodeError():
            what = f"a file that should be UTF-8 text is not: {error.reason} at byte {error.start}"
            return what, "save it as UTF-8", ""
        case BrokenPipeError():
            return None  # whoever read the output has had enough of it
        case OSError():
            named = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else first_line(error)
            return named, "check the path and its permissions; readiness doctor looks at every folder", ""
    return None


def count_batches(count: int) -> str:
    """``1 batch``, ``2 batches``."""
    return f"{count:,} batch" if count == 1 else f"{count:,} batches"


def count_of(count: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
