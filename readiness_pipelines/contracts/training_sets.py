"""What a training set is made of: labels, the features that were known before them, and what is kept apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from readiness_pipelines.contracts.tables import FeatureView, Table, upstream
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.names import TableId

if TYPE_CHECKING:
    from readiness_pipelines.contracts.domain import Domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """Which labels models are compared on and never learn from. One of the two is given.

    Attributes:
        last_batches: Those of so many newest batches of labels: a model is compared on what came after it.
        share: Those of so large a share of entities, between 0 and 1. Which ones follows from a hash of their values:
            an entity stays where it is, in each build and on each machine.

    Raises:
        DeclarationError: Both, or neither, or a number that leaves nothing on one of the sides.

    Example:
        Holdout(last_batches=2)
    """

    last_batches: int | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        """Refuse what nothing can be held out by."""
        if (self.last_batches is None) == (self.share is None):
            raise DeclarationError(
                "a holdout is by time or by entity", way_out="give one: Holdout(last_batches=2) or Holdout(share=0.2)"
            )
        if self.last_batches is not None and self.last_batches < 1:
            raise DeclarationError(f"Holdout(last_batches={self.last_batches}) holds nothing out", way_out="give 1")
        if self.share is not None and not 0 < self.share < 1:
            raise DeclarationError(f"Holdout(share={self.share}) leaves nothing on one side", way_out="give 0.2, say")

    def __str__(self) -> str:
        if self.last_batches is not None:
            return f"the last {self.last_batches} batches of labels"
        return f"{(self.share or 0) * 100:g}% of the entities"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingSet:
    """What a model learns from: each label once, with the features as they were known before it. A product.

    Attributes:
        id: Its identity.
        domain: Its domain.
        labels: The table that the labels are in.
        label: The column to be learned.
        features: The feature views, each with the columns taken from it; none for all.
        entity: The columns of the labels' table that say whom or what a label is about: all that the views need.
        at: What a label's time is, which features must have been known by: a column of the labels' table, the time at
            which a feature view first knew the entity, or, with ``None``, `label_delay` before the label was published.
        label_delay: How long after its time a label is known for good.
        holdout: Which labels are held out; ``None`` holds out none.
        gold: Tables that no training may touch: labels about an entity in one of them are excluded.
        version: Of the definition, as people count it.
        owner: Who answers for it.
        description: For people.
        tags: What it belongs to, to find it by.
        synonyms: What people call it, to find it by.
    """

    id: TableId
    domain: "Domain" = field(repr=False)
    labels: Table = field(repr=False)
    label: str
    features: Mapping[TableId, tuple[FeatureView, tuple[str, ...]]] = field(repr=False)
    entity: tuple[str, ...]
    at: str | FeatureView | None = None
    label_delay: timedelta = timedelta(0)
    holdout: Holdout | None = None
    gold: tuple[Table, ...] = ()
    version: str = "1"
    owner: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in its domain."""
        return self.id.name

    @property
    def views(self) -> tuple[FeatureView, ...]:
        """The feature views that it reads, in the order of their columns."""
        return tuple(view for view, _ in self.features.values())

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables that it reads: the labels', the views, and the gold sets."""
        timed = (self.at,) if isinstance(self.at, FeatureView) else ()
        found = {table.id: table for table in (self.labels, *self.views, *timed, *self.gold)}
        return tuple(found.values())


def check_gold(what: str, gold: Table, reads: tuple[Table, ...]) -> None:
    """Refuse a training set that would learn from what a gold set holds.

    Raises:
        DeclarationError: The gold set is among what the training set reads, or what that was computed from.
    """
    for table in reads:
        if gold.id in {table.id, *(one.id for one in upstream(table))}:
            raise DeclarationError(
                f"{what} learns from {table.id}, which is made of its gold set {gold.id}",
                way_out="compute a gold set from the labels, and nothing to learn from of a gold set",
            )
