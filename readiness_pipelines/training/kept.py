"""Training sets that were built, as they were."""

from readiness_pipelines.contracts import TrainingSet
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import KeptTrainingSet
from readiness_pipelines.names import TableId
from readiness_pipelines.products import BuiltTrainingSet, LabelCounts, UsedBatch
from readiness_pipelines.sql import identifier

_SHORT = 8


def training_set_of(installation: Installation, training_set: str) -> BuiltTrainingSet:
    """A training set that was built, by its id or the beginning of it: the same rows, whatever became of the tables.

    Args:
        installation: Where the tables and the ledger are.
        training_set: The id, or at least eight characters of its beginning.

    Raises:
        UnknownNameError: None of that id was built.
        LakehouseError: Its rows cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    kept = installation.ledger.training_sets.get(training_set)
    if kept is None:
        every = installation.ledger.training_sets.all()
        begin = [one for one in every if len(training_set) >= _SHORT and one.id.startswith(training_set)]
        if len(begin) != 1:
            raise UnknownNameError("training set", training_set, [one.id for one in every])
        kept = begin[0]
    facts = kept.facts
    columns = ", ".join(map(identifier, facts["columns"]))
    with installation.engine(f"the training set {kept.id}") as engine:
        rows = installation.lakehouse.relation(engine, kept.name.training, batch=kept.id)
        table = rows.order("_row").project(columns).to_arrow_table().combine_chunks()
    return BuiltTrainingSet(
        id=kept.id,
        name=kept.name,
        rows=table,
        entity=tuple(facts["entity"]),
        label=facts["label"],
        features=tuple(facts["features"]),
        counts=LabelCounts(**facts["counts"]),
        used=used_of(kept),
        built_at=kept.built_at,
    )


def builds_of(installation: Installation, training_set: TrainingSet) -> tuple[KeptTrainingSet, ...]:
    """All builds of a training set, oldest first, without their rows.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    return installation.ledger.training_sets.of(training_set.id)


def used_of(kept: KeptTrainingSet) -> tuple[UsedBatch, ...]:
    """The batches that a training set was made of."""
    return tuple(
        UsedBatch(table=TableId.parse(table), batch=batch, snapshot=snapshot, gate=gate, decisions=tuple(decisions))
        for table, batch, snapshot, gate, decisions in kept.facts["used"]
    )
