"""What the columns of a training set are to persons, by the tables that it was made of."""

from collections.abc import Mapping

from readiness_pipelines.contracts import Table, TrainingSet, upstream
from readiness_pipelines.contracts.classification import Classification, Classified, strongest
from readiness_pipelines.contracts.models import Model
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.names import TableId
from readiness_pipelines.products import BuiltTrainingSet

_UNKNOWN = Classified(level=Classification.CONFIDENTIAL, inherited=True)


def slice_classes(model: Model, built: BuiltTrainingSet) -> Mapping[str, Classified]:
    """The class of each column that a model is measured by: the strongest of all tables that have it.

    A column that no known table of the training set has counts as confidential: its values are not named.
    """
    used = {one.table for one in built.used}
    tables = [table for ident, table in known_tables(model).items() if ident in used]
    found: dict[str, Classified] = {}
    for column in model.slices:
        classes = [class_of(table, column) for table in tables if column in gate_of(table).schema.names]
        found[column] = strongest(classes) or _UNKNOWN
    return found


def known_tables(model: Model) -> Mapping[TableId, Table]:
    """The tables of a model's domain and of its training set, and all that they are made of, by identity."""
    found: dict[TableId, Table] = {}
    learned = model.training.tables if isinstance(model.training, TrainingSet) else ()
    for table in (*model.domain.tables, *learned):
        found[table.id] = table
        found |= {one.id: one for one in upstream(table)}
    return found
