"""A gate: a Pandera schema with routes and a tolerance, and a version that says when it changed."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any
from uuid import uuid4

import pyarrow as pa

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts.classification import Classified
from readiness_pipelines.contracts.cleansing import FlagMissing
from readiness_pipelines.contracts.gating import SchemaChange, checked_gating
from readiness_pipelines.contracts.promises import Tolerance
from readiness_pipelines.contracts.references import ExistsIn, Late, MaskingVerified, NotInOtherBatches
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.engines import dialect_of
from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.port import Engine, Rows
from readiness_pipelines.gates.judge.batch import find_violations, masking_check, published_rows, quarantined_rows
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.counting import count_cleansed, count_rules
from readiness_pipelines.gates.judge.dropped import drop_rows
from readiness_pipelines.gates.judge.layout import Layout, lay_out, published_schema, shape_of
from readiness_pipelines.gates.judge.others import OtherRows
from readiness_pipelines.gates.judge.persons import Exposure, find_exposures
from readiness_pipelines.gates.judge.protecting import protect_columns
from readiness_pipelines.gates.record.json_records import JsonRecords, Named, as_written
from readiness_pipelines.gates.record.records import Known, RecordGate
from readiness_pipelines.gates.record.verdicts import RecordVerdict
from readiness_pipelines.gates.schema.classes import classify
from readiness_pipelines.gates.schema.columns import SchemaSpec, read_schema
from readiness_pipelines.gates.schema.declaring import declare
from readiness_pipelines.gates.schema.fills import refuse_lossy_cleansing
from readiness_pipelines.gates.schema.protecting import refuse_unprotectable
from readiness_pipelines.gates.schema.refusals import refuse_unsupported
from readiness_pipelines.gates.schema.rules import MASKING_VERIFIED, TOLERANCE, Rule, RuleKind
from readiness_pipelines.gates.schema.tests import Disclosed, Referenced, Typed, WithinUsual
from readiness_pipelines.gates.verdict.decisions import Decisions
from readiness_pipelines.gates.verdict.outcomes import holds_by_shape, outcome_of
from readiness_pipelines.gates.verdict.verdict import Discard, Empty, Hold, RuleCount, Verdict
from readiness_pipelines.gates.versions.declaration import GateDeclaration, declaration_of
from readiness_pipelines.keys import Keys, no_keys
from readiness_pipelines.limits import Limits
from readiness_pipelines.settings import EngineName

_LIMITS = Limits()


def known_columns(schema: Any) -> pa.Schema | None:
    """The columns that every batch of a schema publishes, with the framework's; ``None`` where only a batch tells.

    Raises:
        GateBuildError: A schema that cannot become a gate.
    """
    spec = read_schema(schema)
    open_ended = any(column.pattern or column.type is None for column in spec.columns)
    return None if open_ended else _published(spec)


def _published(spec: SchemaSpec) -> pa.Schema:
    known = [(column.name, column.type or pa.string()) for column in spec.columns if not column.pattern]
    steps = (step for column in spec.columns for step in column.steps if not column.pattern)
    flags = [(step.column, pa.bool_()) for step in steps if isinstance(step, FlagMissing)]
    return published_schema([*known, *flags])


class Gate:
    """Decides which rows of a batch may be published.

    Args:
        schema: A model or schema of ``pandera.pyarrow``, ``pandera.polars`` or ``pandera.pandas``.
        name: What the gate guards; for people.
        missing: Text that means "no value" in text columns.
        rules: Further rules: Pandera checks over the frame, `ExistsIn`, `NotInOtherBatches`, `WithinUsualRange`,
            `KAnonymity`, `LDiversity`.
        routes: Routes by rule name, in place of the defaults: shape and batch rules hold, others quarantine rows.
        default_route: Route of the rules other than shape that `routes` does not name.
        tolerance: When a batch is held instead of published in part.
        schema_change: What a new, missing or widened column means.
        allow_empty: Whether a batch without rows replaces what it published before.
        unclassified: Whether a batch is held where a published column looks personal for sure and has no class.
        engine: Where it will judge. It means the same everywhere, and has the same version; what would not is refused.
        classified: Classes of columns, beside those in the schema's metadata.

    Attributes:
        name: As given.
        spec: The schema as plain values.
        tests: What it tests, in order.
        rules: The rule of each test.
        declaration: What the gate tests, as plain values.

    Raises:
        GateBuildError: A schema that cannot become a gate.
        UnknownNameError: A route, tolerance, or reference to something that is not there.
    """

    def __init__(
        self,
        schema: Any,
        *,
        name: str = "gate",
        missing: Sequence[str] | str = (),
        rules: Sequence[Any] = (),
        routes: Mapping[str, Route] | None = None,
        default_route: Route | None = None,
        tolerance: Tolerance | None = None,
        schema_change: SchemaChange = SchemaChange.DISCARD,
        allow_empty: bool = False,
        unclassified: Route = Route.WARN,
        engine: EngineName = "duckdb",
        classified: Mapping[str, Classified] | None = None,
    ) -> None:
        self.name = name
        missing = (missing,) if isinstance(missing, str) else tuple(missing)
        self._missing = missing
        self._gating = checked_gating(
            f"the gate {name}" if name != "gate" else "the gate",
            rules,
            routes=routes,
            default_route=default_route,
            tolerance=tolerance,
            schema_change=schema_change,
            unclassified=unclassified,
            allow_empty=allow_empty,
            streamed=True,
        )
        self.spec = classify(read_schema(schema), classified or {})
        self._classified = tuple(column for column in self.spec.columns if column.classified)
        refuse_lossy_cleansing(self.spec)
        self.tests = declare(self.spec, self._gating)
        self.rules: tuple[Rule, ...] = tuple(test.rule for test in self.tests)
        self._dialect = dialect_of(engine)
        refuse_unsupported(self.spec, self.tests, self._dialect)
        refuse_unprotectable(self.spec, self.tests)
        self.declaration: GateDeclaration = declaration_of(self.spec, self.tests, self._gating, missing)

    def renamed(self, name: str) -> "Gate":
        """The same gate of something else."""
        gate = copy(self)
        gate.name = name
        return gate

    def of_slices(self) -> "Gate":
        """The same gate for a part of a batch: what is about the batch as a whole, as tolerances are, is left out."""
        gate = copy(self)
        gate.tests = tuple(test for test in self.tests if test.rule.kind is not RuleKind.BATCH)
        gate.rules = tuple(test.rule for test in gate.tests)
        gate._gating = replace(self._gating, tolerance=Tolerance(), allow_empty=True)
        return gate

    @property
    def discloses(self) -> bool:
        """Whether it holds what all rows of a batch together give away of persons: no part may be published alone."""
        return any(isinstance(test, Disclosed) for test in self.tests)

    @property
    def version(self) -> str:
        """The gate's version: the same for gates that mean the same."""
        return self.declaration.version

    @property
    def schema(self) -> pa.Schema:
        """The published columns that are known without a batch (patterns are not), then the framework's."""
        return _published(self.spec)

    def class_of(self, column: str) -> Classified | None:
        """The class that schema or table declare for a column; ``None`` where neither does."""
        return next((spec.classified for spec in self._classified if spec.matches(column)), None)

    @property
    def referenced_tables(self) -> tuple[str, ...]:
        """The tables that `judge` must be given."""
        references = [test.reference for test in self.tests if isinstance(test, Referenced)]
        names = [r.table for r in references if isinstance(r, ExistsIn)]
        return tuple(dict.fromkeys([*names, *(r.of for r in references if isinstance(r, MaskingVerified))]))

    @property
    def compares_batches(self) -> bool:
        """Whether `judge` must be given what other batches publish."""
        return any(isinstance(t, Referenced) and isinstance(t.reference, NotInOtherBatches) for t in self.tests)

    @property
    def lateness(self) -> Late | None:
        """What it says of late rows of a stream, for which `judge` must be given watermarks; ``None`` where nothing."""
        references = (test.reference for test in self.tests if isinstance(test, Referenced))
        return next((one for one in references if isinstance(one, Late)), None)

    @property
    def learns_ranges(self) -> bool:
        """Whether `judge` must be given where earlier batches had their numbers."""
        return any(isinstance(test, WithinUsual) for test in self.tests)

    def publishes_nothing_without(self, rule: str) -> bool:
        """Whether a rule is of values that do not convert, in a column that must have one: none would be published."""
        return any(isinstance(t, Typed) and not t.spec.nullable and t.rule.name == rule for t in self.tests)

    def misshapen(self, arrived: pa.Schema) -> Mapping[str, str]:
        """The rules that any batch of some columns breaks by its shape, with the reason; by rule name.

        Args:
            arrived: The columns, without the framework's.
        """
        return self._laid_over(arrived, accepted=None, sql=self._dialect).breaks

    def explain(self) -> str:
        """Each rule, its kind, its route, where it runs and why: a table of text, for people."""
        head = ("rule", "kind", "where broken", "runs in", "because")
        rows = [head, *((r.name, r.kind.value, r.route.value, r.runs_on.value, r.because) for r in self.rules)]
        widths = [max(len(row[index]) for row in rows) for index in range(len(head))]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    def judge(
        self,
        rows: Rows,
        engine: Engine,
        *,
        others: OtherRows | None = None,
        decisions: Decisions | None = None,
        accepted: Mapping[str, str] | None = None,
        keys: Keys | None = None,
    ) -> Verdict:
        """Judge a batch.

        Args:
            rows: The batch as it arrived: the source's columns, plus ``_batch``, ``_row`` (unique), ``_file``,
                ``_unreadable`` and ``_unreadable_reason`` (null where the row could be parsed). Read several times.
            engine: The engine that the rows live in. Views and tables stay in it until it is closed.
            others: What reference rules compare with: the rows of `referenced_tables`, and of other batches.
            decisions: What people decided about the batch. A waived rule is still evaluated and counted.
            accepted: The source's last accepted shape, as `Verdict.arrived` of an earlier batch gave it; ``None`` where
                there is none yet, and no change can be seen.
            keys: Gives the bytes of a protection's key. Without one that is needed, the batch is held.

        Returns:
            The verdict; its rows are read when they are written somewhere. Where columns are protected, nothing may be
            published before `Verdict.verified` has looked at it.

        Raises:
            GateBuildError: A check raises, or cannot be evaluated on this batch.
            UnknownNameError: A reference rule's table was not given, or lacks the column.
        """
        decisions = decisions or Decisions()
        tag = uuid4().hex[:12]
        source = f"rows_{tag}"
        engine.view(source, rows)
        ((ingested,),) = engine.fetch(f"SELECT count(*) FROM {source}")
        arrived = pa.schema([field for field in engine.schema(source) if field.name not in RESERVED_COLUMNS])
        layout = self._laid_over(arrived, accepted=accepted, sql=engine.sql)
        breaks = {name: why for name, why in layout.breaks.items() if not decisions.waives(name)}
        misshapen = any(rule.name in breaks and holds_by_shape(rule) for rule in self.rules)
        typed = BatchView.over(engine, source=source, layout=layout, tag=tag, count=ingested)
        keys = keys or no_keys
        protections = protect_columns(layout, typed.rows, engine, keys=keys, tag=tag)
        if protections.missing:
            breaks[MASKING_VERIFIED] = protections.missing
        view = replace(typed, protections=protections, keys=keys)
        view, dropped = drop_rows(view, decisions.discarded, None if misshapen else self.spec.deduplicate)
        broken = find_violations(
            view,
            () if misshapen else self.tests,
            flavour=self.spec.flavour,
            others=others or OtherRows(),
            decisions=decisions,
        )
        exposures = {} if misshapen else find_exposures(view, broken, self.tests)
        counted = {rule.name: count for rule, count in count_rules(view, broken, rows=ingested)}
        counted |= {rule.name: _exposed(rule, exposures, decisions) for rule in self.rules if rule.name in exposures}
        counts = tuple(self._count(rule, breaks, counted, ingested, misshapen) for rule in self.rules)
        gating = replace(self._gating, tolerance=Tolerance()) if decisions.waives(TOLERANCE) else self._gating
        outcome = outcome_of(counts, gating, failed=broken.failed_rows, discarded=dropped.rows, ingested=ingested)
        held = isinstance(outcome, Hold)
        return Verdict(
            gate=self.name,
            version=self.version,
            outcome=outcome,
            ingested_rows=ingested,
            failed_rows=broken.failed_rows,
            discarded_rows=0 if held else dropped.rows,
            rules=counts,
            cleansed=() if misshapen else count_cleansed(view, dropped),
            findings=layout.findings,
            arrived=shape_of(arrived),
            schema=layout.schema,
            published=published_rows(view, None if isinstance(outcome, Hold | Empty | Discard) else broken),
            quarantined=quarantined_rows(view, broken, dropped, all_rows=held),
            keys=protections.keys,
            masking=masking_check(view, broken) if protections.columns else None,
            all_rows=lambda: quarantined_rows(view, broken, dropped, all_rows=True),
            failing=lambda: view.engine.rows(f"SELECT _row FROM {broken.table} WHERE failed"),
        )

    def check_record(self, record: Mapping[str, Any], *, known: Known | None = None) -> RecordVerdict:
        """Judge one record, for use behind an API: the same verdict as `judge` gives of a batch of one.

        Rules over the whole batch, and over other tables that are not `known`, are reported as not decided. Compiled
        once for each combination of keys and types; safe to call from several threads.

        Args:
            record: Column names to plain Python values, typed or as text; ``None`` for no value.
            known: What tables have that `ExistsIn` names, by the name that it gives them.

        Raises:
            GateBuildError: A check raises.
            DeclarationError: A value that no column can hold.
        """
        return self._records.check(record, known or {})

    def check_json(
        self,
        body: bytes | str,
        *,
        limits: Limits | None = None,
        named: Named | None = None,
        known: Known | None = None,
    ) -> RecordVerdict:
        """Judge one record of JSON: the same verdict as `judge` gives of the same line, landed as a file.

        So numbers are read as they are written (``5`` is a float where the column is one, and ``"5"`` as well), nested
        values are JSON as text, and a record that cannot be parsed breaks ``readable``. Otherwise as `check_record`.

        Args:
            body: A JSON object, in UTF-8.
            limits: What it may demand of the machine; by default as a file.
            named: Gives what a key is called as a column, as the table's reader renames, or ``None`` where it is not
                read; by default its own name, as a file's.
            known: As `check_record`.

        Raises:
            RecordRefusedError: It is too large, or its keys cannot be told apart.
            GateBuildError: A check raises.
        """
        return self._json.check(body, limits=limits or _LIMITS, named=named or as_written, known=known or {})

    def check_parsed(
        self, record: Mapping[str, Any], *, limits: Limits, named: Named, known: Known | None = None
    ) -> RecordVerdict:
        """As `check_json`, of an object that `sources.json_values.parse_json` gave."""
        return self._json.check_parsed(record, limits=limits, named=named, known=known or {})

    def unreadable(self, reason: str) -> RecordVerdict:
        """What is said of a record that could not be parsed."""
        return self._records.unreadable(reason)

    @cached_property
    def _records(self) -> RecordGate:
        return RecordGate(self.spec, self.tests, missing=self._missing, change=self._gating.schema_change)

    @cached_property
    def _json(self) -> JsonRecords:
        return JsonRecords(self._records, self.spec, self._gating.schema_change)

    def _laid_over(self, arrived: pa.Schema, *, accepted: Mapping[str, str] | None, sql: Dialect) -> Layout:
        """The schema laid over the columns that arrived."""
        return lay_out(
            self.spec,
            self.tests,
            arrived,
            missing=self._missing,
            change=self._gating.schema_change,
            accepted=accepted,
            sql=sql,
        )

    @staticmethod
    def _count(
        rule: Rule, breaks: Mapping[str, str], counted: Mapping[str, RuleCount], ingested: int, misshapen: bool
    ) -> RuleCount:
        if rule.name in breaks:
            return RuleCount(rule=rule, broken_rows=ingested, detail=breaks[rule.name])
        decided = not misshapen or rule.kind is RuleKind.SHAPE
        return counted.get(rule.name, RuleCount(rule=rule, broken_rows=0, decided=decided))


def _exposed(rule: Rule, exposures: Mapping[str, Exposure], decisions: Decisions) -> RuleCount:
    """The count of a rule about persons that the rows to publish break, or that is waived for them."""
    if decisions.waives(rule.name):
        return RuleCount(rule=rule, broken_rows=0, waived_rows=0)
    found = exposures[rule.name]
    return RuleCount(rule=rule, broken_rows=found.rows, detail=found.detail)
