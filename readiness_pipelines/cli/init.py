"""`readiness init`: a project from nothing, which runs as it is written."""

import keyword
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated

import typer

from readiness_pipelines.cli.output import errors_for_people, say, say_next
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.names import checked_domain_name

if TYPE_CHECKING:
    from readiness_pipelines.drafting import DomainDraft

_VARIABLE = "env:"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_RELATIVE = re.compile(r"(?:sqlite|duckdb)[^:]*:///(?!/)")
_LANDED = "data/landing/orders/{day}/export.csv"

PROJECT = {
    "{name}.py": "domain.py.txt",
    "test_{name}.py": "test_domain.py.txt",
    "readiness.toml": "readiness.toml.txt",
    "definitions.py": "definitions.py.txt",
    "workspace.yaml": "workspace.yaml.txt",
    "dagster.yaml": "dagster.yaml.txt",
    "Makefile": "Makefile.txt",
    ".gitignore": "gitignore.txt",
    ".github/workflows/checks.yaml": "checks.yaml.txt",
    _LANDED: "export.csv.txt",
}
"""The files of a project, and the texts that they begin as."""

_PURPOSES = {
    "{name}.py": "the domain: tables, rules, a KPI; begin here",
    "test_{name}.py": "a test of its gate",
    "readiness.toml": "settings",
    "definitions.py": "what Dagster loads",
    _LANDED: "four rows to begin with, one of them wrong",
}


def init(
    name: Annotated[str, typer.Argument(help="The domain's name, and that of the folder that is made.")],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...", help="With --from: further files, or the database's tables.", show_default=False
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Draft the domain from this file, and those after it; or, as env:VARIABLE, from tables of the database"
            " whose address the variable holds.",
        ),
    ] = None,
) -> None:
    """Begin a project: a domain with a gate and a KPI, its test, settings, Dagster's files; it runs as it is.

    With --from, its tables are drafted from files: how they are read, types, rules, keys, batches, each guess with what
    it rests on. The files are copied to where such files will land, and the project runs as it is written, too. Tables
    of a database are drafted alike: readiness init shop --from env:DATABASE orders customers.
    """
    with errors_for_people():
        folder = Path.cwd() / name
        _check(name, folder)
        given = [*(source or ()), *(more or ())]
        _refuse_addresses(name, given)
        if source and source[0].startswith(_VARIABLE):
            _draft_from_database(name, folder, source[0].removeprefix(_VARIABLE), given[1:])
            return
        if source:
            _draft_from_files(name, folder, [Path(one) for one in given])
            return
        if more:
            raise DeclarationError(
                f"{more[0]}: a file is given without --from", way_out=f"readiness init {name} --from {more[0]}"
            )
        day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
        _write(folder, _project(name, day))
        say(f"{name}/ has a project:")
        for path, purpose in _PURPOSES.items():
            say(f"  {path.format(name=name, day=day):<44} ", (purpose, "dim"))
        say_next(f"cd {name} && readiness run")


def _refuse_addresses(name: str, given: Sequence[str]) -> None:
    """Refuse the address of a database among the arguments, without repeating it.

    Raises:
        DeclarationError: There is one.
    """
    if any(_ADDRESS.match(one) for one in given):
        raise DeclarationError(
            "an address is given where a file or a table belongs: the password in it would stay in the shell's history",
            way_out=f"put it into a variable, without typing it: read -rs DATABASE; export DATABASE; then readiness "
            f"init {name} --from env:DATABASE TABLE",
        )


def _draft_from_files(name: str, folder: Path, files: list[Path]) -> None:
    """Write a project whose domain is drafted from files, and copy these to where they land.

    Raises:
        DeclarationError: A file that is not there, or of which nothing can be drafted.
        FileUnreadableError: One that no reader can read.
    """
    from readiness_pipelines.drafting import draft_domain  # noqa: PLC0415  # not for --help

    draft = draft_domain(name, files, now=datetime.now(UTC))
    _write_draft(folder, draft, f"{len(files)} file{'' if len(files) == 1 else 's'}")
    for file, landed in draft.files.items():
        place = folder / "data" / "landing" / landed
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)  # with its times: what was quiet for long is whole
    _say_draft(draft)


