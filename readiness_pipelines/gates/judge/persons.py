"""What the rows to publish would give away of persons: rules over all of them, decided after all else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from readiness_pipelines.contracts.disclosure import Disclosure, KAnonymity, LDiversity
from readiness_pipelines.detection import MOST_ROWS, Certainty, detect
from readiness_pipelines.gates.judge.batch import published_rows
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.violations import BrokenRows
from readiness_pipelines.gates.schema.tests import ColumnsClassified, Disclosed, GateTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What a batch would give away: in how many rows, and how, for people; no values."""

    rows: int
    detail: str


def find_exposures(view: BatchView, broken: BrokenRows, tests: Sequence[GateTest]) -> Mapping[str, Exposure]:
    """What the rows to publish would give away, by rule name; rules that hold are not there."""
    found: dict[str, Exposure | None] = {}
    name = f"to_publish_{view.tag}"
    disclosed = [test for test in tests if isinstance(test, Disclosed)]
    if disclosed:
        view.engine.view(name, published_rows(view, broken))
    for test in disclosed:
        found[test.rule.name] = _exposed(view, name, test.condition)
    for one in tests:
        if isinstance(one, ColumnsClassified):
            found[one.rule.name] = _unclassified(view)
    return {rule: exposure for rule, exposure in found.items() if exposure is not None}


def _exposed(view: BatchView, name: str, condition: Disclosure) -> Exposure | None:
    """The rows that are in groups too small, or too much alike."""
    identifier = view.engine.sql.identifier
    quasi = ", ".join(map(identifier, condition.quasi))
    joined = ", ".join(condition.quasi)
    match condition:
        case KAnonymity(k=k, persons=persons):
            share = f"count(DISTINCT {identifier(persons)})" if persons else "count(*)"
            who = "persons" if persons else "rows"
            figures = _groups(view, name, quasi, share, f"different < {k}")
            if figures is None:
                return None
            rows, whole, least, alone = figures
            return Exposure(
                rows=rows,
                detail=f"{rows:,} of {whole:,} rows ({rows / whole:.2%}) are among fewer than {k} {who} with the same "
                f"{joined}; the smallest group has {least:,}, and {alone:,} rows are in a group of one",
            )
        case LDiversity(l=least_values, sensitive=sensitive):
            share = f"count(DISTINCT {identifier(sensitive)})"
            figures = _groups(view, name, quasi, share, f"different BETWEEN 1 AND {least_values - 1}")
            if figures is None:
                return None
            rows, whole, _, alone = figures
            return Exposure(
                rows=rows,
                detail=f"{rows:,} of {whole:,} rows ({rows / whole:.2%}) share {joined} with rows of fewer than "
                f"{least_values} different values of {sensitive}; {alone:,} with rows of one value",
            )
        case _:
            assert_never(condition)


def _groups(view: BatchView, name: str, quasi: str, share: str, wrong: str) -> tuple[int, int, int, int] | None:
    """Rows in wrong groups, all rows, what the least group has, rows in groups of one; nothing where none is wrong."""
    ((wrong_rows, rows, least, alone),) = view.engine.fetch(
        f"SELECT sum(CASE WHEN {wrong} THEN grouped ELSE 0 END), sum(grouped), min(different), "
        f"sum(CASE WHEN different = 1 THEN grouped ELSE 0 END) "
        f"FROM (SELECT count(*) AS grouped, {share} AS different FROM {name} GROUP BY {quasi}) g"
    )
    return (int(wrong_rows), int(rows), int(least), int(alone)) if wrong_rows else None


def _unclassified(view: BatchView) -> Exposure | None:
    """The columns to publish that nobody classified and that look personal for sure, in a sample of the batch."""
    names = {c.name for c in view.layout.columns if not any(spec.classified for spec in c.specs)}
    arrived = [name for name in view.engine.schema(view.source).names if name in names]
    ((rows,),) = view.engine.fetch(f"SELECT count(*) FROM {view.source}")
    if not (arrived and rows):
        return None
    columns = ", ".join(map(view.engine.sql.identifier, arrived))
    every = -(-rows // MOST_ROWS)
    try:
        sample = view.engine.arrow(f"SELECT {columns} FROM {view.source} WHERE _row % {every} = 0")
        sure = [one for one in detect(sample) if one.certainty is Certainty.SURE]
    except Exception as error:  # a fault of the detector ends no delivery; what could not be seen is held
        return Exposure(rows=rows, detail=f"the columns could not be looked at: {type(error).__name__}")
    if not sure:
        return None
    return Exposure(rows=rows, detail="; ".join(f"{one}, and nobody classified it" for one in sure))
