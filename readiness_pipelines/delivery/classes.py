"""What the columns of tables are to persons, with what they inherit from sources and inputs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import assert_never

from readiness_pipelines.contracts import DerivedTable, GatedTable, Kpi, Table
from readiness_pipelines.contracts.classification import Classification, Classified, Kind, strongest
from readiness_pipelines.delivery.gates import GATES_KEPT, gate_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.masking import Classes, handling

_NAMES_SOMEBODY = (Kind.ID, Kind.DIRECT, Kind.FREE_TEXT)


def class_of(table: Table, column: str) -> Classified:
    """The class of a column of a table.

    What schema or table declare holds. A column that nobody classified inherits: in a gated table the source's class;
    in a derived table that of the inputs' column of the same name, else the strongest of all its inputs' columns,
    since nothing says which it is made of. A KPI's columns are numbers over many rows, and its dimensions what the
    inputs' columns are.

    Args:
        table: The table.
        column: A published column. One that the table does not have is classified as any that nobody classified.

    Raises:
        GateBuildError: A schema that cannot become a gate, or a derived column of a lower class than what it is made
            of, which nobody reviewed.
    """
    match table:
        case GatedTable():
            declared = gate_of(table).class_of(column)
            return declared or Classified(level=table.source.classification, inherited=True)
        case DerivedTable():
            inherited = inherited_class(table, column)
            declared = gate_of(table).class_of(column)
            if declared is not None and declared.level.rank < inherited.level.rank and not declared.reviewed:
                raise GateBuildError(
                    f"column {column} of {table.id} is {declared}, and what it is made of is {inherited}",
                    way_out=f'name who reviewed that and why: classified("{declared}", reviewed="…")',
                )
            return declared or inherited
        case Kpi():
            if column not in table.by:
                return Classified(level=Classification.INTERNAL, inherited=True)
            return inherited_class(table, column)
        case _:
            assert_never(table)


def inherited_class(table: DerivedTable | Kpi, column: str) -> Classified:
    """What a column inherits from the inputs: the class of the same name, else the strongest of all of them."""
    inputs = [read.table for read in table.reads.values()]
    same = [class_of(one, column) for one in inputs if any(c.matches(column) for c in gate_of(one).spec.columns)]
    found = strongest(same) or strongest(map(strongest_class, inputs))
    return replace(found, inherited=True) if found else Classified(level=Classification.INTERNAL, inherited=True)


def strongest_class(table: Table) -> Classified:
    """The strongest class of all columns that a table's schema names."""
    specs = gate_of(table).spec.columns
    found = strongest(c.classified or class_of(table, c.name) for c in specs)
    return found or Classified(level=Classification.INTERNAL, inherited=True)


def names_somebody(found: Classified) -> bool:
    """Whether a value of a class, on its own, may tell who a person is."""
    return found.level.personal and (found.kind is None or found.kind in _NAMES_SOMEBODY)


@lru_cache(maxsize=GATES_KEPT)
def classes_of(table: Table) -> Classes:
    """What the columns of a table are to persons, as far as showing their values goes.

    Raises:
        GateBuildError: As `class_of`.
    """
    names = tuple(spec.name for spec in gate_of(table).spec.columns)
    known = [strongest_class(table)]
    if isinstance(table, GatedTable):
        known.append(Classified(level=table.source.classification, inherited=True))
    else:
        known += [classes_of(read.table).strongest for read in table.reads.values()]
    spellings = {name.lower(): name for name in names}

    def lookup(column: str) -> Classified:
        # An expression may spell a column otherwise: DuckDB does not mind capitals.
        spelled = {column, spellings.get(column.lower(), column)}
        return _strongest_of(class_of(table, name) for name in sorted(spelled))

    inputs = frozenset() if isinstance(table, GatedTable) else _names_of_inputs(table)
    return Classes(lookup, _strongest_of(known), frozenset(names) | inputs)


@contextmanager
def handling_rows(table: Table) -> Iterator[None]:
    """Handle rows of a table: errors that quote them say no more than may leave the lakehouse."""
    with handling(classes_of(table)):
        yield


def _names_of_inputs(table: DerivedTable | Kpi) -> frozenset[str]:
    return frozenset(name for read in table.reads.values() for name in classes_of(read.table).names)


def _strongest_of(found: Iterable[Classified]) -> Classified:
    return strongest(found) or Classified(level=Classification.INTERNAL, inherited=True)
