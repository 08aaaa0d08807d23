"""Profiles as they may be kept outside the lakehouse: without values of classified columns."""

from dataclasses import replace

from readiness_pipelines.contracts.classification import Classified, PersonalKind
from readiness_pipelines.masking import Classes
from readiness_pipelines.observability.profiles import QUANTILES, BatchProfile, ColumnKind, ColumnProfile

LEAST_ROWS = 1_000
"""Quantiles of classified numbers are kept of so many rows or more: each then stands for twenty and more of them."""

DIGITS = 2
"""Digits of such a quantile that are kept."""

_NAMING = (PersonalKind.ID, PersonalKind.DIRECT, PersonalKind.FREE_TEXT)


def redact_profile(profile: BatchProfile, classes: Classes) -> BatchProfile:
    """A profile without values of classified columns.

    How many rows have no value, how many values there are, and how long texts are is kept of all of them. Of many
    numbers that name nobody by themselves, rounded quantiles are kept, too: by these, and by nothing else, they are
    compared.

    Args:
        profile: The profile.
        classes: What the columns are to persons.
    """
    columns = {name: _redacted(column, classes.of(name)) for name, column in profile.columns.items()}
    return replace(profile, columns=columns)


def _redacted(column: ColumnProfile, classified: Classified) -> ColumnProfile:
    if classified.level.shown:
        return column
    match column.kind:
        case ColumnKind.TEXT | ColumnKind.CATEGORY:
            return replace(column, kind=ColumnKind.TEXT, top={})
        case ColumnKind.TIME:
            return replace(column, minimum=None, maximum=None)
        case ColumnKind.NUMBER:
            names_somebody = classified.kind in _NAMING or classified.subject
            if names_somebody or column.rows - column.nulls < LEAST_ROWS or len(column.quantiles) < QUANTILES:
                return replace(column, minimum=None, maximum=None, mean=None, deviation=None, quantiles=())
            inner = column.quantiles[1:-1]  # the least and the greatest are values of single rows
            return replace(
                column,
                minimum=None,
                maximum=None,
                mean=_rounded(column.mean),
                deviation=_rounded(column.deviation),
                quantiles=tuple(float(f"{one:.{DIGITS}g}") for one in (inner[0], *inner, inner[-1])),
            )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")
