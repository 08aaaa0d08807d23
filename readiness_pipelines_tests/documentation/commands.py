"""The commands of the command line, with their arguments and options."""

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from readiness_pipelines.cli.main import COMMANDS
from readiness_pipelines.cli.on_demand import imported
from readiness_pipelines_tests.documentation.docstrings import as_markdown, one_line

_WORDS = {str: "text", int: "number", float: "number", bool: "flag", Path: "path", datetime: "time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOption:
    """An argument or option: how it is written, what it takes, what it is for."""

    written: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: the words that call it, what it does, what it takes."""

    words: str
    usage: str
    text: str
    options: tuple[CommandOption, ...]


def commands() -> Iterator[Command]:
    """All commands, in the order of ``readiness --help``."""
    for name, named in COMMANDS.items():
        found = imported(name, named.home)
        inner = getattr(found, "commands", None)
        if inner is None:
            yield _command(name, found)
        else:
            for verb, command in inner.items():
                yield _command(f"{name} {verb}", command)


def _command(words: str, command: Any) -> Command:
    options = tuple(map(_option, command.params))
    arguments = [
        option.written.strip("`") if parameter.required else f"[{option.written.strip('`[].')}]"
        for option, parameter in zip(options, command.params, strict=True)
        if not option.written.startswith("`-")
    ]
    needed = [
        f"{parameter.opts[0]} …" for parameter in command.params if parameter.required and parameter.opts[0][:1] == "-"
    ]
    rest = ["[options]"] if any(option.written.startswith("`-") for option in options) else []
    usage = " ".join(["readiness", words, *arguments, *needed, *rest])
    return Command(words=f"readiness {words}", usage=usage, text=as_markdown(command.help or ""), options=options)


def _option(parameter: Any) -> CommandOption:
    is_option = parameter.opts[0].startswith("-")
    named = str(parameter.metavar or parameter.name).upper()
    written = [*parameter.opts, *parameter.secondary_opts] if is_option else [named]
    default = parameter.default
    shown = "" if default is None or default is False or callable(default) else f"`{default}`"
    return CommandOption(
        written=", ".join(f"`{one}`" for one in written),
        kind=_kind(parameter),
        default="required" if parameter.required else shown,
        meaning=one_line(parameter.help),
    )


def _kind(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    inner = [one for one in typing.get_args(annotation) if one is not type(None)]
    found = inner[0] if inner else annotation
    if isinstance(found, type) and issubclass(found, Enum):
        kind = " or ".join(f"`{one.value}`" for one in found)
    else:
        kind = _WORDS[found]
    return f"{kind}, may be repeated" if parameter.multiple or parameter.nargs == -1 else kind
