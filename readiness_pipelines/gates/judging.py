"""One batch judged on DuckDB: the rows are read once, and what breaks a rule is remembered as bits by row.

A first query evaluates all lifted rules and keeps the rows with any bit set; tests that need the whole batch
(uniqueness), another table, or Pandera itself add their rows; what is left is anti-joined for publication.
"""

import duckdb

from readiness_pipelines.gates.batch_view import BatchView
from readiness_pipelines.gates.bits import ERROR_TYPE, bits_of, words_of
from readiness_pipelines.gates.decided import Decided
from readiness_pipelines.gates.flagging import find_aggregates, find_lifted
from readiness_pipelines.gates.flavours import Flavour
from readiness_pipelines.gates.found import Broken, FoundRows
from readiness_pipelines.gates.lost import Lost
from readiness_pipelines.gates.others import OtherRows
from readiness_pipelines.gates.outside import find_by_pandera, find_by_value, find_nan_rows
from readiness_pipelines.gates.references import find_unreferenced
from readiness_pipelines.gates.repeated import find_repeated
from readiness_pipelines.gates.rules import Rule, Runner
from readiness_pipelines.gates.sql import identifier, literal
from readiness_pipelines.gates.tested import Checked, GateTest, Readable, Referenced, Unique


def find_broken(
    view: BatchView, tests: tuple[GateTest, ...], *, flavour: Flavour, others: OtherRows, decided: Decided
) -> Broken:
    """Evaluate all tests and keep the rows that break any.

    Raises:
        GateBuildError: A check raises, or cannot be evaluated on this batch; names its rule.
        UnknownNameError: A reference to a table or column that is not there.
    """
    bits = bits_of(tests, view.layout)
    found = FoundRows(view, bits)
    find_lifted(view, bits, found, others.ranges)
    batch = find_aggregates(view, bits)
    for bit in bits:
        match bit.test:
            case Unique(columns=columns, duplicates=duplicates):
                find_repeated(view, bit, (bit.column.name,) if bit.column else columns, duplicates, found)
            case Referenced() as test:
                find_unreferenced(view, bit, test, found, others)
            case Checked(rule=Rule(runs_on=Runner.PYTHON)) as test:
                find_by_value(view, bit, test, found)
            case Checked(rule=Rule(runs_on=Runner.PANDERA)) as test:
                if find_by_pandera(view, bit, test, found, flavour):
                    batch[test.rule.name] = test.rule.reason
            case Checked(spec=None, of_rows=True) as test:
                find_nan_rows(view, bit, test, found, flavour)
            case _:
                pass
    waived = found.waive(decided.waived)
    for name in [name for name in batch if decided.waives(name)]:
        waived[name] = 0
        del batch[name]
    return found.gather(batch, waived)


def published_rows(view: BatchView, broken: Broken | None) -> duckdb.DuckDBPyRelation:
    """The typed rows that fail nothing; no row at all where there is no `broken`."""
    names = ", ".join(identifier(name) for name in view.layout.schema.names)
    query = f"SELECT {names} FROM {view.rows} t"
    if broken is None:
        return view.connection.sql(f"{query} WHERE false")
    if broken.failed_rows:
        query += f" ANTI JOIN (SELECT _row FROM {broken.table} WHERE failed) b USING (_row)"
    return view.connection.sql(query)


def quarantined_rows(view: BatchView, broken: Broken, lost: Lost, *, all_rows: bool) -> duckdb.DuckDBPyRelation:
    """The rows that are not published, as they arrived, with what they broke, and those that were discarded."""
    patterns = _patterns(view, broken)
    join, where = ("LEFT JOIN", "") if all_rows else ("JOIN", "WHERE failed")
    waiting = f"waiting_{view.tag}"
    view.connection.execute(
        f"CREATE TEMP TABLE {waiting} AS SELECT b._row, p.pattern FROM {broken.table} b "
        f"LEFT JOIN {patterns} p USING ({', '.join(words_of(broken.bits))}) {where}"
    )
    # A number for each row and one list of lists: joined as a list each, half a large batch would not fit in memory.
    errors = f"coalesce(list_extract(getvariable('{patterns}'), w.pattern), CAST([] AS {ERROR_TYPE}))"
    rows = (
        f"SELECT r.*, CASE WHEN r._unreadable IS NULL THEN {errors} ELSE {_unreadable(broken)} END AS _errors, "
        f"false AS _discarded FROM {view.source} r {join} {waiting} w ON r._row = w._row"
    )
    if lost.rows and not all_rows:
        rows += (
            f" UNION ALL SELECT r.*, CAST([l.error] AS {ERROR_TYPE}), true "
            f"FROM {view.source} r JOIN {lost.table} l ON r._row = l._row"
        )
    return view.connection.sql(rows)


def _patterns(view: BatchView, broken: Broken) -> str:
    """Number the combinations of bits that occur, far fewer than rows; a variable of that name lists their errors."""
    words = ", ".join(words_of(broken.bits))
    entries = ", ".join(bit.error for bit in broken.bits)
    errors = f"list_filter([{entries}], lambda e: e IS NOT NULL)" if entries else "[]"
    table = f"patterns_{view.tag}"
    view.connection.execute(
        f"CREATE TEMP TABLE {table} AS SELECT {words}, row_number() OVER ()::INTEGER AS pattern, "
        f"CAST({errors} AS {ERROR_TYPE}) AS _errors FROM (SELECT DISTINCT {words} FROM {broken.table})"
    )
    view.connection.execute(
        f"SET VARIABLE {table} = (SELECT coalesce(list(_errors ORDER BY pattern), []::{ERROR_TYPE}[]) FROM {table})"
    )
    return table


def _unreadable(broken: Broken) -> str:
    """SQL: the errors of a row that the reader could not parse, with the reader's own reason."""
    rules = [bit.test.rule for bit in broken.bits if isinstance(bit.test, Readable)]
    entries = [f"{{'rule': {literal(rule.name)}, 'column': NULL, 'reason': r._unreadable_reason}}" for rule in rules]
    return f"CAST([{', '.join(entries)}] AS {ERROR_TYPE})"
