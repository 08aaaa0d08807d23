"""What a computed table is computed by, as plain values: what the ledger keeps with each of its verdicts."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from readiness_pipelines.contracts import Computed, DerivedTable, Kpi, Table
from readiness_pipelines.contracts.reads import RowsOfPeriod
from readiness_pipelines.gates.versions.fingerprint import fingerprint
from readiness_pipelines.gates.versions.functions import function_code


def transform_facts(table: Table) -> Mapping[str, Any]:
    """What decides about the rows that a table is computed to have, beside its inputs and its gate; JSON-like.

    ``code`` is a fingerprint of the transform: of what it does, not of its comments, docstring or layout; with the
    functions and constants of the same project that it names. ``language`` and ``key`` are as declared, of inputs that
    are read by the time of their events also ``event_times``, and of a KPI ``unit``, ``target`` and ``targets``. Empty
    for a table that a source feeds.
    """
    return _facts(table) if isinstance(table, DerivedTable | Kpi) else {}


@lru_cache(maxsize=1_024)
def _facts(table: Computed) -> Mapping[str, Any]:
    facts: dict[str, Any] = {
        "code": fingerprint(function_code(table.transform, unwrap=_transform_of)),
        "language": table.language,
        "key": list(table.key),
    }
    by_event = {
        name: read.mapping.event_time for name, read in table.reads.items() if isinstance(read.mapping, RowsOfPeriod)
    }
    if by_event:
        facts["event_times"] = by_event
    if isinstance(table, Kpi):
        facts["unit"] = table.unit
        facts["target"] = str(table.target) if table.target else None
        facts["targets"] = {", ".join(values): str(target) for values, target in sorted(table.targets.items())}
        if table.suppress_below is not None:
            facts["suppress_below"] = [table.suppress_below, table.persons]
    return facts


def _transform_of(value: Any) -> Any:
    """A table or KPI that a transform names, as the function that computes it."""
    return value.transform if isinstance(value, DerivedTable | Kpi) else value
