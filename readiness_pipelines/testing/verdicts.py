"""A gate's verdict on literals, with its rows at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from readiness_pipelines.gates import DuckDbEngine, Engine, Gate, Hold, OtherRows, Outcome, Verdict
from readiness_pipelines.keys import no_keys
from readiness_pipelines.masking import PLAIN, handling
from readiness_pipelines.sql import locked_connection
from readiness_pipelines.testing.batches import batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a gate said of a batch.

    Attributes:
        outcome: `Publish`, `Split`, `Hold` or `Empty`.
        published: The published rows, typed, without the framework's columns, in order.
        broken: The rules that each row breaks, in the gate's order, by ``_row``; rows that break nothing are not there.
        quarantined: The ``_row`` of the rows that wait.
        discarded: The ``_row`` of the rows that deduplication discarded.
        cleansed: Cells changed, by column and step; steps that changed nothing are not there.
        verdict: All of it; its relations are closed.
    """

    outcome: Outcome
    published: Sequence[Mapping[str, Any]]
    broken: Mapping[int, tuple[str, ...]]
    quarantined: frozenset[int]
    discarded: frozenset[int]
    cleansed: Mapping[tuple[str, str], int]
    verdict: Verdict

    def assert_publishes(self, *rows: Mapping[str, Any]) -> None:
        """Assert that these rows, and no others, are published, in this order; columns not named are not compared."""
        names = list(rows[0]) if rows else []
        seen: list[Mapping[str, Any]] = [{name: row.get(name) for name in names} for row in self.published]
        wanted: list[Mapping[str, Any]] = [dict(row) for row in rows]
        assert len(self.published) == len(rows) and seen == wanted, (  # noqa: S101, PT018  # this is what it is for
            f"published {seen or list(self.published)}, not {wanted}; broken: {dict(self.broken)}"
        )

    def assert_breaks(self, broken: Mapping[int, Sequence[str] | str]) -> None:
        """Assert that these rows, and no others, break these rules, and no others."""
        wanted = {row: (rules,) if isinstance(rules, str) else tuple(rules) for row, rules in broken.items()}
        assert dict(self.broken) == wanted, f"broken {dict(self.broken)}, not {wanted}"  # noqa: S101  # as above

    def assert_held(self, because: str = "") -> None:
        """Assert that nothing is published, for a reason that contains some words."""
        assert isinstance(self.outcome, Hold), f"{self.outcome}, not held"  # noqa: S101  # as above
        assert because in self.outcome.reason, f"held because {self.outcome.reason!r}"  # noqa: S101  # as above


def judge(
    gate: Gate,
    *rows: Mapping[str, Any],
    types: Mapping[str, pa.DataType] | None = None,
    tables: Mapping[str, pa.Table] | None = None,
    other_batches: pa.Table | None = None,
    accepted: Mapping[str, str] | None = None,
    keys: Mapping[str, bytes] | None = None,
    engine: Engine | None = None,
) -> Judged:
    """Let a gate judge rows given as literals.

    Args:
        gate: The gate.
        rows: As `batch` takes them.
        types: As `batch` takes them.
        tables: Published rows of the tables that reference rules name.
        other_batches: What other batches of the same table publish.
        accepted: The source's last accepted shape, types by column; by default the batch is the first.
        keys: Keys of protections, by name; a batch whose key is not among them is held.
        engine: Where; by default a DuckDB of its own.
    """
    with handling(PLAIN), locked_connection() as connection:  # the rows are literals of a test
        engine = engine or DuckDbEngine(connection)
        others = OtherRows(tables=tables or {}, other_batches=other_batches)
        given = keys or {}
        verdict = gate.judge(
            batch(*rows, types=types),
            engine,
            others=others,
            accepted=accepted,
            keys=lambda name: given[name] if name in given else no_keys(name),
        ).verified()
        published = engine.collect(verdict.published).to_pylist()
        waiting = engine.collect(verdict.quarantined).to_pylist()
    framework = {"_batch", "_row", "_file"}
    errors = {row["_row"]: tuple(error["rule"] for error in row["_errors"]) for row in waiting if not row["_discarded"]}
    return Judged(
        outcome=verdict.outcome,
        published=[{name: value for name, value in row.items() if name not in framework} for row in published],
        broken={row: rules for row, rules in errors.items() if rules},
        quarantined=frozenset(errors),
        discarded=frozenset(row["_row"] for row in waiting if row["_discarded"]),
        cleansed={(count.column, count.step): count.cells for count in verdict.cleansed if count.cells},
        verdict=verdict,
    )
