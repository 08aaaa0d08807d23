"""One batch judged on an engine: the rows are read once, and what breaks a rule is remembered as bits by row.

A first query evaluates all lifted rules and keeps the rows with any bit set; tests that need the whole batch
(uniqueness), another table, or Pandera itself add their rows; what is left is anti-joined for publication.
"""

from typing import assert_never

from readiness_pipelines.contracts.references import MaskingVerified
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.engines.dialects import Dialect
from readiness_pipelines.engines.port import Rows
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.bits import Bit, bits_of, words_of
from readiness_pipelines.gates.judge.dropped import DroppedRows
from readiness_pipelines.gates.judge.flagging import find_aggregates, find_lifted
from readiness_pipelines.gates.judge.lifted import read_checks
from readiness_pipelines.gates.judge.masking import MaskingCheck
from readiness_pipelines.gates.judge.others import OtherRows
from readiness_pipelines.gates.judge.outside import find_by_pandera, find_by_value
from readiness_pipelines.gates.judge.references import find_unreferenced
from readiness_pipelines.gates.judge.repeated import find_repeated
from readiness_pipelines.gates.judge.unmasked import find_unmasked
from readiness_pipelines.gates.judge.violations import BrokenRows, Violations
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.rules import Runner
from readiness_pipelines.gates.schema.tests import (
    Checked,
    ColumnsClassified,
    ColumnsExpected,
    ColumnsOrdered,
    ColumnsPresent,
    Disclosed,
    GateTest,
    Masked,
    NotNull,
    Readable,
    Referenced,
    SchemaUnchanged,
    Typed,
    Unique,
    WithinUsual,
)
from readiness_pipelines.gates.verdict.decisions import Decisions


def find_violations(
    view: BatchView,
    tests: tuple[GateTest, ...],
    *,
    flavour: Flavour,
    others: OtherRows,
    decisions: Decisions,
) -> BrokenRows:
    """Evaluate all tests and keep the rows that break any.

    Raises:
        GateBuildError: A check raises, or cannot be evaluated on this batch; names its rule.
        UnknownNameError: A reference to a table or column that is not there.
    """
    bits = bits_of(tests, view.layout)
    violations = Violations(view, bits)
    checks = read_checks(view, bits, flavour)
    left = find_lifted(view, bits, checks, violations, others.ranges)
    batch = find_aggregates(view, checks, left)
    for bit in bits:
        match bit.test:
            case Unique(columns=columns, duplicates=duplicates):
                find_repeated(view, bit, (bit.column.name,) if bit.column else columns, duplicates, violations)
            case Referenced(reference=MaskingVerified()) as test:
                if fault := find_unmasked(view, test, others):
                    batch[test.rule.name] = fault
            case Referenced() as test:
                find_unreferenced(view, bit, test, violations, others)
            case Checked() as test:
                among = left.get(bit.place, "")
                if _find_unlifted(view, bit, test, violations, flavour=flavour, left=among):
                    batch[test.rule.name] = test.rule.reason
            case Readable() | Typed() | NotNull() | WithinUsual():
                pass  # `find_lifted` finds them
            case Disclosed() | ColumnsClassified() | Masked():
                pass  # decided over the rows to publish; they have no bits
            case ColumnsPresent() | ColumnsExpected() | ColumnsOrdered() | SchemaUnchanged():
                pass  # decided by the layout; they have no bits
            case _:
                assert_never(bit.test)
    waived = violations.waive(decisions.waived)
    for name in [name for name in batch if decisions.waives(name)]:
        waived[name] = 0
        del batch[name]
    return violations.gather(batch, waived)


def _find_unlifted(
    view: BatchView, bit: Bit, test: Checked, violations: Violations, *, flavour: Flavour, left: str
) -> bool:
    """Find the rows that break what the query does not decide of a check; whether the whole batch breaks it."""
    match test.rule.runs_on:
        case Runner.PYTHON:
            find_by_value(view, bit, test, violations, flavour)
        case Runner.PANDERA:
            return find_by_pandera(view, bit, test, violations, flavour)
        case Runner.QUERY:
            return bool(left) and find_by_pandera(view, bit, test, violations, flavour, among=left)
        case _:
            assert_never(test.rule.runs_on)
    return False


