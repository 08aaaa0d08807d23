"""`readiness init`: a project from nothing, which runs as it is written."""

import keyword
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
    "data/landing/orders/{day}/export.csv": "export.csv.txt",
}
"""The files of a project, and the texts that they begin as."""

_PURPOSES = {
    "{name}.py": "the domain: tables, rules, a KPI; begin here",
    "test_{name}.py": "a test of its gate",
    "readiness.toml": "settings",
    "definitions.py": "what Dagster loads",
    "data/landing/orders/{day}/export.csv": "four rows to begin with, one of them wrong",
}


def init(
    name: Annotated[str, typer.Argument(help="The domain's name, and that of the folder that is made.")],
) -> None:
    """Begin a project: a domain with a gate and a KPI, its test, settings, Dagster's files; it runs as it is."""
    with errors_for_people():
        folder = Path.cwd() / name
        _check(name, folder)
        day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
        for path, text in _project(name, day).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        say(f"{name}/ has a project:")
        for path, purpose in _PURPOSES.items():
            say(f"  {path.format(name=name, day=day):<44} ", (purpose, "dim"))
        say_next(f"cd {name} && readiness run")


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
