"""Packages whose names are imported when somebody asks for one, so that who needs one name pays for one.

Such a package writes its imports under ``if TYPE_CHECKING:``, where tools and people read them, and calls
`import_on_demand` in the ``else``: the block is the table by which a name is found. So a page that declares tables
loads no catalog, and ``readiness --help`` loads nothing but the words of the commands.
"""

import ast
import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType


def import_on_demand(package: str) -> None:
    """Let a package import each name of its ``if TYPE_CHECKING:`` block when it is first asked for.

    Args:
        package: Its ``__name__``.

    Raises:
        ImportError: Its source is not there, by which names are found.
    """
    module = sys.modules[package]
    module.__dict__["_on_demand"] = _homes(module)
    module.__class__ = _Package


class _Package(ModuleType):
    """A package whose names come on demand."""

    _on_demand: Mapping[str, str]

    def __getattr__(self, name: str) -> object:
        home = self.__dict__["_on_demand"].get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(home), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # Python puts each module that is imported into its package. Where a name of the package is called as the
        # module is in which it lives (`delivery.audit.audit`), the package's name is the one that is meant.
        if not (name in self.__dict__["_on_demand"] and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__dict__["_on_demand"]})


def _homes(module: ModuleType) -> dict[str, str]:
    """The module of each name that the block imports."""
    loader = module.__spec__.loader if module.__spec__ else None
    source = getattr(loader, "get_source", lambda _name: None)(module.__name__)
    if source is None:
        raise ImportError(f"the source of {module.__name__} is not installed", name=module.__name__)
    return {
        name.asname or name.name: statement.module
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom) and statement.module
        for name in statement.names
    }
