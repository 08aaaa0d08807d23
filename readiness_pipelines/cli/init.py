"""`readiness init`: a project from nothing, which runs as it is written."""

import keyword
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from readiness_pipelines.cli.output import errors_for_people, say, say_next
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.names import checked_domain_name

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
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="With --from: further files.", show_default=False)
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="Draft the domain from this file, and those after it."),
    ] = None,
) -> None:
    """Begin a project: a domain with a gate and a KPI, its test, settings, Dagster's files; it runs as it is.

    With --from, its tables are drafted from files: how they are read, types, rules, keys, batches, each guess with what
    it rests on. The files are copied to where such files will land, and the project runs as it is written, too.
    """
    with errors_for_people():
        folder = Path.cwd() / name
        _check(name, folder)
        if source:
            draft_project(name, folder, [*source, *(more or ())])
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


def draft_project(name: str, folder: Path, files: list[Path]) -> None:
    """Write a project whose domain is drafted from files, and copy these to where they land.

    Raises:
        DeclarationError: A file that is not there, or of which nothing can be drafted.
        FileUnreadableError: One that no reader can read.
    """
    from readiness_pipelines.drafting import domain_page, draft_domain, project_test  # noqa: PLC0415  # not for --help

    draft = draft_domain(name, files, now=datetime.now(UTC))
    texts = _project(name, "")
    del texts[_LANDED.format(day="")]
    _write(folder, {**texts, f"{name}.py": domain_page(draft), f"test_{name}.py": project_test(draft)})
    for file, landed in draft.files.items():
        place = folder / "data" / "landing" / landed
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)  # with its times: what was quiet for long is whole
    say(f"{name}/ has a project, drafted from {len(files)} file{'' if len(files) == 1 else 's'}:")
    for table in draft.tables:
        judged = table.judgement
        seen = f"{len(table.columns)} columns, {judged.rows:,} rows looked at, {judged.failed:,} of them fail"
        say("  ", (f"{name}.{table.name}", "bold"), f": {seen}")
        ambiguous = [column.names.name for column in table.columns if column.is_ambiguous or column.doubtful_words]
        if ambiguous:
            say("    ask the sender what is meant in: ", (", ".join(ambiguous), "yellow"))
        if judged.held:
            say("    it would be held: ", (judged.held, "yellow"))
    say(f"{name}.py says what each guess rests on: correct it, then delete the comments.")
    say_next(f"cd {name} && readiness check && readiness run")


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
