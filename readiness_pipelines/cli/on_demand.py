"""Commands that are imported when they are called: ``readiness --help`` needs their names and what they are for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A command, or a group of commands, before it is imported.

    Attributes:
        home: ``module:attribute``: a function, or the `typer.Typer` of a group.
        help: What it is for, as its own docstring or group says it; shown where all commands are listed.
    """

    home: str
    help: str


class CommandsOnDemand(TyperGroup):
    """A group that lists its commands by what `named` says, and imports the one that is called.

    Attributes:
        named: The commands by name, in the order of ``--help``.
    """

    named: ClassVar[Mapping[str, Named]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, command in self.named.items():
            self.add_command(TyperCommand(name, help=command.help, rich_markup_mode=self.rich_markup_mode))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Typer has its own copy of click's types
        """The command that the arguments begin with, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self.named and command is not None and command.callback is None:
            command = imported(str(name), self.named[str(name)].home)
            self.add_command(command)
        return name, command, rest


def imported(name: str, home: str) -> Any:
    """A command or group as Typer calls it: as it is in an app that has nothing else."""
    module, attribute = home.split(":")
    found = getattr(import_module(module), attribute)
    alone = typer.Typer()
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    return get_group(alone).commands[name]
