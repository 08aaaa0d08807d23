"""A draft as a form has it: cells that were written over, and decisions about many rows, a line each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from readiness_pipelines.decisions import Approval, CellCorrection, Correction, Discarding, Undoing, Waiver, What
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.web.guard import Form

CELL = "cell."
FROM_THE_PAGE = "the page"
TITLES = {
    "correct": "Correct a column",
    "waive": "Waive a rule",
    "discard": "Discard rows",
    "undo": "Undo a decision",
    "approve": "Approve, as a second person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A decision about many rows, as it is written so far."""

    place: int
    kind: str
    column: str = ""
    expression: str = ""
    where: str = ""
    rule: str = ""
    until: str = ""
    decision: str = ""
    about: str = ""

    @property
    def title(self) -> str:
        """What it does, in words."""
        return TITLES[self.kind]


def lines_of(form: Form) -> list[DraftLine]:
    """The lines of a form, in order; what is not one of ours is left out."""
    places = sorted(
        int(name.removeprefix("kind."))
        for name in form.fields
        if name.startswith("kind.") and name.removeprefix("kind.").isdecimal()
    )
    return [
        DraftLine(
            place=place,
            kind=kind,
            **{name: form.one(f"{name}.{place}") for name in ("column", "rule")},  # chosen: blanks are of the name
            **{name: form.one(f"{name}.{place}").strip() for name in ("expression", "where", "until", "decision")},
        )
        for place in places
        if (kind := form.one(f"kind.{place}")) in TITLES
    ]


def changed(lines: Sequence[DraftLine], what: str) -> list[DraftLine]:
    """The lines after one was added (``add-waive``) or removed (``remove-2``)."""
    verb, _, of = what.partition("-")
    if verb == "add" and of in TITLES:
        place = max((line.place for line in lines), default=-1) + 1
        return [*lines, DraftLine(place=place, kind=of)]
    if verb == "remove":
        return [line for line in lines if str(line.place) != of]
    return list(lines)


def decisions_of(form: Form) -> tuple[What, ...]:
    """What a form decides: the cells first, then line by line; lines in which nothing is written yet are left out.

    Raises:
        DeclarationError: A cell, a day or a number that is not one.
    """
    return (*_cells(form), *(what for line in lines_of(form) if (what := _what(line)) is not None))


def _cells(form: Form) -> Iterator[CellCorrection]:
    cells: dict[str, dict[str, str | None]] = {}
    for name in form.fields:
        row, dot, column = name.removeprefix(CELL).partition(".")
        value = form.one(name)
        if name.startswith(CELL) and value != "":
            if not (dot and row.isascii() and row.isdecimal()):
                raise DeclarationError("a cell is written that is in no row", way_out="load the page again")
            cells.setdefault(column, {})[row] = value
    if cells:
        yield CellCorrection(cells=cells, file=FROM_THE_PAGE)


def _what(line: DraftLine) -> What | None:
    where = line.where or None
    match line.kind:
        case "correct":
            if not (line.column and line.expression):
                return None
            return Correction(column=line.column, expression=line.expression, where=where)
        case "waive":
            return Waiver(rule=line.rule, where=where, until=_until(line.until)) if line.rule else None
        case "discard":
            return Discarding(where=where)
        case "undo" | "approve":
            number = line.decision
            if not (number.isascii() and number.isdecimal()):
                raise DeclarationError("no decision is named by its number", way_out="load the page again")
            return Undoing(decision=int(number)) if line.kind == "undo" else Approval(decision=int(number))
        case _:
            return None


def _until(text: str) -> datetime | None:
    """The end of a day, in UTC."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        raise DeclarationError(f"{text!r} is not a day", way_out="write it as 2026-11-30") from None