def _draft_from_database(name: str, folder: Path, variable: str, tables: Sequence[str]) -> None:
    """Write a project whose domain is drafted from tables of a database, the address of which stays in a variable.

    Raises:
        DeclarationError: No tables, a variable that holds no usable address, or tables of which nothing can be drafted.
        LandingError: The database cannot be reached, or has no such table.
    """
    from readiness_pipelines.drafting import draft_database  # noqa: PLC0415  # not for --help

    command = f"readiness init {name} --from {_VARIABLE}{variable or 'DATABASE'}"
    if not tables:
        raise DeclarationError("no table of the database is named", way_out=f"{command} TABLE")
    if not (url := os.environ.get(variable)):
        raise DeclarationError(
            f"the variable {variable} is not set",
            way_out=f"set {variable or 'it'} to the database's URL, and export it",
        )
    if _RELATIVE.match(url):
        raise DeclarationError(
            f"{variable} has a path from this folder, and the project is in another one",
            way_out="give the whole path, with four slashes: sqlite:////srv/shop.db",
        )
    connection = re.sub(r"\W+", "_", re.sub(r"(?<=.)_ur[il]$", "", variable.lower()))
    draft = draft_database(name, tables, url=url, connection=connection)
    said = f"{len(tables)} table{'' if len(tables) == 1 else 's'} of the database in {variable}"
    _write_draft(folder, draft, said, settings=f'\n[settings.connections]\n{connection} = "{_VARIABLE}{variable}"\n')
    _say_draft(draft)


def _write_draft(folder: Path, draft: "DomainDraft", source: str, *, settings: str = "") -> None:
    from readiness_pipelines.drafting import domain_page, project_test  # noqa: PLC0415  # not for --help

    texts = _project(draft.name, "")
    del texts[_LANDED.format(day="")]
    texts["readiness.toml"] += settings
    page, test = domain_page(draft), project_test(draft)
    _write(folder, {**texts, f"{draft.name}.py": page, f"test_{draft.name}.py": test})
    say(f"{draft.name}/ has a project, drafted from {source}:")


def _say_draft(draft: "DomainDraft") -> None:
    """Say what was found in each table, and what is left to people."""
    from readiness_pipelines.drafting import held_text  # noqa: PLC0415  # not for --help

    for table in draft.tables:
        judged = table.judgement
        seen = f"{len(table.columns)} columns, {judged.rows:,} rows looked at, {judged.failed:,} of them fail"
        say("  ", (f"{draft.name}.{table.name}", "bold"), f": {seen}")
        ambiguous = [column.names.name for column in table.columns if column.is_ambiguous or column.doubtful_words]
        if ambiguous:
            say("    ask the sender what is meant in: ", (", ".join(ambiguous), "yellow"))
        if lost := [column.names.name for column in table.columns if column.has_lost_digits]:
            say("    ask the sender for all digits of: ", (", ".join(lost), "yellow"))
        if held := held_text(judged):
            say("    ", (held, "yellow"))
    say(f"{draft.name}.py says what each guess rests on: correct it, then delete the comments.")
    say_next(f"cd {draft.name} && readiness check && readiness run")


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _project(name: str, day: str) -> dict[str, str]:
    """The texts of the files, by path."""
    texts = files("readiness_pipelines.cli") / "project"
    return {
        path.format(name=name, day=day): Template((texts / text).read_text(encoding="utf-8")).substitute(
            name=name, day=day
        )
        for path, text in PROJECT.items()
    }


def _check(name: str, folder: Path) -> None:
    """Refuse a name that is none, or somebody else's, and a folder with files in it.

    Raises:
        DeclarationError: As said.
    """
    checked_domain_name(name)
    if keyword.iskeyword(name) or name in ("definitions", "readiness_pipelines") or find_spec(name) is not None:
        raise DeclarationError(
            f"a Python module is called {name!r} already, and would be imported in place of the project's",
            way_out=f"choose another name: readiness init {name}_data",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DeclarationError(
            f"{folder} is there already, and not empty", way_out="choose another name, or move it away"
        )
