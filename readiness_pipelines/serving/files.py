"""The files that the gates are made of, so that a change of one is seen."""

import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def code_files(also: Iterable[Path]) -> tuple[str, ...]:
    """The files of the modules that are loaded and nobody installed: domains, and what they import of their own."""
    installed = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    files = {getattr(module, "__file__", None) for module in tuple(sys.modules.values())}
    found = {Path(file) for file in files if file}
    own = [file for file in found if not any(file.is_relative_to(folder) for folder in installed)]
    kept = {file for file in own if not file.is_relative_to(_PACKAGE) or file.is_relative_to(_PACKAGE / "examples")}
    return tuple(sorted(str(file.absolute()) for file in {*kept, *also} if file.suffix in (".py", ".toml")))


def with_neighbours(files: Iterable[str]) -> tuple[str, ...]:
    """Files, and what else of code is in their folders: a module that failed to load is not among those loaded."""
    known = set(files)
    folders = {Path(file).parent for file in known}
    beside = {str(file) for folder in folders for ending in ("*.py", "*.toml") for file in folder.glob(ending)}
    return tuple(sorted(known | beside))


def stamps(files: Iterable[str]) -> Mapping[str, tuple[int, int]]:
    """When files were changed last, and their sizes; those that are gone are left out."""
    found = {}
    for file in files:
        try:
            status = Path(file).stat()
        except OSError:
            continue
        found[file] = (status.st_mtime_ns, status.st_size)
    return found
