"""What a training ran by: the commit of the code, Python, and the libraries of what it made."""

import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

LOOKED_FOR_SECONDS = 10

_ALWAYS = ("numpy", "pyarrow", "scikit-learn", "lightgbm", "xgboost", "catboost", "torch")


def code_commit(folder: Path) -> str:
    """The commit of the code in a folder, with ``+changes`` where files differ from it; "" where nobody keeps it."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return ""
    return f"{commit}+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no", ".") else commit


def libraries(made: Any) -> Mapping[str, str]:
    """Python, and the versions of the libraries that made something, as far as they are installed packages."""
    found = {"python": platform.python_version()}
    roots = {type(made).__module__.partition(".")[0]}
    known = packages_distributions()
    names = {name for root in roots for name in known.get(root, ())}
    loaded = {name for name in _ALWAYS if any(name in known.get(root, ()) for root in _loaded_roots())}
    for name in sorted(names | loaded):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _loaded_roots() -> set[str]:
    return {"numpy", "pyarrow", "sklearn", "lightgbm", "xgboost", "catboost", "torch"} & set(sys.modules)


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # fixed words
            ["git", "-C", str(folder), *words],  # noqa: S607  # whichever git is there
            capture_output=True,
            text=True,
            timeout=LOOKED_FOR_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
