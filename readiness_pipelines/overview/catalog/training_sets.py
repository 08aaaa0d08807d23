"""A training set as the catalog has it: what is declared of it, its builds, and the models that learn from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.contracts import Domain, TrainingSet
from readiness_pipelines.durations import format_duration
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import KeptTrainingSet
from readiness_pipelines.models import changes_since
from readiness_pipelines.names import TableId
from readiness_pipelines.training import builds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEntry:
    """One build of a training set.

    Attributes:
        id: The id: the same id has the same rows.
        built_at: When it was built first, in UTC.
        who: For whom.
        trained: Labels to learn from.
        held_out: Labels that models are compared on.
        waiting: Labels that wait.
        excluded: Labels that are left out for good.
        changed: What happened since to batches that it is made of, for people; none where all is as it was.
    """

    id: str
    built_at: datetime
    who: str
    trained: int
    held_out: int
    waiting: int
    excluded: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetEntry:
    """What is declared of a training set, and what was built of it.

    Attributes:
        id: Its identity.
        kind: ``training set``.
        description: For people; "" where nobody wrote one.
        tags: What it belongs to.
        synonyms: What people call it.
        owner: Who owns its domain.
        answers: Who answers for it.
        version: Of the definition.
        labels: The table of the labels.
        label: The column that is learned.
        entity: Whom or what a label is about.
        features: The feature views, each with the columns that are taken from it: none for all.
        label_delay: How long after its time a label is known; "" where it is known at once.
        holdout: What is held out, for people; "" for nothing.
        gold: The tables that nothing learns from.
        models: The models that learn from it.
        builds: Its builds, the newest first.
    """

    id: TableId
    kind: str
    description: str
    tags: tuple[str, ...]
    synonyms: tuple[str, ...]
    owner: str
    answers: str
    version: str
    labels: TableId
    label: str
    entity: tuple[str, ...]
    features: tuple[tuple[TableId, tuple[str, ...]], ...]
    label_delay: str
    holdout: str
    gold: tuple[TableId, ...]
    models: tuple[TableId, ...]
    builds: tuple[BuildEntry, ...]


def training_set_entry(
    one: TrainingSet, domains: Iterable[Domain], *, installation: Installation, most: int = 20
) -> TrainingSetEntry:
    """What is declared of a training set, and what was built of it.

    Args:
        one: The training set.
        domains: The domains whose models may learn from it.
        installation: Where the ledger is.
        most: How many of the newest builds.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    builds = builds_of(installation, one)[::-1][:most]
    return TrainingSetEntry(
        id=one.id,
        kind="training set",
        description=one.description,
        tags=one.tags,
        synonyms=one.synonyms,
        owner=one.domain.owner,
        answers=one.owner,
        version=one.version,
        labels=one.labels.id,
        label=one.label,
        entity=one.entity,
        features=tuple((view.id, columns) for view, columns in one.features.values()),
        label_delay=format_duration(one.label_delay) if one.label_delay else "",
        holdout=str(one.holdout or ""),
        gold=tuple(table.id for table in one.gold),
        models=tuple(model.id for domain in domains for model in domain.models if model.training is one),
        builds=tuple(_build(kept, installation) for kept in builds),
    )


def _build(kept: KeptTrainingSet, installation: Installation) -> BuildEntry:
    counts = kept.facts["counts"]
    return BuildEntry(
        id=kept.id,
        built_at=kept.built_at,
        who=kept.who,
        trained=counts["trained"],
        held_out=counts["held_out"],
        waiting=sum(counts["waiting"].values()),
        excluded=sum(counts["excluded"].values()),
        changed=tuple(one.text for one in changes_since(kept, installation=installation)),
    )
