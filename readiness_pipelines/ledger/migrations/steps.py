"""The steps from one version of the ledger to the next."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import Connection

_NAME = re.compile(r"m(\d{4})_\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What brings a ledger of the version before to a version.

    Attributes:
        version: The version that the ledger is of afterwards.
        migrate: Changes tables and moves rows, in a transaction that the runner commits.
    """

    version: int
    migrate: Callable[[Connection], None]


def known_steps() -> tuple[Step, ...]:
    """The steps of this program, in order: one for each numbered file in this folder."""
    package = import_module(__package__)
    names = sorted(module.name for module in iter_modules(package.__path__) if _NAME.fullmatch(module.name))
    return tuple(Step(version=int(name[1:5]), migrate=import_module(f"{__package__}.{name}").migrate) for name in names)
