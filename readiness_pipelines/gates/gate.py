"""A gate: a Pandera schema with routes and a tolerance, and a version that says when it changed."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from readiness_pipelines.contracts.names import RESERVED_COLUMNS
from readiness_pipelines.contracts.promises import Tolerance
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.gates.columns import read_schema
from readiness_pipelines.gates.declaring import declare
from readiness_pipelines.gates.fingerprint import check_identity, fingerprint
from readiness_pipelines.gates.judging import Broken, Judge
from readiness_pipelines.gates.layout import Layout, lay_out, published_schema
from readiness_pipelines.gates.rules import Rule, RuleKind
from readiness_pipelines.gates.tested import Checked
from readiness_pipelines.gates.verdict import Empty, Hold, Outcome, Publish, RuleCount, Split, Verdict


class Gate:
    """Decides which rows of a batch may be published.

    Args:
        schema: A ``pandera.pyarrow`` model or schema.
        name: What the gate guards; for people.
        tolerance: When a batch is held instead of published in part.
        missing: Text that means "no value" in text columns.
        routes: Routes by rule name, in place of the defaults: shape rules hold, row rules quarantine.

    Raises:
        GateBuildError: A schema that cannot become a gate.
        UnknownNameError: A route for a rule that is not there.
    """

    def __init__(
        self,
        schema: Any,
        *,
        name: str = "gate",
        tolerance: Tolerance | None = None,
        missing: tuple[str, ...] = (),
        routes: Mapping[str, Route] | None = None,
    ) -> None:
        self.name = name
        self.tolerance = tolerance or Tolerance()
        self.missing = missing
        self._spec = read_schema(schema)
        self._tests = declare(self._spec, routes or {})
        self.rules: tuple[Rule, ...] = tuple(test.rule for test in self._tests)
        self.version = fingerprint(self._facts())

    @property
    def schema(self) -> pa.Schema:
        """The published columns that are known without a batch (patterns are not), then the framework's."""
        known = [(spec.name, spec.type or pa.string()) for spec in self._spec.columns if not spec.pattern]
        return published_schema(pa.schema(known))

    def judge(self, rows: duckdb.DuckDBPyRelation, connection: duckdb.DuckDBPyConnection) -> Verdict:
        """Judge a batch.

        Args:
            rows: The batch as it arrived: the source's columns, plus ``_batch``, ``_row`` (unique), ``_file``,
                ``_unreadable`` and ``_unreadable_reason`` (null where the row could be parsed). Read several times.
            connection: The relation's connection. Temporary views and tables stay in it until it is closed.

        Returns:
            The verdict; its rows are read when they are written somewhere.

        Raises:
            GateBuildError: A check raises.
        """
        source = f"rows_{uuid4().hex[:12]}"
        rows.create_view(source)
        ((ingested,),) = connection.execute(f"SELECT count(*) FROM {source}").fetchall()
        empty = rows.limit(0).to_arrow_table().schema
        arrived = pa.schema([field for field in empty if field.name not in RESERVED_COLUMNS])
        layout = lay_out(self._spec, self._tests, arrived, missing=self.missing, connection=connection)
        judge = Judge(connection, source=source, layout=layout, tests=() if layout.breaks else self._tests)
        broken = judge.find_broken()
        counted = {rule.name: count for rule, count in judge.counts(broken, rows=ingested)}
        outcome = self._outcome(layout, broken, counted, ingested)
        return Verdict(
            gate=self.name,
            version=self.version,
            outcome=outcome,
            ingested_rows=ingested,
            failed_rows=broken.failed_rows,
            rules=tuple(self._count(rule, layout, counted, ingested) for rule in self.rules),
            schema=layout.schema,
            published=judge.published(None if isinstance(outcome, Hold | Empty) else broken),
            quarantined=judge.quarantined(broken, all_rows=isinstance(outcome, Hold)),
        )

    def _outcome(self, layout: Layout, broken: Broken, counted: Mapping[str, RuleCount], ingested: int) -> Outcome:
        held = [
            *(f"{rule.name}: {layout.breaks[rule.name]}" for rule in self.rules if rule.name in layout.breaks),
            *(f"{rule.name}: {broken.batch[rule.name]}" for rule in self.rules if rule.name in broken.batch),
            *(
                f"{count.rule.name} is broken in {count.broken_rows:,} rows"
                for count in counted.values()
                if count.rule.route is Route.HOLD and count.broken_rows and count.rule.name not in broken.batch
            ),
        ]
        if held:
            return Hold("; ".join(held))
        if ingested == 0:
            return Empty()
        if broken.failed_rows == 0:
            return Publish()
        return self._within_tolerance(broken.failed_rows, ingested)

    def _within_tolerance(self, failed: int, ingested: int) -> Outcome:
        share = f"{failed:,} of {ingested:,} rows ({failed / ingested:.2%}) fail"
        ratio, rows = self.tolerance.quarantined_ratio, self.tolerance.quarantined_rows
        if ratio is not None and failed > ratio * ingested:
            return Hold(f"{share}, over the tolerance of {ratio:.2%}")
        if rows is not None and failed > rows:
            return Hold(f"{share}, over the tolerance of {rows:,} rows")
        return Hold(f"{share}: no row is left to publish") if failed == ingested else Split()

    @staticmethod
    def _count(rule: Rule, layout: Layout, counted: Mapping[str, RuleCount], ingested: int) -> RuleCount:
        if rule.name in layout.breaks:
            return RuleCount(rule=rule, broken_rows=ingested)
        decided = not layout.breaks or rule.kind is RuleKind.SHAPE
        return counted.get(rule.name, RuleCount(rule=rule, broken_rows=0, decided=decided))

    def _facts(self) -> dict[str, Any]:
        spec = self._spec
        columns = [
            [c.name, str(c.type), c.nullable, c.unique, c.required, c.pattern, c.coerce]
            for c in sorted(spec.columns, key=lambda column: column.name)
        ]
        rules = [
            [sorted(t.rule.columns), t.rule.route, check_identity(t.check) if isinstance(t, Checked) else t.rule.name]
            for t in self._tests
        ]
        return {
            "columns": columns,
            "rules": sorted(fingerprint(rule) for rule in rules),
            "order": [column.name for column in spec.columns] if spec.ordered else None,
            "tolerance": self.tolerance.model_dump(),
            "missing": sorted(self.missing),
        }