def published_rows(view: BatchView, broken: BrokenRows | None) -> Rows:
    """The typed rows that fail nothing, protected; no row at all where there is no `broken`, or a key is missing."""
    quoted = {name: view.engine.sql.identifier(name) for name in view.layout.schema.names}
    protected = view.protections.columns
    joins = " ".join(column.join(view.engine) for column in protected.values())
    names = ", ".join(
        f"{protected[name].joined} AS {token}" if name in protected else f"t.{token}" for name, token in quoted.items()
    )
    if broken is None or view.protections.missing:
        return view.engine.rows(f"SELECT {names} FROM {view.rows} t {joins} WHERE false")
    return view.engine.rows(f"SELECT {names} FROM {_passing(view, broken)} {joins}")


def masking_check(view: BatchView, broken: BrokenRows) -> MaskingCheck:
    """What looks at the rows that are about to be published, and compares them with what arrived."""
    return MaskingCheck(
        engine=view.engine, arrived=_passing(view, broken), protections=view.protections, keys=view.keys, tag=view.tag
    )


def _passing(view: BatchView, broken: BrokenRows) -> str:
    """SQL to select the typed rows from that fail nothing, as ``t``: in them, all values convert that have to."""
    rows = view.known(
        {
            bit.column.name
            for bit in broken.bits
            if isinstance(bit.test, Typed)
            and bit.column
            and bit.test.rule.route is not Route.WARN
            and bit.test.rule.name not in broken.waived
        }
    )
    if not broken.failed_rows:
        return f"{rows} t"
    return f"{rows} t ANTI JOIN (SELECT _row FROM {broken.table} WHERE failed) b USING (_row)"


def quarantined_rows(view: BatchView, broken: BrokenRows, dropped: DroppedRows, *, all_rows: bool) -> Rows:
    """The rows that are not published, as they arrived, with what they broke, and those that were discarded."""
    sql, words = view.engine.sql, ", ".join(words_of(broken.bits))
    entries = sql.errors([bit.error(sql) for bit in broken.bits if bit.place in broken.places])
    tag = f"all_{view.tag}" if all_rows else view.tag
    patterns, waiting = f"patterns_{tag}", f"waiting_{tag}"
    # The combinations of bits that occur are far fewer than rows: errors are made once for each of them.
    pattern, errors = view.engine.error_lists(
        patterns, f"SELECT {words}, {entries} AS _errors FROM (SELECT DISTINCT {words} FROM {broken.table})"
    )
    join, where = ("LEFT JOIN", "") if all_rows else ("JOIN", "WHERE failed")
    view.engine.keep(
        waiting,
        f"SELECT b._row, {pattern} AS pattern FROM {broken.table} b LEFT JOIN {patterns} p USING ({words}) {where}",
    )
    rows = (
        f"SELECT r.*, CASE WHEN r._unreadable IS NULL THEN {errors} ELSE {_unreadable(broken, sql)} END AS _errors, "
        f"false AS _discarded FROM {view.source} r {join} {waiting} w ON r._row = w._row"
    )
    if dropped.rows and not all_rows:
        for part in dropped.parts:
            rows += (
                f" UNION ALL SELECT r.*, {sql.errors(['l.error'])}, true "
                f"FROM {view.source} r JOIN {part} l ON r._row = l._row"
            )
    return view.engine.rows(rows)


def _unreadable(broken: BrokenRows, sql: Dialect) -> str:
    """SQL: the errors of a row that the reader could not parse, with the reader's own reason."""
    rules = [bit.test.rule for bit in broken.bits if isinstance(bit.test, Readable)]
    return sql.errors([sql.unreadable_error(rule.name, "r._unreadable_reason") for rule in rules])
