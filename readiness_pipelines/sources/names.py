"""Names of columns that come from a database or a function."""

from collections.abc import Sequence

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.errors import LandingError
from readiness_pipelines.sources.layout import NUL


def check_names(names: Sequence[str], *, what: str, way_out: str) -> None:
    """Refuse names that cannot be told apart.

    Args:
        names: The columns.
        what: Where they come from, for the error.
        way_out: How they get other names.

    Raises:
        LandingError: A blank, repeated or reserved name, one with a NUL byte, or two that differ in letter case only.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not name.strip():
            raise LandingError(f"{what} has a column without a name", way_out=way_out)
        if NUL in name:
            raise LandingError(f"{what} has a column {name!r}: no table keeps a name with a NUL byte", way_out=way_out)
        if name.lower() in RESERVED_COLUMNS:
            raise LandingError(f"{what} has a column {name!r}, which the framework adds itself", way_out=way_out)
        if (other := seen.setdefault(name.lower(), name)) != name or list(names).count(name) > 1:
            alike = "more than once" if other == name else f"and {other!r}, which differ in letter case only"
            raise LandingError(f"{what} has a column {name!r} {alike}", way_out=way_out)
