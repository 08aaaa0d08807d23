"""The categories that a type lists: a rule of their own, for what a table has in place of such a type is text."""

from collections.abc import Sequence
from typing import Any

from pandera.api.checks import Check

from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.schema.flavours import Flavour

_ORDERING = frozenset(["greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to", "in_range"])


def with_categories(flavour: Flavour, name: str, dtype: Any, checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks of a column, and that its values are of the categories that its type lists, where it lists some.

    After the column's own, so that those keep their names; not where the column has that very check already. Null is
    of no category, and passes: whether it may be there is said by ``nullable``.

    Args:
        flavour: The schema's flavour.
        name: The column's name.
        dtype: Pandera's type of the column.
        checks: The column's own checks.

    Raises:
        GateBuildError: Categories that are no texts, or none; an enum inside of a list or record; a check that compares
            by the order of the categories, which texts do not have.
    """
    categories = _categories(flavour, name, dtype)
    if categories is None:
        return tuple(checks)
    if not categories or not all(isinstance(category, str) for category in categories):
        odd = [f"{category!r}, which is not a text" for category in categories if not isinstance(category, str)]
        raise GateBuildError(
            f"the type of column {name!r} lists {odd[0] if odd else 'no categories'}",
            way_out="declare the type of the values, and a check isin",
        )
    texts = [str.__str__(category) for category in categories]  # the text alone, of what is an enum's member
    ordering = next((check.name for check in checks if getattr(check._check_fn, "__name__", "") in _ORDERING), None)
    if ordering and texts != sorted(texts):
        raise GateBuildError(
            f"the check {ordering} of column {name!r} compares by the order of its type's categories, as texts do not",
            way_out="name the categories that pass: isin",
        )
    return tuple(checks) if any(_says(check, texts) for check in checks) else (*checks, Check.isin(texts))


def _says(check: Check, texts: Sequence[str]) -> bool:
    """Whether a check is the one that is to be added."""
    if check.name != "isin" or getattr(check._check_fn, "__name__", "") != "isin" or check.raise_warning:
        return False
    return bool(check.ignore_na) and set((check.statistics or {}).get("allowed_values", ())) == set(texts)


def _categories(flavour: Flavour, name: str, dtype: Any) -> Sequence[Any] | None:
    match flavour:
        case Flavour.PYARROW:
            return None  # Arrow's dictionaries are of whatever arrives
        case Flavour.POLARS:
            return _of_polars(name, dtype.type)
        case Flavour.PANDAS:
            from pandera import dtypes  # noqa: PLC0415  # only a schema written in pandas needs it

            return dtype.categories if isinstance(dtype, dtypes.Category) else None


def _of_polars(name: str, kind: Any) -> Sequence[Any] | None:
    import polars  # noqa: PLC0415  # only a schema written in Polars needs it

    if isinstance(kind, polars.Enum):
        return kind.categories.to_list()
    if _has_enum(kind):
        raise GateBuildError(
            f"column {name!r} is of type {kind}: the categories of an enum inside of a list or record have no rule",
            way_out="declare text there, and a check of the column",
        )
    return None


def _has_enum(kind: Any) -> bool:
    import polars  # noqa: PLC0415  # as above

    if isinstance(kind, polars.Struct):
        return any(_has_enum(field.dtype) for field in kind.fields)
    if isinstance(kind, polars.List | polars.Array):
        return _has_enum(kind.inner)
    return isinstance(kind, polars.Enum)
