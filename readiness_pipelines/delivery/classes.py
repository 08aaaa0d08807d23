"""What the columns of tables are to persons, with what they inherit from sources and inputs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import assert_never

from readiness_pipelines.contracts import DerivedTable, FeatureView, GatedTable, Kpi, Model, Table, TrainingSet
from readiness_pipelines.contracts.classification import Classification, Classified, PersonalKind, strongest
from readiness_pipelines.contracts.models import model_scoring
from readiness_pipelines.contracts.serving_models import SCORE_COLUMNS
from readiness_pipelines.delivery.gates import GATES_KEPT, gate_of
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.schema.columns import ColumnSpec
from readiness_pipelines.masking import Classes, handling

TABLES_KEPT = 1_024
"""So many tables are looked at once."""

_PREDICTIONS = ("prediction", "shadow_prediction")
_NAMES_SOMEBODY = (PersonalKind.ID, PersonalKind.DIRECT, PersonalKind.FREE_TEXT)


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
        GateBuildError: A schema that cannot become a gate.
    """
    match table:
        case GatedTable():
            declared = gate_of(table).class_of(column)
            return declared or Classified(level=table.source.classification, inherited=True)
        case DerivedTable():
            return gate_of(table).class_of(column) or inherited_class(table, column)
        case Kpi():
            if column not in table.by:
                return Classified(level=Classification.INTERNAL, inherited=True)
            return inherited_class(table, column)
        case _:
            assert_never(table)


@lru_cache(maxsize=TABLES_KEPT)
def refuse_unreviewed(table: Table) -> None:
    """Refuse a derived column of a lower class than what it is made of, and a KPI by what names a person.

    Raises:
        GateBuildError: Nobody reviewed it; names the column and the way out.
    """
    match table:
        case GatedTable():
            return
        case DerivedTable():
            for column in gate_of(table).spec.columns:
                declared, inherited = column.classified, inherited_class(table, column.name)
                if declared and declared.level.rank < inherited.level.rank and not declared.reviewed:
                    raise GateBuildError(
                        f"column {column.label} of {table.id} is {declared}, and what it is made of is {inherited}",
                        way_out=f'name who reviewed that and why: classified("{declared}", reviewed="…")',
                    )
            if isinstance(table, FeatureView) and table.online:
                refuse_unprotected_keys(table)
        case Kpi():
            for name in table.by:
                found = inherited_class(table, name)
                if found.kind is not None and names_somebody(found):
                    raise GateBuildError(
                        f"the KPI {table.id} is by {name}, which is {found}: each of its rows would be a person",
                        way_out="drop the dimension, or derive a coarser column and classify that",
                    )
        case _:
            assert_never(table)


def refuse_unprotected_keys(view: FeatureView) -> None:
    """Refuse to keep values by a key, or with a time, that must not leave the lakehouse.

    Raises:
        GateBuildError: Nothing protects it; names the column and the way out.
    """
    for name in (*view.entity, view.event_time, view.known_at):
        if name is not None and (found := must_stay(view, name)):
            raise GateBuildError(
                f"the latest values of {view.id} are kept with {name}, which is {found}, and nothing protects it",
                way_out="protect the column where it arrives: protect(…, Pseudonym(key=…)), or drop online=True",
            )


def must_stay(table: Table, column: str) -> str:
    """The class of a column whose published values must not leave the lakehouse; "" where they may."""
    found = class_of(table, column)
    return str(found) if not found.level.shown and found.protection is None else ""


def inherited_class(table: DerivedTable | Kpi, column: str) -> Classified:
    """What a column inherits from the inputs: the class of the same name, else the strongest of all of them.

    What a model says of a row is as its features and its label are: see `predicted_class`.
    """
    if isinstance(table, DerivedTable) and (model := model_scoring(table)) is not None:
        if column in _PREDICTIONS:
            return predicted_class(model, table.reads["rows"].table)
        if column in SCORE_COLUMNS:  # which version scored says nothing of a person
            return Classified(level=Classification.INTERNAL, inherited=True)
    inputs = [read.table for read in table.reads.values()]
    same = [class_of(one, column) for one in inputs if any(c.matches(column) for c in gate_of(one).spec.columns)]
    found = strongest(same) or strongest(map(strongest_class, inputs))
    return replace(found, inherited=True) if found else Classified(level=Classification.INTERNAL, inherited=True)


def predicted_class(model: Model, rows: Table) -> Classified:
    """The class of a model's predictions: the strongest of its label and its features, where they are learned from.

    A feature counts as the rows that are scored have it, too. Of a model over a training set that the framework did
    not build nobody knows what it reads: its predictions are confidential at least, and as its rows are.
    """
    training = model.training
    if not isinstance(training, TrainingSet):
        unknown = Classified(level=Classification.CONFIDENTIAL, inherited=True)
        return replace(_strongest_of([unknown, strongest_class(rows)]), inherited=True, subject=False, protection=None)
    found = [class_of(training.labels, training.label)]
    scored = gate_of(rows).spec.columns
    for view, columns in training.features.values():
        beside = {*view.entity, view.event_time, view.known_at}
        specs = [spec for spec in gate_of(view).spec.columns if spec.name not in beside]
        if columns:
            found += [class_of(view, name) for name in columns]
            found += [class_of(rows, name) for name in columns if any(one.matches(name) for one in scored)]
        else:
            found += [spec.classified or class_of(view, spec.name) for spec in specs]
            same = [one for one in scored if any(_may_be_same(one, spec) for spec in specs)]
            found += [one.classified or class_of(rows, one.name) for one in same]
    # A prediction is neither the person's id that a feature may be, nor what protects that.
    return replace(_strongest_of(found), inherited=True, subject=False, protection=None)


def _may_be_same(one: ColumnSpec, other: ColumnSpec) -> bool:
    """Whether two tables may have a column of one name by these: of two patterns nobody knows."""
    return one.matches(other.name) or other.matches(one.name) or (one.pattern and other.pattern)


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
