"""Numbers that are released with noise: what each person can change of them is bounded, and drowned in it.

The rows of a person are cut to a few, by their own content alone. What is then counted changes by as many when a person
comes or goes, and noise of that size over epsilon is added (discrete Laplace, by OpenDP): a release is epsilon
differentially private for one person, if the rows of the relation are each about one person and made of nobody else's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb

from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.masking import quoted
from readiness_pipelines.sql import identifier

_OTHER_ROWS = re.compile(r"\b(select|over|from|join)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Noisy:
    """What noisy measures share; see `NoisyCount` and `NoisyRatio`."""

    condition: str
    person: str
    epsilon: float
    budget: float
    per_person: int = 1
    of: Any = None

    def __post_init__(self) -> None:
        """Refuse what promises nothing."""
        if not 0 < self.epsilon <= self.budget:
            raise DeclarationError(
                f"a release costs {self.epsilon} of a budget of {self.budget}",
                way_out="give an epsilon over 0, and a budget of as much at least",
            )
        if not isinstance(self.per_person, int) or self.per_person < 1:
            raise DeclarationError(f"{self.per_person!r} rows of each person are counted", way_out="give 1 or more")
        if _OTHER_ROWS.search(self.condition):
            raise DeclarationError(
                f"the condition {self.condition!r} looks at other rows: what one person changes would not be bounded",
                way_out="write a condition over the columns of one row",
            )

    @property
    def definition(self) -> dict[str, Any]:
        """What is released, as JSON: another definition is another release."""
        return {
            "measure": type(self).__name__,
            "condition": self.condition,
            "person": self.person,
            "epsilon": self.epsilon,
            "per_person": self.per_person,
        }


@dataclass(frozen=True, slots=True)
class NoisyCount(_Noisy):
    """How many rows meet a condition, released once with noise.

    Each batch of the KPI is released once: a replay publishes the number that was drawn, whatever its rows are then.
    What all releases of the KPI cost together is kept in the ledger, and a release over the budget is refused. Another
    definition is another release. Rows without a person are not counted. Needs
    ``readiness-pipelines[privacy]``, and a KPI without dimensions.

    Attributes:
        condition: What a row must meet, over its own columns: ``"status = 'refunded'"``; ``"true"`` for all rows.
        person: The column that tells persons apart.
        epsilon: What a release costs: the less, the more noise.
        budget: What all releases of the KPI, of all its batches, may cost together.
        per_person: So many rows of each person are counted at most.
        of: The relation that is counted; ``None`` for the KPI's only input.

    Example:
        NoisyCount("true", person="patient", epsilon=0.5, budget=6)
    """


@dataclass(frozen=True, slots=True)
class NoisyRatio(_Noisy):
    """The share of the rows that meet a condition, released once with noise; as `NoisyCount`.

    The rows that meet it and those that do not are counted with noise of their own: together they cost one epsilon,
    since a row is one or the other.

    Attributes:
        condition: What a row must meet, over its own columns; where it is null, the row does not.
        person: The column that tells persons apart.
        epsilon: What a release costs: the less, the more noise.
        budget: What all releases of the KPI, of all its batches, may cost together.
        per_person: So many rows of each person are counted at most.
        of: The relation that is counted; ``None`` for the KPI's only input.

    Example:
        NoisyRatio("readmitted = '<30'", person="patient", epsilon=0.5, budget=6)
    """


NoisyMeasure = NoisyCount | NoisyRatio

Release = Callable[[NoisyMeasure, Callable[[], tuple[int, int]]], tuple[int, int] | None]
"""Gives the noisy counts of a measure: those that were released, or newly drawn ones of what is counted then; ``None``
where nothing was released and nothing may be now."""


def bounded_counts(measure: NoisyMeasure, of: duckdb.DuckDBPyRelation) -> tuple[int, int]:
    """The rows that meet the condition, and those that do not, of each person only a few.

    Which rows of a person those are depends on these rows alone.

    Raises:
        UnknownNameError: The relation has no such column of persons.
        DeclarationError: A condition that DuckDB refuses.
    """
    try:
        ((met, others),) = bounded_query(measure, of).fetchall()
    except duckdb.Error as error:
        raise _refused(measure, error) from error
    return int(met), int(others)


def bounded_query(measure: NoisyMeasure, of: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The query of `bounded_counts`, which has not run yet: ``numerator`` and ``others``.

    Raises:
        UnknownNameError: The relation has no such column of persons.
        DeclarationError: A condition that DuckDB refuses.
    """
    if measure.person not in of.columns:
        raise UnknownNameError("person of a noisy measure", measure.person, [c for c in of.columns if c[0] != "_"])
    person = identifier(measure.person)
    try:
        found: Any = of.query(
            "counted",
            f"SELECT count(*) FILTER (counts) AS numerator, count(*) FILTER (NOT counts) AS others FROM ("
            f"SELECT coalesce(({measure.condition}), false) AS counts, {person} AS _person, hash(counted) AS _turn "
            f"FROM counted WHERE {person} IS NOT NULL "
            f"QUALIFY row_number() OVER (PARTITION BY _person ORDER BY _turn, counts) <= {measure.per_person})",
        )
    except duckdb.Error as error:
        raise _refused(measure, error) from error
    query: duckdb.DuckDBPyRelation = found
    return query


def _refused(measure: NoisyMeasure, error: duckdb.Error) -> DeclarationError:
    return DeclarationError(
        f"DuckDB refuses the condition {measure.condition!r}: {quoted(error)}",
        way_out="write a condition over the columns of one row",
    )


def mechanism(measure: NoisyMeasure) -> Callable[[tuple[int, int]], tuple[int, int]]:
    """What adds noise to the counts of a measure; below 0 there is nothing.

    Raises:
        DeclarationError: The library for it is not installed, or would not keep the promise.
    """
    try:
        import opendp.prelude as dp  # noqa: PLC0415  # an extra, and 0.3 s
    except ImportError:
        raise DeclarationError(
            f"{type(measure).__name__} needs the library opendp", way_out='pip install "readiness-pipelines[privacy]"'
        ) from None
    dp.enable_features("contrib")
    scale = measure.per_person / measure.epsilon
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
    noise = space >> dp.m.then_laplace(scale=scale)
    if noise.map(d_in=measure.per_person) > measure.epsilon * (1 + 1e-9):
        raise DeclarationError(f"noise of {scale} does not keep epsilon {measure.epsilon}", way_out="raise epsilon")

    def noisy(counts: tuple[int, int]) -> tuple[int, int]:
        met, others = noise(list(counts))
        return max(0, met), max(0, others)

    return noisy
