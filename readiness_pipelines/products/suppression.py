"""Small cells of a KPI by dimensions: not published, and not to be worked out from the others."""

from collections.abc import Mapping, Sequence
from typing import Any

CELL = "_cell"
"""How many rows or persons a row of a KPI is made of, while it is computed; never published."""

SUPPRESSED = "suppressed"
"""Why a row has no value; null where it has one."""

HIDDEN = ("value", "numerator", "denominator", "met")


def without_small_cells(rows: Sequence[Mapping[str, Any]], *, below: int, persons: bool) -> list[dict[str, Any]]:
    """The rows, those of small cells without their numbers, and as many others as it takes to hide these.

    The total minus the cells that are published is what the others have together. So they have at least `below`
    together, and are two at least; the next smaller cells go with them until that is so. Where the whole has too few,
    nothing is published of it.

    Args:
        rows: The total and the cells, each with how many it is made of.
        below: Cells of fewer are small.
        persons: Whether persons are counted: the same ones may be in two cells, whose sum says little then.
    """
    small = f"fewer than {below} {'persons' if persons else 'rows'}"
    together = max if persons else sum
    total = next(row for row in rows if row["is_total"])
    cells = sorted(
        (row for row in rows if not row["is_total"]),
        key=lambda row: (row[CELL], [str(value) for name, value in row.items() if name not in HIDDEN]),
    )
    if total[CELL] < below:
        return [_hidden(row, small) for row in rows]
    hidden = sum(1 for cell in cells if cell[CELL] < below)
    first = hidden
    while 0 < hidden < len(cells) and (hidden == 1 or together(cell[CELL] for cell in cells[:hidden]) < below):
        hidden += 1
    why = {id(cell): small if place < first else "hides smaller ones" for place, cell in enumerate(cells[:hidden])}
    return [_hidden(row, why[id(row)]) if id(row) in why else {**row, SUPPRESSED: None} for row in rows]


def _hidden(row: Mapping[str, Any], why: str) -> dict[str, Any]:
    return {**row, **dict.fromkeys(HIDDEN), SUPPRESSED: why}
