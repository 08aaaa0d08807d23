"""The data paths that the command line knows, found without Dagster."""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

from readiness_pipelines.batches.calendar import has_batch
from readiness_pipelines.contracts import DataPath
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.settings import Settings


def load_paths(settings: Settings) -> dict[str, DataPath]:
    """The settings' paths, by name. Modules are also looked for in the working folder.

    Raises:
        DeclarationError: An entry that names no data path.
    """
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    paths = (_load(reference) for reference in settings.paths)
    return {path.name: path for path in paths}


def find_paths(name: str | None, settings: Settings) -> tuple[DataPath, ...]:
    """The path of a name; all paths where no name is given.

    Raises:
        UnknownNameError: No such path; names the nearest.
    """
    paths = load_paths(settings)
    if name is not None and name not in paths:
        raise UnknownNameError("path", name, paths)
    return tuple(paths.values()) if name is None else (paths[name],)


def find_path(name: str | None, settings: Settings, *, batches: Iterable[str] = ()) -> DataPath:
    """The path of a name; where none is given, the only path that has some batches.

    Raises:
        UnknownNameError: No such path; names the nearest.
        DeclarationError: No name, and more than one path that it could be.
    """
    paths = find_paths(name, settings)
    fitting = [path for path in paths if all(has_batch(path.batches, batch) for batch in batches)] or paths
    if len(fitting) != 1:
        raise DeclarationError("which path?", way_out="name one of: " + ", ".join(path.name for path in fitting))
    return fitting[0]


def _load(reference: str) -> DataPath:
    module_name, _, attribute = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute or "path")
    except (ImportError, AttributeError) as error:
        raise DeclarationError(
            f"READINESS_PATHS names {reference!r}, which cannot be loaded: {error}",
            way_out='write it as module:attribute, e.g. ["my_project.paths:path"]',
        ) from error
    if not isinstance(found, DataPath):
        raise DeclarationError(
            f"READINESS_PATHS names {reference!r}, which is a {type(found).__name__}", way_out="name a DataPath"
        )
    return found
