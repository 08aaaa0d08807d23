"""The table as it is now, of its changes: a query that depends on what changed, and not on when it was read."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from readiness_pipelines.columns import BEFORE, CHANGE_COLUMNS, OFFSET_BITS
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.sql import identifier, literal

T = TypeVar("T")

_NEEDED = ("change_op", "change_position", "change_table", "change_unchanged")


def current_columns(changes: Any, current: Any, key: Sequence[str], what: str) -> tuple[str, ...]:
    """The columns of the table as it is now, where its changes have what they are made of.

    Args:
        changes: The schema of the changes.
        current: The schema of the table as it is now.
        key: The columns that tell its rows apart.
        what: The table, for errors.

    Raises:
        DeclarationError: The changes lack a column, or one of them may not be null.
        UnknownNameError: A column that the changes do not have.
    """
    there, wanted = _columns(changes), tuple(_columns(current))
    former = [f"{BEFORE}{name}" for name in key]
    if lacking := [name for name in (*_NEEDED, *former, *key) if name not in there]:
        raise DeclarationError(
            f"{what} needs the column {lacking[0]!r} in the schema of its changes",
            way_out="build that schema on ChangeColumns, with the key's columns, and each again as "
            f"{', '.join(former)}, nullable",
        )
    for name in wanted:
        if name not in there or name in CHANGE_COLUMNS:
            raise UnknownNameError(
                f"column of {what}, among those of its changes", name, set(there) - {*CHANGE_COLUMNS}
            )
    if lacking := [name for name in key if name not in wanted]:
        raise DeclarationError(f"{what} lacks {lacking[0]!r} of its key", way_out="add it to its schema")
    if strict := [name for name in (*wanted, *former) if not getattr(there[name], "nullable", True)]:
        raise DeclarationError(
            f"{strict[0]} may not be null in the changes of {what}: deletes and truncates would wait in quarantine, "
            "and their rows stay",
            way_out=f"{strict[0]}: … = pa.Field(nullable=True) in the changes' schema; that of {what} may forbid it",
        )
    return wanted


def with_former_keys(classes: Mapping[str, T] | None, key: Sequence[str]) -> Mapping[str, T] | None:
    """Classes of columns, where the former value of a key's column has the class and protection of the column."""
    if not classes:
        return classes
    return {**{f"{BEFORE}{name}": classes[name] for name in key if name in classes}, **classes}


def _columns(schema: Any) -> dict[str, Any]:
    made = schema.to_schema() if hasattr(schema, "to_schema") else schema
    return dict(made.columns)


def current_query(columns: Sequence[str], key: Sequence[str]) -> Callable[[str], str]:
    """The transform that gives the table as it is now: the last change of each key by position, if it is no delete.

    Positions order changes, whatever partition they came by; equal ones, a snapshot's row first, then by their number.
    A tombstone, which has none, counts as after what its partition had of its key before. What an update did not touch,
    and did not say, is what the change before it has.
    """
    keys = ", ".join(map(identifier, key))
    others = [name for name in columns if name not in key]
    order = "_at NULLS FIRST, _rank, _row"
    former = ", ".join(f"{identifier(BEFORE + name)} AS {identifier(name)}" for name in key)
    moved = " AND ".join(f"{identifier(BEFORE + name)} IS NOT NULL" for name in key)
    kept = "".join(f", {_known(name)}" for name in others)
    given = "".join(f", {identifier(name)}.v AS {identifier(name)}" for name in others)
    unknown = " OR ".join(f"NOT coalesce({identifier(name)}.known, false)" for name in others) or "false"
    gone = "change_op IN ('delete', 'tombstone')"

    def current(changes: str) -> str:
        return f"""
WITH placed AS (
    SELECT *, CASE change_op WHEN 'snapshot' THEN 0 ELSE 1 END AS _rank,
        CASE change_op WHEN 'tombstone'
            THEN max(change_position) OVER (PARTITION BY {keys}, _row >> {OFFSET_BITS} ORDER BY _row)
            ELSE change_position END AS _at
    FROM {changes}
), emptied AS (
    SELECT max((_at, _row)) AS _last, (SELECT count(DISTINCT change_table) FROM {changes}) AS _tables
    FROM placed WHERE change_op = 'truncate'
), moves AS (
    SELECT {keys}, _at, _rank, _row, change_op{"".join(f", {_said(name)} AS {identifier(name)}" for name in others)}
    FROM placed WHERE change_op <> 'truncate'
    UNION ALL
    SELECT {former}, _at, _rank, _row, 'delete'{"".join(f", {_nothing(name)}" for name in others)}
    FROM placed WHERE change_op = 'update' AND {moved}
), ordered AS (
    SELECT {keys}, change_op, _tables, row_number() OVER (PARTITION BY {keys} ORDER BY _at DESC NULLS LAST, _rank DESC,
        _row DESC) AS _nth{kept}
    FROM moves CROSS JOIN emptied WHERE _last IS NULL OR (_at, _row) > _last
    WINDOW _so_far AS (PARTITION BY {keys} ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT {keys}{given} FROM ordered
WHERE CASE
    WHEN _tables > 1 THEN error({literal(_SEVERAL)})
    WHEN _nth > 1 OR {gone} THEN false
    WHEN {unknown} THEN error({literal(_UNKNOWN)})
    ELSE true END"""

    return current


_SEVERAL = "these are the changes of more than one table: give each table a topic or slot of its own"
_UNKNOWN = (
    "an update left out a large value that it did not touch, and no change before it has it: "
    "ALTER TABLE ... REPLICA IDENTITY FULL, then update that row or take a snapshot of the table again"
)


def _nothing(name: str) -> str:
    """What the row of a key that was changed to another has from then on."""
    return f"{{'v': CASE WHEN false THEN {identifier(name)} END, 'known': false}}"


def _said(name: str) -> str:
    """What a change says of a column: nothing, where it left it out."""
    column = identifier(name)
    left_out = f"coalesce(contains(change_unchanged, {literal(json.dumps(name, ensure_ascii=False))}), false)"
    gone = "change_op IN ('delete', 'tombstone')"
    return f"CASE WHEN {left_out} THEN NULL ELSE {{'v': {column}, 'known': NOT ({gone})}} END"


def _known(name: str) -> str:
    """What is known of a column after a change: what the last one says that says anything."""
    column = identifier(name)
    return f"last_value({column} IGNORE NULLS) OVER _so_far AS {column}"
