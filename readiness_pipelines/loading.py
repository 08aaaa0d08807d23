"""Pandera is loaded without what it would load along: where PySpark is installed, it imports PySpark's pandas API.

That takes half a second and loads pandas into every process; Pandera needs it only for its types of PySpark's pandas,
which are not used here. It would also point Spark's driver at the loopback address, where no cluster finds it, and let
Arrow drop the zones of Python's times: 21:00 in New York would be 21:00 UTC.

Pandera itself takes long to load, so it is not loaded here: whoever imports it first, it is loaded in this way.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

_PANDERA = "pandera"
_SKIPPED = "pyspark.pandas"
_VARIABLES = ("SPARK_LOCAL_IP",)


class _Finder(MetaPathFinder):
    """Finds Pandera, once, where it is, and loads it with care."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  # as Python calls it
        target: ModuleType | None = None,  # noqa: ARG002  # as above
    ) -> ModuleSpec | None:
        if fullname != _PANDERA:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Loads as another loader does, and leaves the environment as it was."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader  # it alone knows of sources and resources
        with _without_what_it_loads_along():
            self._loader.exec_module(module)


@contextmanager
def _without_what_it_loads_along() -> Iterator[None]:
    if _SKIPPED in sys.modules:
        yield
        return
    before = {name: os.environ.get(name) for name in _VARIABLES}
    sys.modules[_SKIPPED] = None  # type: ignore[assignment]  # how Python marks a module that cannot be imported
    try:
        yield
    finally:
        del sys.modules[_SKIPPED]
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


if _PANDERA not in sys.modules:
    sys.meta_path.insert(0, _Finder())
# Whoever imports Pandera first, and whatever of it is imported later: zones count. Unset, Pandera would set it again.
os.environ["PYARROW_IGNORE_TIMEZONE"] = ""
