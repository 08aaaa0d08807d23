"""Values that decisions name, erased: cells that somebody gave a person's row, and conditions that name the person."""

from collections.abc import Collection, Mapping

from readiness_pipelines.delivery.erasure.matching import TableMatcher
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import DecisionValue
from readiness_pipelines.names import TableId


def erase_decision_values(
    table: TableId,
    matcher: TableMatcher,
    rows: Mapping[str, Collection[int]],
    *,
    installation: Installation,
    run: Run,
) -> int:
    """Erase what decisions about a table say of persons; that something was decided, by whom and why, stays.

    A decision of which a condition or an expression was erased cannot be applied any more: the next replay says so.

    Args:
        table: The table.
        matcher: Tells the persons in texts.
        rows: The numbers of the persons' rows, by batch.
        installation: Where the ledger is.
        run: Who, and when.

    Returns:
        How many values were erased.
    """
    ledger = installation.ledger
    named = [(one.decision, one.part) for one in ledger.decision_values([table]) if _is_of(one, matcher, rows)]
    return ledger.erase_decision_values(named, at=run.clock()) if named else 0


def _is_of(value: DecisionValue, matcher: TableMatcher, rows: Mapping[str, Collection[int]]) -> bool:
    _, slash, row = value.part.rpartition("/")
    if slash and row.isdecimal() and int(row) in rows.get(value.ref.batch, ()):
        return True
    return value.value is not None and matcher.in_line(str(value.value))
