"""Contracts written to files, and pages that were made of contracts as modules."""

import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from readiness_pipelines.contracts import Table
from readiness_pipelines.interop.odcs.checking import declared_contract
from readiness_pipelines.interop.odcs.writing import odcs_text


def export(tables: Iterable[Table], folder: Path) -> list[Path]:
    """The files of the tables' contracts."""
    files = []
    for table in tables:
        files.append(folder / f"{table.id}.odcs.yaml")
        files[-1].write_text(odcs_text(declared_contract(table)), encoding="utf-8")
    return files


def load(page: str, folder: Path) -> ModuleType:
    """A page as a module."""
    file = folder / f"page_{len(sys.modules)}.py"
    file.write_text(page, encoding="utf-8")
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module
